"""Events of a table, each located in its own time and band, by the stations that hear it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from soundfix.api.sound import Sound
from soundfix.api.stretches import stretches
from soundfix.errors import EventFileError
from soundfix.estimate import Estimate
from soundfix.events import SoundEvent
from soundfix.files.events.joined import joined
from soundfix.files.events.reading import EventTable
from soundfix.files.listing import AUDIO_SUFFIXES
from soundfix.files.named import Named, parts_of
from soundfix.files.take import Take
from soundfix.localization.stations import Stretch, chosen_stations, loudness
from soundfix.microphones import Microphones
from soundfix.resample import resampled, working_rate
from soundfix.scene import Band, Others, checked_band, search_box, unknowns
from soundfix.session.ahead import begun_ahead
from soundfix.session.session import Session

AROUND_S = 2.0  # of sound before and after, by which the usual level is told
SHORTEST_S = 0.25  # of sound that an event is located in
SLACK_S = 0.02  # beside the time that sound takes through the array
CLOCKS_S = 0.1  # by which clocks may be off that nobody told of, and still hear all of it
Whose = Callable[[str], Bool[np.ndarray, "mic"]]  # whom a station of a table means


@dataclass(frozen=True, kw_only=True, eq=False)
class Listed:
    """An event of this recording, and the stations (M,) that its table says hear it."""

    event: SoundEvent
    is_listed: Bool[np.ndarray, "mic"]


def listed_events(sound: Sound, table: EventTable, band_hz: Band | None) -> tuple[Sound, tuple[Listed, ...]]:
    """What `events_in` says of the rows of a table: each in the time of its file, and those of one sound one event."""
    starts = Named(_starts(sound))
    together = joined(_from_the_start(event, starts) for event in table.events)
    return events_in(sound, together, band_hz, table.table.path)


def events_in(
    sound: Sound, events: Sequence[SoundEvent], band_hz: Band | None, path: Path
) -> tuple[Sound, tuple[Listed, ...]]:
    """The recording at the rate that suits all events, and those that are in it; band_hz: of all, instead of their own.

    Its notes say how many are not. Raises EventFileError, which names this path, where none is, or where a band is not in
    the recording.
    """
    whose = _meant_in(sound)
    found = [_listed(event, sound, whose, band_hz, path) for event in events]
    listed = tuple(sorted((each for each in found if each is not None), key=lambda each: each.event.start_s))
    if not listed:
        raise EventFileError(
            f"{path}: none of its {len(found)} events is in this recording of {sound.duration_s:.1f} s with "
            f"{', '.join(sound.microphones.names[:3])} ...: wanted seconds from its start, and names or files of its "
            "microphones"
        )
    rate = max(working_rate(sound.native_rate, each.event.band_hz) for each in listed)
    left_out = len(found) - len(listed)
    told = [f"{left_out} of {len(found)} events are not in this recording: left out."] if left_out else []
    heard = sound.at(rate)
    return replace(heard, notes=(*heard.notes, *told)), listed


def event_estimates(
    session: Session, sound: Sound, listed: Sequence[Listed], stop: Callable[[], bool]
) -> Iterator[Estimate]:
    """Locate each event as it is asked for, in order of time, until `stop`; an estimate has the event's own span."""
    reach_s = sound.microphones.width_m / session.speed
    spans = [(each.event.start_s - reach_s - AROUND_S, each.event.end_s + reach_s + AROUND_S) for each in listed]
    heard = (
        _heard(session, stretch, each, reach_s) for stretch, each in zip(stretches(sound, spans), listed, strict=True)
    )
    turns = begun_ahead(heard, session, lambda turn: session.event_scene(*turn.told))
    for turn in takewhile(lambda _: not stop(), turns):
        event, estimate = turn.event, session.hear_event(*turn.told)
        yield with_clock(replace(estimate, event=event, start_s=event.start_s, end_s=event.end_s), sound)


def with_clock(estimate: Estimate, sound: Sound) -> Estimate:
    """The estimate that says when its span began, where the recording knows when it did."""
    clock = sound.starts_at and sound.starts_at + timedelta(seconds=estimate.start_s)
    return replace(estimate, clock=clock) if clock else estimate


class _Heard(NamedTuple):
    """An event, the sound that it is located in, at the rate that suits it, the stations (M,) that hear it, others."""

    event: SoundEvent
    part: Stretch
    is_chosen: Bool[np.ndarray, "mic"]
    others: Others | None

    @property
    def told(self) -> tuple[Stretch, Bool[np.ndarray, "mic"], Band | None, Others | None]:
        """What a session is."""
        return self.part, self.is_chosen, self.event.band_hz, self.others


def _heard(session: Session, stretch: Stretch, listed: Listed, reach_s: float) -> _Heard:
    """By itself: that a station contradicts others elsewhere, where it heard something else, is not held against it."""
    event, microphones = listed.event, session.microphones
    is_able = microphones.is_known if microphones.is_known.any() else np.ones_like(microphones.is_known)
    fewest = unknowns(search_box(microphones, session.room, session.search))
    is_asked = is_able & listed.is_listed
    if is_asked.sum() < fewest:
        is_asked = is_able
    span_s, loud = (event.start_s, event.end_s), loudness(_of(stretch, is_asked), event.band_hz)
    is_chosen, level_db = is_asked.copy(), loud.stands_out_db(span_s, reach_s)
    is_chosen[is_asked] = chosen_stations(level_db, listed.is_listed[is_asked], fewest=fewest)
    crossing_s = microphones.where(is_chosen).width_m / session.speed + SLACK_S
    from_s, to_s = event.start_s - crossing_s, event.end_s + crossing_s
    if sounding := loud.where(is_chosen[is_asked]).heard_s(span_s, crossing_s):
        best, first_s, last_s = sounding
        beside_s = _reach_s(microphones.where(is_chosen), best, session.speed)
        from_s, to_s = max(from_s, first_s - beside_s), min(to_s, last_s + beside_s)
    beside_s = max(0.0, (SHORTEST_S - to_s + from_s) / 2)
    from_s, to_s = from_s - beside_s, to_s + beside_s
    others = _others(stretch.part(from_s - reach_s, to_s + reach_s), microphones, is_able & ~is_chosen, event.band_hz)
    return _Heard(event, _tuned(stretch.part(from_s, to_s), event.band_hz), is_chosen, others)


