"""The pictures of a page of docs/, made by the commands that stand on it.

    python bench/docs_pictures.py tutorial gallery

Runs every block of docs/NAME.md in the order of the page, in a folder of its own. A picture docs/NAME/x.png is then x.png
of that folder, made smaller, or what Chromium shows of x.html; x.gif is taken as it is. Needs the extras `dev`, `report`
and `geo`.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))
from helpers import pages  # noqa: E402
from helpers.browser import launched  # noqa: E402

WIDEST, COLOURS = 1000, 256  # pixels; of a palette, which spares more than half
VIEW = {"width": 1280, "height": 800}
DRAWN_MS = 4000  # until a page stands still


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+")
    for name in parser.parse_args().pages:
        with tempfile.TemporaryDirectory() as folder:
            redraw(REPOSITORY / "docs" / f"{name}.md", pages.workplace(Path(folder)))


def redraw(page: Path, folder: Path) -> None:
    blocks = pages.blocks(page)
    for block in blocks:
        if block.language in pages.RUN_BY:
            print(block.code, pages.run(block, folder), sep="\n", flush=True)
    for shown in (shown for block in blocks for shown in block.shows if shown.startswith(f"{page.stem}/")):
        size = take(folder, page.parent / shown)
        print(f"{shown}: {size / 1000:.0f} kB")


def take(folder: Path, picture: Path) -> int:
    """Of the file of this name that the commands made; how many bytes it is."""
    picture.parent.mkdir(exist_ok=True)
    made = [path for suffix in (picture.suffix, ".html") for path in sorted(folder.rglob(picture.stem + suffix))]
    assert made, f"no command of the page made {picture.name}"
    if made[0].suffix == ".gif":
        shutil.copy(made[0], picture)
    else:
        seen = photographed(made[0], folder / "photograph.png") if made[0].suffix == ".html" else made[0]
        smaller(seen, picture)
    return picture.stat().st_size


def photographed(page: Path, picture: Path) -> Path:
    with sync_playwright() as playwright:
        browser = launched(playwright)
        tab = browser.new_page(viewport=VIEW)
        tab.goto(page.as_uri())
        tab.wait_for_timeout(DRAWN_MS)
        tab.screenshot(path=picture)
        browser.close()
    return picture


def smaller(source: Path, picture: Path) -> None:
    with Image.open(source) as image:
        drawn = image.convert("RGB")
    if drawn.width > WIDEST:
        drawn = drawn.resize((WIDEST, round(drawn.height * WIDEST / drawn.width)), Image.Resampling.LANCZOS)
    drawn.quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    main()
