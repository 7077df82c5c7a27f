"""How quick is the page, in a browser that draws on the processor alone? And its picture, for the README.

    python bench/page.py [--picture docs/page.png]

Printed: from the start of `soundfix serve` to the first answer, and to all answers, of the built-in example, on the page;
how long the answer takes after a microphone was switched off, each in turn; how many pictures a second the room is drawn
with, of 64 microphones and 1000 fixes, turned and played; how large the page is. Needs Chromium and the extra `dev`.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
from playwright.sync_api import Page, sync_playwright

from soundfix.estimate import Estimate, MicrophoneReport, Source
from soundfix.microphones import Microphones
from soundfix.report.page import built_page, write_page

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.browser import launched
from helpers.service import serving

ROOM = ((0.0, 0.0, 0.0), (20.0, 15.0, 4.0))
TURNED = """() => new Promise((done) => {
    const { stage } = window.soundfix.world;
    const [began, before] = [performance.now(), stage.frames];
    const turn = () => {
        const past = performance.now() - began;
        if (past > 4000) return done((1000 * (stage.frames - before)) / past);
        stage.camera.position.applyAxisAngle({ x: 0, y: 0, z: 1 }, 0.01);
        stage.controls.update();
        requestAnimationFrame(turn);
    };
    turn();
})"""
PLAYED = """() => new Promise((done) => {
    const began = performance.now();
    let count = 0;
    const next = () => {
        const past = performance.now() - began;
        if (past > 4000) return done((1000 * count) / past);
        count++;
        requestAnimationFrame(next);
    };
    next();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    print(f"page: {len(built_page()) / 1000:.0f} kB")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launched(playwright)
        pages = Path(folder)
        started = time.monotonic()
        with serving(pages / "service", waits=False) as (_, client):
            page = browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1)
            page.goto(str(client.base_url))
            for line in answered(page, started):
                print(line)
            waits = list(switched(page))
            print(f"a microphone switched off: {median(waits):.0f} ms (median), {max(waits):.0f} ms at most")
            if given.picture:
                pictured(page, given.picture)
            page.close()
        for line in drawn(browser.new_page(viewport={"width": 1280, "height": 800}), pages / "many.html"):
            print(line)
        browser.close()


def answered(page: Page, started: float) -> Iterator[str]:
    """The example, from the start of the service."""
    page.get_by_role("button", name="Show the example").click()
    page.wait_for_selector(".sources li")
    yield f"first answer after {time.monotonic() - started:.1f} s"
    page.wait_for_selector(".busy", state="hidden")
    yield f"all answers after {time.monotonic() - started:.1f} s"
    for _ in range(7):
        page.get_by_label("Window after").click()
    page.wait_for_timeout(8000)  # until the process for short questions is there


def switched(page: Page) -> Iterator[float]:
    """Milliseconds, as the page says them, for each microphone."""
    for name in ("mic1", "mic2", "mic5", "mic6", "mic9", "mic11"):
        switch = page.get_by_label(f"{name} is on")
        switch.click()
        page.wait_for_selector(".asked")
        yield float(re.search(r"\((\d+) ms\)", page.inner_text(".asked"))[1])
        switch.click()
        page.wait_for_selector(".asked", state="detached")


def pictured(page: Page, path: Path) -> None:
    """With the likelihood at the height of the source."""
    page.get_by_label("Window after").click()
    page.get_by_label("Likelihood").select_option("level (z)")
    page.wait_for_timeout(2000)
    page.mouse.move(5, 5)
    page.screenshot(path=path)


def drawn(page: Page, path: Path) -> Iterator[str]:
    """Pictures a second."""
    microphones, estimates = many()
    write_page(path, estimates, microphones, ROOM)
    page.goto(path.as_uri())
    page.wait_for_selector(".sources li")
    yield f"64 microphones, 1000 fixes, {path.stat().st_size / 1e6:.2f} MB: {page.evaluate(TURNED):.0f} pictures/s turned"
    page.get_by_role("button", name="Play", exact=True).click()
    yield f"{page.evaluate(PLAYED):.0f} frames/s while it plays"


def many() -> tuple[Microphones, list[Estimate]]:
    """Of somebody who walks in a hall for 100 s, an answer every 0.1 s; some microphones are bad for a while."""
    rng = np.random.default_rng(0)
    microphones = Microphones(positions=rng.uniform(*ROOM, (64, 3)), names=tuple(f"mic{m}" for m in range(64)))
    statuses = rng.choice(["ok"] * 9 + ["late", "dead", "misplaced"], (20, 64))
    estimates = [_fix(microphones, statuses[k // 50], 0.1 * k, rng) for k in range(1000)]
    return microphones, estimates


def _fix(microphones: Microphones, statuses: np.ndarray, start_s: float, rng: np.random.Generator) -> Estimate:
    place = np.array([10 + 6 * np.cos(start_s / 9), 7 + 5 * np.sin(start_s / 7), 1.5])
    factor = 0.05 * rng.normal(size=(3, 3))
    source = Source(position_m=place, covariance_m2=factor @ factor.T + 1e-4 * np.eye(3), radius90_m=0.1, score=0.3)
    reports = tuple(
        MicrophoneReport(name=name, status=str(status), weight=1.0, position_m=place_m, pull_m=0.0)
        for name, status, place_m in zip(microphones.names, statuses, microphones.positions, strict=True)
    )
    return Estimate(
        method="three-stream",
        start_s=start_s,
        end_s=start_s + 0.5,
        verdict="ok",
        sources=(source,),
        microphones=reports,
    )


if __name__ == "__main__":
    main()
