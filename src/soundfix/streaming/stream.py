"""`soundfix.Stream`: blocks of sound in, an answer every hop out; on the same windows the answers are those of a recording.

The stream makes windows (assembly.py), a Session hears them (session/session.py): faults, events and what is learned of the
microphones are the same as offline, where the same sound came in. Nothing here runs in the background.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from soundfix.errors import SceneError
from soundfix.estimate import Estimate, Finding, Localizer
from soundfix.files.polygons import told_region
from soundfix.files.take import listed_microphones, window_for
from soundfix.methods.catalog import DEFAULT, load
from soundfix.microphones import Microphones
from soundfix.resample import working_rate
from soundfix.scene import Band, Room, checked_band, checked_rate, checked_speed, checked_wind
from soundfix.search_region import Numbers, SearchRegion
from soundfix.session.from_there import sounds_from
from soundfix.session.level import with_levels
from soundfix.session.session import Session
from soundfix.session.summary import Summary
from soundfix.streaming.assembly import Assembly, Window
from soundfix.survey.requirement import Requirement
from soundfix.tracking.tracker import Tracker

HOP_S = 0.1
PATIENCE_S = 0.2


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamAnswer:
    """estimate: of one window. latency_s: from when its end had come in from enough microphones to this answer. skipped:
    how many windows before it were not located, because newer ones had come."""

    estimate: Estimate
    latency_s: float
    skipped: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As a line of `soundfix listen`."""
        return self.estimate.to_dict() | {"latency_s": round(self.latency_s, 4), "skipped": self.skipped}


