"""Answers as OpenSoundscape's PositionEstimates: JSON, a list of what their to_dict gives and from_dict takes.

location_estimate (m), class_name, start_timestamp, duration (s); and of each receiver that counts: its file, when the event
begins there (s), where it stands (m), how much later than the first of them it heard the sound (tdoas, s), and by how much
that contradicts the place (distance_residuals, m: expected less heard, as in OpenSoundscape). Correlations are not told.
"""

import json
from typing import Any

import numpy as np

from soundfix.estimate import Estimate, Source
from soundfix.report.recorded import Heard, Recorded, called, places


def position_dicts(estimate: Estimate, recorded: Recorded) -> list[dict[str, Any]]:
    """One of every place."""
    heard = _receivers(estimate, recorded)
    return [_position(estimate, source, heard, recorded) for source in places(estimate)]


def _receivers(estimate: Estimate, recorded: Recorded) -> list[tuple[Heard, np.ndarray, float]]:
    """Of each microphone that counts: where its sound is, where it stands (m), and how late it heard the source (m)."""
    found = []
    for m, report in enumerate(estimate.microphones):
        is_used = report.weight > 0 and report.residual_m is not None and bool(recorded.microphones.is_known[m])
        heard = recorded.heard(m, estimate.start_s) if is_used else None
        if heard is not None:
            found.append((heard, recorded.microphones.positions[m], float(report.residual_m or 0.0)))
    return found


def _position(
    estimate: Estimate, source: Source, receivers: list[tuple[Heard, np.ndarray, float]], recorded: Recorded
) -> dict[str, Any]:
    places_m = np.array([place for _, place, _ in receivers]).reshape(-1, 3)
    late_m = np.array([residual_m for _, _, residual_m in receivers])
    expected_m = np.linalg.norm(places_m - source.position_m, axis=1)
    first = slice(0, 1)
    return {
        "location_estimate": source.position_m.tolist(),
        "class_name": called(estimate, source) or None,
        "receiver_files": [heard.file for heard, _, _ in receivers],
        "receiver_locations": places_m.tolist(),
        "tdoas": ((expected_m + late_m - (expected_m + late_m)[first]) / recorded.speed_m_s).tolist(),
        "cc_maxs": None,
        "start_timestamp": estimate.clock.isoformat() if estimate.clock else None,
        "receiver_start_time_offsets": [heard.time_s for heard, _, _ in receivers],
        "duration": estimate.end_s - estimate.start_s,
        "distance_residuals": (late_m[first] - late_m).tolist(),
    }


def json_line(position: dict[str, Any]) -> str:
    """On one line."""
    return json.dumps(position, allow_nan=False)
