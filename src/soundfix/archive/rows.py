"""The columns of an archive's table, and what stands under them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from soundfix.estimate import Estimate
from soundfix.files.projection import to_degrees
from soundfix.report.exports import CSV_COLUMNS, source_rows

WELL = ("ok", "unknown-position")
TIMES = ("start_s", "end_s", "clock", "event", "track", "level_dbfs")
TAKEN = tuple(name for name in CSV_COLUMNS if name not in TIMES)
COLUMNS = ("clock", "duration_s", "event", "rows", *TAKEN, "longitude", "latitude", "microphones", "broken")


def rows_of(estimate: Estimate, refs: Sequence[str] = (), crs: str | None = None) -> Iterator[list[Any]]:
    """Under COLUMNS: a row a source, or one without coordinates. refs: where each row of the events stands.

    clock: when the window, or the event, began. microphones: those that were listened to; broken: those that are not well,
    with what is wrong.
    """
    event = estimate.event
    head = [
        clock_of(estimate),
        round(estimate.end_s - estimate.start_s, 6),
        (event.label or None) if event else None,
        "; ".join(refs[row] for row in event.rows) if event else None,
    ]
    used = " ".join(report.name for report in estimate.microphones if report.weight > 0)
    broken = " ".join(f"{report.name}:{report.status}" for report in estimate.microphones if report.status not in WELL)
    for cells in source_rows(estimate):
        told = dict(zip(CSV_COLUMNS, cells, strict=True))
        yield [*head, *(told[name] for name in TAKEN), *_degrees(told, crs), used, broken]


def clock_of(estimate: Estimate) -> str | None:
    """When its window, or its event, began: ISO 8601, all alike, to the microsecond."""
    return estimate.clock.isoformat(timespec="microseconds") if estimate.clock else None


def _degrees(told: dict[str, Any], crs: str | None) -> tuple[float | None, float | None]:
    if crs is None or told["x_m"] is None:
        return None, None
    longitude, latitude = to_degrees(np.array([told["x_m"], told["y_m"]]), crs).round(8).tolist()
    return longitude, latitude