def _others(
    stretch: Stretch, microphones: Microphones, is_other: Bool[np.ndarray, "mic"], band_hz: Band | None
) -> Others | None:
    """Who was not chosen, and what they hear meanwhile; None where there is nobody of known position."""
    if not (is_other & microphones.is_known).any():
        return None
    heard = _tuned(_of(stretch, is_other), band_hz)
    return Others(audio=heard.audio, start_s=heard.start_s, microphones=microphones.where(is_other))


def _reach_s(microphones: Microphones, best: int, speed_m_s: float) -> float:
    """By how much sooner or later than this one the others hear a sound."""
    away_m = np.linalg.norm(microphones.positions - microphones.positions[best], axis=1)
    return float(np.nanmax(away_m) / speed_m_s + np.ptp(microphones.offset_s)) + CLOCKS_S


def _of(stretch: Stretch, mask: Bool[np.ndarray, "mic"]) -> Stretch:
    """What these stations hear."""
    return stretch if mask.all() else replace(stretch, audio=stretch.audio[mask])


def _tuned(part: Stretch, band_hz: Band | None) -> Stretch:
    """At the rate that suits this band."""
    rate = working_rate(part.sample_rate, band_hz)
    return replace(part, audio=resampled(part.audio, part.sample_rate, rate), sample_rate=rate)


def _listed(event: SoundEvent, sound: Sound, whose: Whose, band_hz: Band | None, path: Path) -> Listed | None:
    """None where it is after the end, or heard by nobody who is in this recording."""
    stations = [whose(name) for name in event.stations]
    is_listed = np.any(stations, axis=0) if stations else np.zeros(len(sound.microphones), dtype=bool)
    if event.start_s >= sound.duration_s or (stations and not is_listed.any()):
        return None
    if len(stations) == 1 and is_listed.all():  # the one file of all: nobody in particular
        is_listed = np.zeros_like(is_listed)
    return Listed(event=replace(event, band_hz=_band(event, sound.native_rate, band_hz, path)), is_listed=is_listed)


def _band(event: SoundEvent, native_rate: float, band_hz: Band | None, path: Path) -> Band | None:
    """That of all, or its own as far as it is in the recording."""
    if band_hz is not None:
        return checked_band(band_hz, native_rate)
    if event.band_hz is None:
        return None
    low, high = event.band_hz
    if low >= native_rate / 2:
        raise EventFileError(
            f"{path}, event at {event.start_s:g} s: {low:g} to {high:g} Hz, but a recording at {native_rate:g} Hz holds "
            f"nothing above {native_rate / 2:g} Hz: does the table belong to this recording?"
        )
    return low, min(high, native_rate / 2)


def _starts(sound: Sound) -> Iterator[tuple[Path, float]]:
    """Of every file of the recording when it begins (s)."""
    recorders = sound.recording.recorders if isinstance(sound, Take) else ()
    return ((part.file.path, part.start_s) for recorder in recorders for part in recorder.parts)


def _from_the_start(event: SoundEvent, starts: Named[float]) -> SoundEvent:
    """An event that names a file is told in the time of that file, which may not begin with the recording."""
    station = event.stations[0] if event.stations else ""
    is_file = PurePosixPath(station.casefold()).suffix in AUDIO_SUFFIXES
    begins_s = (starts.find(station) if is_file else None) or 0.0
    return replace(event, start_s=event.start_s + begins_s, end_s=event.end_s + begins_s)


def _meant_in(sound: Sound) -> Whose:
    """What says whom (M,) a station of a table means; a table names the same ones again and again."""
    names = [name.casefold() for name in sound.microphones.names]
    files = [[parts_of(name) for name in own] for own in _files(sound)]
    return cache(partial(_named, names=names, files=files))


def _named(station: str, names: Sequence[str], files: Sequence[Sequence[tuple[str, ...]]]) -> Bool[np.ndarray, "mic"]:
    """Whose name, file or folder this is: by the end of a path, a name in it, or the file alone, whatever its suffix."""
    parts = parts_of(station)
    words = {*parts, *(PurePosixPath(part).stem for part in parts[-1:])}
    by_path = np.array([len(parts) > 1 and any(file[-2:] == parts[-2:] for file in own) for own in files], dtype=bool)
    by_name = np.array([name in words for name in names], dtype=bool)
    by_file = np.array([any(_stem(file) == _stem(parts) for file in own) for own in files], dtype=bool)
    return next((found for found in (by_path, by_name, by_file) if found.any()), by_file)


def _stem(parts: Sequence[str]) -> str:
    """The last part, without the suffix of a sound file."""
    path = PurePosixPath(*parts[-1:])
    return path.stem if path.suffix in AUDIO_SUFFIXES else path.name


def _files(sound: Sound) -> Sequence[Sequence[str]]:
    """What each microphone's own go by: the file or the folder of its recorder, and the files in it."""
    if isinstance(sound, Take):
        heard = sound.recording.channels
        channels = [None if channel is None else heard[channel] for channel in sound.order]
        return [[str(path) for path in (channel.file, *channel.names)] if channel else [] for channel in channels]
    return [[file] for file in sound.microphones.files or [""] * len(sound.microphones)]
