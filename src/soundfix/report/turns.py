"""Who sounded when and where, on disk: a CSV file with places, or RTTM, the format that diarization is scored in (NIST)."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from soundfix.atomic import atomic_path
from soundfix.errors import OutputError
from soundfix.tracking.turns import Turn

TURN_COLUMNS = (
    "start_s", "end_s", "track", "x_m", "y_m", "z_m", "radius90_m", "moved_m", "level_dbfs", "windows", "returned",
    "kind", "kind_probability",
)  # fmt: skip
SUFFIXES = (".csv", ".rttm")


def check_turns_file(path: str | Path) -> None:
    """Raises OutputError where the name tells no format."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise OutputError(f"cannot write turns as {Path(path).name}: wanted a name that ends in .csv or .rttm")


def write_turns(path: str | Path, turns: Iterable[Turn], recording: str = "recording") -> None:
    """A CSV file or an RTTM file, by the path's suffix. recording: its name in RTTM.

    Raises OutputError for another suffix, and where it cannot be written.
    """
    check_turns_file(path)
    lines = _rttm_lines(turns, recording) if Path(path).suffix.lower() == ".rttm" else _csv_lines(turns)
    with atomic_path(path) as part:
        part.write_text("".join(lines), encoding="utf-8")


def turn_row(turn: Turn) -> list[Any]:
    """Under TURN_COLUMNS."""
    return [
        turn.start_s, turn.end_s, turn.track, *turn.position_m.tolist(), turn.radius90_m, turn.moved_m, turn.level_dbfs,
        turn.windows, turn.returned, turn.kind, turn.kind_probability,
    ]  # fmt: skip


def _csv_lines(turns: Iterable[Turn]) -> Iterable[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TURN_COLUMNS)
    writer.writerows([_cell(cell) for cell in turn_row(turn)] for turn in turns)
    return [text.getvalue()]


def _cell(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.3f}" if isinstance(cell, float) else cell


def _rttm_lines(turns: Iterable[Turn], recording: str) -> Iterable[str]:
    """Type, file, channel, beginning, duration, none, subtype (the kind), name, confidence (in the kind), none."""
    name = "_".join(recording.split()) or "recording"
    for turn in turns:
        span = f"{turn.start_s:.3f} {turn.end_s - turn.start_s:.3f}"
        confidence = "<NA>" if turn.kind_probability is None else f"{turn.kind_probability:.3f}"
        yield f"SPEAKER {name} 1 {span} <NA> {turn.kind or '<NA>'} track{turn.track} {confidence} <NA>\n"
