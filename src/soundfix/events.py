"""A sound event: something that was seen or detected in a recording, and is to be located."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SoundEvent:
    """One sound, as a table lists it.

    start_s, end_s: seconds from the start of the recording, at whoever the table listened to. band_hz: (lowest, highest);
    None where the table says nothing of it. label: what it is. stations: names, or files, of recorders that are
    said to hear it. rows: those of the table that list it, from 0.
    """

    start_s: float
    end_s: float
    band_hz: tuple[float, float] | None = None
    label: str = ""
    stations: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()

    def with_row(self, other: "SoundEvent") -> "SoundEvent":
        """The same event, listed once more: its time is that of both, and its stations are those of both."""
        return replace(
            self,
            start_s=min(self.start_s, other.start_s),
            end_s=max(self.end_s, other.end_s),
            stations=tuple(dict.fromkeys((*self.stations, *other.stations))),
            rows=(*self.rows, *other.rows),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, named as in the JSON file; rows count from 1, below the header."""
        return {
            "label": self.label,
            "band_hz": None if self.band_hz is None else list(self.band_hz),
            "rows": [row + 1 for row in self.rows],
        }
