"""OpenSoundscape's SpatialEvents and PositionEstimates in JSON, as events: when, at which of its files, and what."""

from pathlib import Path

from soundfix.errors import EventFileError
from soundfix.events import SoundEvent
from soundfix.files.events.table import Row, Table, checked_band, checked_span
from soundfix.files.opensoundscape import Located, read_located

COLUMNS = ("class_name", "start_time", "duration", "receiver_files")


def is_located(text: str) -> bool:
    """Whether it is a JSON list of objects."""
    return text.lstrip().startswith("[")


def read_located_events(path: Path) -> tuple[Table, list[SoundEvent]]:
    """One event an entry. Raises EventFileError."""
    entries = read_located(path, EventFileError)
    events = [_event(entry, f"{path}, event {number}", number - 1) for number, entry in enumerate(entries, 1)]
    rows = [
        Row(f"{path}, event {number}", {
            "class_name": event.label, "start_time": f"{event.start_s:g}", "duration": f"{event.end_s - event.start_s:g}",
            "receiver_files": " ".join(event.stations),
        })
        for number, event in enumerate(events, 1)
    ]  # fmt: skip
    return Table(path=path, columns=COLUMNS, rows=tuple(rows)), events


def _event(entry: Located, place: str, number: int) -> SoundEvent:
    if not entry.receiver_start_time_offsets or entry.duration is None:
        raise EventFileError(
            f"{place} has no receiver_start_time_offsets or no duration, wanted both: when it begins in its files (s)"
        )
    start_s = entry.receiver_start_time_offsets[0]
    start_s, end_s = checked_span(start_s, start_s + entry.duration, place)
    low_high = entry.bandpass_range
    band_hz = checked_band(low_high[0], low_high[1], place) if low_high else None
    return SoundEvent(
        start_s=start_s, end_s=end_s, band_hz=band_hz, label=entry.class_name or "",
        stations=tuple(entry.receiver_files or ()), rows=(number,),
    )  # fmt: skip
