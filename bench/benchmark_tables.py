"""The main numbers of the measured pages, on one page: docs/benchmarks.md. Nothing is measured, and nothing typed.

    python bench/benchmark_tables.py

Each table is taken from the page that its script wrote, rows chosen by their first cells. A test asks that the page is
what this writes.
"""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[1] / "docs"
HEAD = """# Benchmarks

The main numbers of the pages below, put together by `bench/benchmark_tables.py`. Each page says how they were measured, and
which script printed them.
"""


class Pick(NamedTuple):
    """The first table of a page after this heading, the rows that fit; says: what it shows, and what wrote it."""

    title: str
    page: str
    heading: str
    rows: str
    says: str


PICKS = (
    Pick(
        "Places", "three_stream.md", "## The weights of 26", r"[a-z ]+, 0.5 s, ",
        "Mean distance (standard error) and share under 30 cm of `three-stream`, on sounds and rooms that nothing was "
        "trained on. By `soundfix evaluate` and `bench/packaged_tables.py`",
    ),
    Pick(
        "Beside the paper's methods", "paper.md", "## Table 1", r".",
        "On a simulated twin of LuViRA; in brackets what the paper reports on LuViRA. By `soundfix reproduce`",
    ),
    Pick(
        "Rough rooms", "rough.md", "# ", r"\*\*all|\d+ microphones",
        "Share under 30 cm. By `soundfix evaluate` and `bench/rough_table.py`",
    ),
    Pick(
        "Outdoors", "field.md", "# ", r".*three-stream",
        "Nine recorders, 40 m apart; errors seen from above, in metres. By `bench/field_grids.py`",
    ),
    Pick(
        "Several at once", "several.md", "## How often it is right", r".*\| 2 s \| music and speech",
        "Windows of 2 s. By `bench/several.py`",
    ),
    Pick("Faults", "faults.md", "# ", r".", "One or several of 11 microphones broken. By `bench/faults_table.py`"),
    Pick("Calibration", "calibration.md", "# ", r".", "Half a minute of a walking talker. By `bench/calibration.py`"),
    Pick("Time", "speed.md", "# ", r".", "CPU time of one thread. By `bench/speed.py`"),
)  # fmt: skip


def main() -> None:
    (DOCS / "benchmarks.md").write_text(page(), encoding="utf-8")


def page() -> str:
    return HEAD + "".join(section(pick) for pick in PICKS)


def section(pick: Pick) -> str:
    rows = "\n".join(table(pick))
    return f"\n## {pick.title}\n\n{pick.says}: [{pick.page}]({pick.page}).\n\n{rows}\n"


def table(pick: Pick) -> list[str]:
    _, _, after = ("\n" + (DOCS / pick.page).read_text("utf-8")).partition(f"\n{pick.heading}")
    found = re.search(r"^(\|.*\n)(\|[-: |]+\|\n)((?:\|.*\n)+)", after, re.MULTILINE)
    assert found, f"{pick.page} has no table after {pick.heading!r}"
    rows = [row for row in found[3].splitlines() if re.match(rf"\| *(?:{pick.rows})", row)]
    assert rows, f"{pick.page} has no rows {pick.rows!r} after {pick.heading!r}"
    return [found[1].rstrip(), found[2].rstrip(), *rows]


if __name__ == "__main__":
    main()
