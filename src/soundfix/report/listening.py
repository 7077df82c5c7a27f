"""At which rate a recording was listened to, and to which band of it, as text and as in the JSON file."""

from typing import Any

from soundfix.resample import listening_rate
from soundfix.scene import Band


def listening_lines(band_hz: Band | None) -> list[str]:
    """As text; nothing where it was the usual band."""
    if band_hz is None:
        return []
    lowest, highest = (f"{edge / 1000:.3g}" for edge in band_hz)
    return [f"listened at {listening_rate(band_hz) / 1000:.3g} kHz, to what sounds from {lowest} to {highest} kHz"]


def listening_dict(band_hz: Band | None) -> dict[str, Any]:
    """The entry of the file (Hz); none where it was the usual band."""
    if band_hz is None:
        return {}
    return {"listening": {"rate_hz": listening_rate(band_hz), "band_hz": list(band_hz)}}
