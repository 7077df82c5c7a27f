"""A list of microphones as in JSON files: what was told of each."""

from collections.abc import Iterable
from typing import Any

from soundfix.microphones import Microphones

COLUMNS = ("sigma_m", "clock_sigma_s", "offset_s", "drift_ppm")  # of the list, a number a microphone


def listed_dicts(microphones: Microphones, channels: Iterable[int | None]) -> list[dict[str, Any]]:
    """channels: of each, from 0; they count from 1 here, as they do in files. Places and their errors in m, clocks in s."""
    columns = {name: getattr(microphones, name).tolist() for name in COLUMNS}
    rows = zip(microphones.names, channels, microphones.positions, microphones.is_known, strict=True)
    return [
        {
            "name": name,
            "channel": None if channel is None else channel + 1,
            "position_m": place.tolist() if known else None,
        }
        | {column: values[m] for column, values in columns.items()}
        for m, (name, channel, place, known) in enumerate(rows)
    ]
