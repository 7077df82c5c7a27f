"""Rows -> Markdown and CSV. The numbers are those of metrics.py; centimetres and percent exist only here."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soundfix.atomic import atomic_path
from soundfix.evaluation.metrics import ErrorSummary, Number, summarize
from soundfix.evaluation.rows import Row, grouped

CONDITION = ("sources", "unknown", "fault", "told", "window_s", "microphones")
EVERYTHING = "all"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One method under one condition, on one part of the test set (label -> value; none: all of it)."""

    part: str
    condition: dict[str, Any]
    method: str
    summary: ErrorSummary
    seconds: float


def lines_of(rows: Sequence[Row]) -> list[Line]:
    """Every method under every condition: on everything, then on each kind of sound, each room and so on alone."""
    return [line for part, chosen in _parts(rows) for line in _lines(part, chosen)]


def _parts(rows: Sequence[Row]) -> Iterable[tuple[str, list[Row]]]:
    yield EVERYTHING, list(rows)
    for name in dict.fromkeys(name for row in rows for name in row.labels):
        values = dict.fromkeys(row.labels[name] for row in rows)
        if len(values) > 1:
            for value in values:
                yield f"{name}: {value}", [row for row in rows if row.labels[name] == value]


def _lines(part: str, rows: list[Row]) -> Iterable[Line]:
    for values, chosen in grouped(rows, *CONDITION, "method"):
        yield Line(
            part=part,
            condition=dict(zip(CONDITION, values, strict=False)),
            method=values[-1],
            summary=summarize([row.score for row in chosen], [row.recording for row in chosen]),
            seconds=float(np.median([row.seconds for row in chosen])),
        )


def markdown(title: str, lines: Sequence[Line], notes: Sequence[str] = ()) -> str:
    """An overview, methods against conditions, then a table a condition with every number."""
    whole = [line for line in lines if line.part == EVERYTHING]
    parts = [f"# {title}", *notes, _overview(whole)]
    for part in dict.fromkeys(line.part for line in lines):
        parts += _sections(part, [line for line in lines if line.part == part])
    return "\n\n".join(parts) + "\n"


def _overview(lines: list[Line]) -> str:
    conditions = list(dict.fromkeys(words(line.condition) for line in lines))
    cells = {(line.method, words(line.condition)): _short(line.summary) for line in lines}
    head = ["MAE (standard error), share under 30 cm", *conditions]
    body = [[method, *(cells.get((method, c), "") for c in conditions)] for method in _methods(lines)]
    return table(head, body)


def _sections(part: str, lines: list[Line]) -> Iterable[str]:
    yield f"## {'Everything' if part == EVERYTHING else part[0].upper() + part[1:]}"
    for condition in dict.fromkeys(words(line.condition) for line in lines):
        chosen = [line for line in lines if words(line.condition) == condition]
        yield f"### {condition}: {chosen[0].summary.windows} windows"
        yield table(HEAD, [_full(line) for line in chosen])


HEAD = (
    "method", "MAE", "95 % interval", "median", "p90", "< 30 cm", "xy", "z", "MAE of answers", "abstained", "in 90 % region",
    "unknown microphones", "ms a window",
)  # fmt: skip


def _full(line: Line) -> list[str]:
    s = line.summary
    return [
        line.method,
        _with_error(s.mae_m),
        f"{100 * s.mae_m.low:.1f} to {100 * s.mae_m.high:.1f} cm",
        *(f"{100 * value:.2f} cm" for value in (s.median_m,)),
        f"{100 * s.p90_m:.1f} cm",
        _percent(s.acc.value),
        *(f"{100 * value:.1f} cm" for value in (s.xy_m, s.z_m, s.answered_mae_m)),
        _percent(s.abstained),
        _percent(s.coverage.value),
        _with_error(s.microphones_m),
        f"{1000 * line.seconds:.0f}",
    ]


def _short(s: ErrorSummary) -> str:
    return f"{_with_error(s.mae_m)}, {_percent(s.acc.value)}"


def _with_error(number: Number) -> str:
    if np.isnan(number.value):
        return ""
    return f"{100 * number.value:.1f} ({100 * number.error:.1f}) cm"


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.1f} %"


def centimetres(number: Number) -> str:
    """A length with its standard error."""
    return "" if np.isnan(number.value) else f"{100 * number.value:.1f} ± {100 * number.error:.1f} cm"


def percent(number: Number) -> str:
    """A share with its standard error."""
    return "" if np.isnan(number.value) else f"{100 * number.value:.1f} ± {100 * number.error:.1f} %"


def words(condition: dict[str, Any], *, but: str = "") -> str:
    """What is as usual is not said, nor what the reader sees anyway (but)."""
    said = {"microphones": f"{condition['microphones']} microphones", "window_s": f"{condition['window_s']:g} s"}
    if condition["sources"] > 1:
        said["sources"] = f"{condition['sources']} sources"
    if condition["unknown"]:
        said["unknown"] = f"{condition['unknown']} of unknown position"
    if condition["fault"] != "none":
        said["fault"] = f"fault {condition['fault']}"
    if condition["told"]:
        said["told"] = "source told"
    return ", ".join(text for name, text in said.items() if name != but)


def _methods(lines: Iterable[Line]) -> list[str]:
    return list(dict.fromkeys(line.method for line in lines))


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Markdown; the first column to the left, the others to the right."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *body))


def write_csv(lines: Sequence[Line], path: Path) -> None:
    """One row a line, everything in metres, shares and seconds."""
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(_columns(lines[0])))
        writer.writeheader()
        writer.writerows(_columns(line) for line in lines)


def _columns(line: Line) -> dict[str, Any]:
    columns: dict[str, Any] = {"part": line.part, **line.condition, "method": line.method}
    for name, value in vars(line.summary).items():
        if isinstance(value, Number):
            columns |= {f"{name}_{end}" if end != "value" else name: v for end, v in value._asdict().items()}
        else:
            columns[name] = value
    return columns | {"seconds": line.seconds}
