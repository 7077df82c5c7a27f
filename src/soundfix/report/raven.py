"""Events with their answers, as a selection table for Raven: the rows of the table they came from, with columns added."""

from collections.abc import Iterable
from pathlib import Path

from soundfix.atomic import atomic_path
from soundfix.estimate import Estimate
from soundfix.files.events.raven import BEGIN, COLUMNS, END, HIGH, LOW, is_raven
from soundfix.files.events.reading import EventTable
from soundfix.files.events.table import Row

ADDED = ("X (m)", "Y (m)", "Z (m)", "Radius 90 (m)", "Verdict", "Stations", "Clock")
LABEL = "Label"
VIEW, CHANNEL = "Spectrogram 1", "1"


def write_raven(path: str | Path, table: EventTable, estimates: Iterable[Estimate]) -> None:
    """Tab-separated, a row for each of the table's; of an answer with several places the best. Rows of no event have none.

    A table of another format gets Raven's columns before its own. Raises OutputError where it cannot be written.
    """
    answers = {row: estimate for estimate in estimates if estimate.event for row in estimate.event.rows}
    columns = _columns(table)
    lines = [columns]
    for number, row in enumerate(table.table.rows):
        cells = _raven_cells(table, number, row, answers.get(number)) | _answer_cells(answers.get(number))
        if number in answers or is_raven(table.table):
            lines.append([cells.get(column, "") for column in columns])
    with atomic_path(path) as part:
        part.write_text("".join("\t".join(map(_plain, cells)) + "\n" for cells in lines), "utf-8")


def _columns(table: EventTable) -> list[str]:
    """Those of the table, once, and those that are added, at the end."""
    before = () if is_raven(table.table) else (*COLUMNS, LABEL)
    return [*dict.fromkeys(column for column in (*before, *table.table.columns) if column not in ADDED), *ADDED]


def _raven_cells(table: EventTable, number: int, row: Row, estimate: Estimate | None) -> dict[str, str]:
    if is_raven(table.table) or estimate is None or estimate.event is None:
        return dict(row.cells)
    low, high = estimate.event.band_hz or ("", "")
    return dict(row.cells) | {
        "Selection": str(number + 1), "View": VIEW, "Channel": CHANNEL, BEGIN: f"{estimate.start_s:.6f}",
        END: f"{estimate.end_s:.6f}", LOW: str(low), HIGH: str(high), LABEL: estimate.event.label,
    }  # fmt: skip


def _answer_cells(estimate: Estimate | None) -> dict[str, str]:
    if estimate is None:
        return {}
    clock = estimate.clock.isoformat() if estimate.clock else ""
    stations = " ".join(report.name for report in estimate.microphones if report.weight > 0)
    told = {"Verdict": estimate.verdict, "Stations": stations, "Clock": clock}
    if not estimate.sources or estimate.direction:
        return told
    source = estimate.sources[0]
    numbers = (*source.position_m.tolist(), source.radius90_m)
    return told | {column: f"{number:.3f}" for column, number in zip(ADDED, numbers, strict=False)}


def _plain(cell: str) -> str:
    """On one line, without the tabs that would be columns."""
    return " ".join(cell.split("\t")).replace("\n", " ").replace("\r", " ")