class Stream:
    """Where sounds come from while they are made: blocks in, answers out, in constant memory.

        stream = soundfix.Stream("microphones.csv", sample_rate=48000)
        for block in blocks:  # (M, T), of any length
            for answer in stream.push(block):
                print(answer.estimate, answer.latency_s)

    microphones: path of a list, Microphones, or positions (M, 3) in metres. sample_rate: of blocks, in Hz; above 16000 Hz
    they are resampled, as recordings are. window_s: seconds of sound for an answer, half a second, or more for a large
    array, without it; hop_s: from window to window. patience_s: so long others wait for a microphone of which nothing
    comes, and for blocks that were lost (longer than blocks are); then there is NaN in that window. tracks: follow who is
    who: sources say their track, as is likeliest by now (nothing waits for later windows), and level (dB of full scale).
    clock: gives seconds, for latencies. The other options are those of `soundfix.locate`; raises SceneError, and what that
    raises.
    """

    def __init__(
        self,
        microphones: str | Path | Microphones | ArrayLike,
        *,
        sample_rate: float = 16_000.0,
        window_s: float | None = None,
        hop_s: float = HOP_S,
        method: str | Localizer = DEFAULT,
        room: Room | None = None,
        search: SearchRegion | Numbers | str | Path | None = None,
        height_m: Numbers | None = None,
        temperature_c: float | None = None,
        speed_of_sound_m_s: float | None = None,
        wind_m_s: float | None = None,
        position_sigma_m: float | None = None,
        clock_sigma_s: float | None = None,
        require: str | Requirement | None = None,
        band_hz: Band | None = None,
        patience_s: float = PATIENCE_S,
        tracks: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        listed = listed_microphones(microphones).with_errors(position_sigma_m, clock_sigma_s)
        speed_m_s = checked_speed(speed_of_sound_m_s, temperature_c)
        band_hz = None if band_hz is None else checked_band(band_hz, sample_rate)
        self.microphones, self.sample_rate = listed, checked_rate(sample_rate)
        self._session = Session(
            localizer=load(method) if isinstance(method, str) else method,
            microphones=listed,
            room=room,
            search=told_region(search, height_m),
            temperature_c=temperature_c,
            speed_of_sound_m_s=speed_of_sound_m_s,
            wind_m_s=checked_wind(wind_m_s),
            require=require,
            band_hz=band_hz,
        )
        self._assembly = Assembly(
            len(listed),
            working_rate(self.sample_rate, band_hz),
            window_s=window_for(listed, speed_m_s) if window_s is None else window_s,
            hop_s=hop_s,
            patience_s=patience_s,
        )
        self._tracker = Tracker() if tracks else None
        self._clock, self._is_closed, self._told = clock, False, 0

    @property
    def missing(self) -> tuple[str, ...]:
        """Microphones that do not deliver now."""
        return tuple(name for name, gone in zip(self.microphones.names, self._assembly.is_missing, strict=True) if gone)

    def push(
        self,
        block: ArrayLike,
        microphone: str | Sequence[str] | None = None,
        *,
        first_sample: int | None = None,
        sample_rate: float | None = None,
    ) -> list[StreamAnswer]:
        """Take in a block, and answer every window that is whole now.

        block: (M, T), or (T,) of one microphone; NaN where there is no sound. microphone: its name, or names of its rows;
        without it all, in the order of the list. first_sample: the block's first, counted by its sender on the line of time
        that all share; blocks may come late, twice and in any order. Without it a block follows the one before.
        sample_rate: of this block and all others of its microphones, in Hz, where it is not the stream's.

        Raises SceneError on a block that does not fit the list, or after `close`.
        """
        rows, sound, rate_hz = self._checked(block, microphone, sample_rate)
        slice_ = max(1, round(self._assembly.largest_block * rate_hz))
        answers: list[StreamAnswer] = []
        for start in range(0, len(sound), slice_):
            first = None if first_sample is None else first_sample + start
            self._assembly.put(rows, sound[start : start + slice_], rate_hz, first, self._clock())
            answers += self._answers()
        return answers

    def put(
        self,
        block: ArrayLike,
        microphone: str | Sequence[str] | None = None,
        *,
        first_sample: int | None = None,
        sample_rate: float | None = None,
        heard_at: float | None = None,
    ) -> None:
        """Take in a block, as `push` does, and answer nothing: for who asks for the `newest` when there is time.

        heard_at: when it came, in s by the stream's clock; now, without it.
        """
        rows, sound, rate_hz = self._checked(block, microphone, sample_rate)
        self._assembly.put(rows, sound, rate_hz, first_sample, self._clock() if heard_at is None else heard_at)

    def newest(self) -> StreamAnswer | None:
        """The answer to the newest window that is whole, or None where there is none yet.

        Older ones are skipped: where one answer takes longer than a hop, answers stay as new as they can be.
        """
        windows = list(self._assembly.due())
        return self._answer(windows[-1], skipped=len(windows) - 1) if windows else None

    def close(self) -> list[StreamAnswer]:
        """No more sound comes: the answers to what is left, of which a last, shorter window is one as in a recording."""
        if self._is_closed:
            return []
        self._is_closed = True
        return list(self._answers(is_over=True))

    def conclusion(self) -> Summary:
        """What all windows so far say of the microphones: events, their states and why, as in `soundfix.locate`."""
        return self._session.conclusion()

    def _answers(self, *, is_over: bool = False) -> Iterator[StreamAnswer]:
        for window in self._assembly.due(is_over=is_over):
            yield self._answer(window, skipped=0)

    def _answer(self, window: Window, *, skipped: int) -> StreamAnswer:
        rate_hz, audio = self._assembly.sample_rate, self._assembly.audio(window)
        estimate = self._session.hear(window.start / rate_hz, audio, rate_hz)
        if self._tracker:
            sounds = sounds_from(estimate, audio, rate_hz, self._session.speed)
            estimate = self._tracker.add(with_levels(estimate, sounds))
        skipped += self._assembly.forgotten - self._told
        self._told = self._assembly.forgotten
        if skipped:
            estimate = estimate.with_findings(_said(skipped))
        return StreamAnswer(estimate=estimate, latency_s=self._clock() - window.heard_at, skipped=skipped)

    def _checked(
        self, block: ArrayLike, microphone: str | Sequence[str] | None, sample_rate: float | None
    ) -> tuple[list[int], Float[np.ndarray, "time channel"], float]:
        """The rows of a block, its sound as it is kept, and its rate."""
        if self._is_closed:
            raise SceneError("a block came after close: wanted a new Stream for more sound")
        rows = self._rows(microphone)
        sound = np.atleast_2d(np.asarray(block))
        if sound.ndim != 2 or len(sound) != len(rows):
            raise SceneError(
                f"a block of shape {np.shape(block)} for {len(rows)} microphones, wanted ({len(rows)}, T): "
                "is it transposed, or was microphone= left out?"
            )
        return rows, _as_float(sound).T, self.sample_rate if sample_rate is None else checked_rate(sample_rate)

    def _rows(self, microphone: str | Sequence[str] | None) -> list[int]:
        names = self.microphones.names
        if microphone is None:
            return list(range(len(names)))
        given = [microphone] if isinstance(microphone, str) else list(microphone)
        if unknown := [name for name in given if name not in names]:
            raise SceneError(f"microphone {unknown[0]!r} is not in the list, which has {', '.join(names)}")
        return [names.index(name) for name in given]


def _said(skipped: int) -> Finding:
    windows = "1 window" if skipped == 1 else f"{skipped} windows"
    return Finding("windows_skipped", f"{windows} before this one not located, to keep up", degrades=False)


def _as_float(sound: np.ndarray) -> Float[np.ndarray, "mic time"]:
    """Whole numbers as a Scene takes them: full scale becomes 1."""
    if sound.dtype.kind not in "fiu":
        raise SceneError(f"a block is of type {sound.dtype}, wanted real numbers")
    if sound.dtype.kind in "iu":
        sound = sound / float(np.iinfo(sound.dtype).max)
    with np.errstate(over="ignore"):
        kept: np.ndarray = sound.astype(np.float32)
    return kept
