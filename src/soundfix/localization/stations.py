"""Which stations hear an event: far recorders hear it late, faintly, or not at all, and what they hear instead misleads.

Levels are looked at in the event's own band, frame by frame, at each station by itself: gains never matter.
Axes: M microphones, T samples, F frames.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from soundfix import robust
from soundfix.resample import TOP_HZ
from soundfix.signal.bands import within_band

FRAME_S = 0.02
LONGEST_S = 0.1  # of the loudest part of an event: a call is shorter than the clip it is in
AUDIBLE_DB = 6.0  # above what is heard round the event
FEWEST, MOST = 5, 12  # stations: one more than unknowns; those beyond are far, and say little more
VOICES_HZ = (500.0, TOP_HZ)  # listened to where the event has no band: wind is below


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """Sound round an event, (M, T), from start_s on (s)."""

    audio: Float[np.ndarray, "mic time"]
    sample_rate: float
    start_s: float

    def part(self, from_s: float, to_s: float) -> "Stretch":
        """From and to these seconds, as far as it reaches."""
        first = max(0, round((from_s - self.start_s) * self.sample_rate))
        last = max(first, round((to_s - self.start_s) * self.sample_rate))
        audio = self.audio[:, first:last]
        return Stretch(audio=audio, sample_rate=self.sample_rate, start_s=self.start_s + first / self.sample_rate)


def stands_out_db(
    stretch: Stretch, span_s: tuple[float, float], *, band_hz: tuple[float, float] | None, reach_s: float
) -> Float[np.ndarray, "mic"]:
    """By how much (dB) the loudest part of an event is above the median level round it; -inf where nothing is heard.

    span_s: from, to (s), at one of the stations; the others may hear it sooner or later by reach_s.
    """
    low, high = band_hz or VOICES_HZ
    sound = np.where(np.isfinite(stretch.audio), stretch.audio, 0.0).astype(np.float32)
    heard = within_band(sound, stretch.sample_rate, (low, min(high, stretch.sample_rate / 2)))
    frame = round(FRAME_S * stretch.sample_rate)
    power = _power(heard, frame)
    width = max(1, round(min(span_s[1] - span_s[0], LONGEST_S) / FRAME_S))
    smooth = _running_mean(power, width)
    first, last = ((edge - stretch.start_s) / FRAME_S for edge in (span_s[0] - reach_s, span_s[1] + reach_s))
    loudest = smooth[:, max(0, int(first)) : max(int(last) - width, int(first)) + 1].max(axis=1, initial=0.0)
    is_there = np.isfinite(_power(stretch.audio, frame))  # within a frame of an edge the filter hears the edge
    usual = robust.medians(np.where(is_there, power, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        level_db = 10 * np.log10(loudest / usual)
    return np.where(loudest > 0, level_db, -np.inf)


def chosen_stations(
    levels: Callable[[], Float[np.ndarray, "mic"]], is_listed: Bool[np.ndarray, "mic"], *, fewest: int
) -> Bool[np.ndarray, "mic"]:
    """Those that are listed, if they can place it (`fewest`); else also the loudest that hear it, and FEWEST at least.

    levels: gives by how much it stands out (dB), which takes as long as to correlate: asked only where that decides."""
    if is_listed.sum() >= fewest:
        return is_listed
    level_db = levels()
    order = np.lexsort((-level_db, ~is_listed))
    audible = int((is_listed | (level_db >= AUDIBLE_DB)).sum())
    is_chosen = np.zeros(len(order), dtype=bool)
    is_chosen[order[: min(max(audible, FEWEST), MOST)]] = True
    return is_chosen


def _power(audio: Float[np.ndarray, "mic time"], frame: int) -> Float[np.ndarray, "mic frame"]:
    frames = max(1, audio.shape[1] // frame)
    whole = audio[:, : frames * frame].astype(np.float64)
    return np.square(whole).reshape(len(whole), frames, -1).mean(axis=2)


def _running_mean(power: Float[np.ndarray, "mic frame"], width: int) -> Float[np.ndarray, "mic start"]:
    """Of this many frames from each one on; as many as there are, where that is less."""
    width = min(width, power.shape[1])
    total = np.cumsum(np.pad(power, ((0, 0), (1, 0))), axis=1)
    return (total[:, width:] - total[:, :-width]) / width
