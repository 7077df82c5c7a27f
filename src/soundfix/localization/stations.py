"""Which stations hear an event: far recorders hear it late, faintly, or not at all, and what they hear instead misleads.

Levels are looked at in the event's own band, frame by frame, at each station by itself: gains never matter.
Axes: M microphones, T samples, F frames.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from soundfix import robust
from soundfix.resample import TOP_HZ
from soundfix.signal.arrays import hann, transforms

FRAME_S = 0.02
PERIODS = 4.0  # of the lowest frequency in a frame, at least
LONGEST_S = 0.1  # of the loudest part of an event: a call is shorter than the clip it is in
AUDIBLE_DB = 6.0  # above what is heard round the event
FEWEST, MOST = 7, 12  # stations: if two hear something else five still check; beyond these they are far, and say little
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Loudness:
    """Power in a band, frame by frame, and its median over frames that miss no sound. begins_s: the first."""

    power: Float[np.ndarray, "mic frame"]
    usual: Float[np.ndarray, "mic"]
    frame_s: float
    begins_s: float

    def where(self, mask: Bool[np.ndarray, "mic"]) -> "Loudness":
        """Of these stations alone."""
        return replace(self, power=self.power[mask], usual=self.usual[mask])

    def stands_out_db(self, span_s: tuple[float, float], reach_s: float) -> Float[np.ndarray, "mic"]:
        """By how much (dB) the loudest part of an event is above the median level round it; -inf where nothing is heard.

        span_s: from, to (s), at one of the stations; the others may hear it sooner or later by reach_s.
        """
        width = max(1, round(min(span_s[1] - span_s[0], LONGEST_S) / self.frame_s))
        first, last = self._frames(span_s, reach_s)
        loudest = _running_mean(self.power, width)[:, first : max(last - width, first) + 1].max(axis=1, initial=0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            level_db = 10 * np.log10(loudest / self.usual)
        return np.where(loudest > 0, level_db, -np.inf)

    def heard_s(self, span_s: tuple[float, float], reach_s: float) -> tuple[int, float, float] | None:
        """Which microphone hears the event best in its span, and from when to when it stands out there (s)."""
        first, last = self._frames(span_s, reach_s)
        ratio = self.power[:, first:last] / np.where(self.usual > 0, self.usual, np.inf)[:, None]
        if not ratio.size or ratio.max() < 10 ** (AUDIBLE_DB / 10):
            return None
        best = int(ratio.max(axis=1).argmax())
        loud = np.flatnonzero(ratio[best] >= 10 ** (AUDIBLE_DB / 10)) + first
        return best, self.begins_s + loud[0] * self.frame_s, self.begins_s + (loud[-1] + 1) * self.frame_s

    def _frames(self, span_s: tuple[float, float], reach_s: float) -> tuple[int, int]:
        """The first of a span and of what is round it, and the one after the last."""
        edges = (span_s[0] - reach_s - self.begins_s, span_s[1] + reach_s - self.begins_s)
        first, last = (max(0, int(edge / self.frame_s)) for edge in edges)
        return first, last


def loudness(stretch: Stretch, band_hz: tuple[float, float] | None) -> Loudness:
    """Of every station in the band, by itself."""
    low, high = band_hz or VOICES_HZ
    frame_s = max(FRAME_S, PERIODS / max(low, PERIODS))
    frame = max(1, min(round(frame_s * stretch.sample_rate), stretch.audio.shape[1]))
    count = stretch.audio.shape[1] // frame
    frequency = np.fft.rfftfreq(frame, 1 / stretch.sample_rate)
    in_band = (frequency >= low) & (frequency <= high)
    if not in_band.any():
        in_band[np.abs(frequency - (low + high) / 2).argmin()] = True
    frames = stretch.audio[:, : count * frame].reshape(len(stretch.audio), count, frame)
    lines = slice(int(in_band.argmax()), len(in_band) - int(in_band[::-1].argmax()))
    power = np.stack([_power(each, lines) for each in frames])  # one by one they stay near the processor
    usual = robust.medians(power)
    power = np.nan_to_num(power)
    return Loudness(power=power, usual=usual, frame_s=frame / stretch.sample_rate, begins_s=stretch.start_s)


def chosen_stations(
    level_db: Float[np.ndarray, "mic"], is_listed: Bool[np.ndarray, "mic"], *, fewest: int
) -> Bool[np.ndarray, "mic"]:
    """Those that are listed, if they can place it (`fewest`); else also the loudest that hear it, and FEWEST at least."""
    if is_listed.sum() >= fewest:
        return is_listed
    order = np.lexsort((-level_db, ~is_listed))
    audible = int((is_listed | (level_db >= AUDIBLE_DB)).sum())
    is_chosen = np.zeros(len(order), dtype=bool)
    is_chosen[order[: min(max(audible, FEWEST), MOST)]] = True
    return is_chosen


def _power(frames: Float[np.ndarray, "frame time"], lines: slice) -> Float[np.ndarray, "frame"]:
    """Of every frame in these lines of its spectrum; NaN where sound is missing."""
    soft = frames.astype(np.float32) * hann(frames.shape[1], np.zeros(0, np.float32))
    is_there = np.isfinite(soft)
    sound = soft if is_there.all() else np.nan_to_num(soft, posinf=0, neginf=0)
    spectra = transforms(sound).rfft(sound, axis=1)[:, lines]
    power = (np.square(spectra.real) + np.square(spectra.imag)).sum(axis=1)
    return np.where(is_there.all(axis=1), power, np.nan)


def _running_mean(power: Float[np.ndarray, "mic frame"], width: int) -> Float[np.ndarray, "mic start"]:
    """Of this many frames from each one on; as many as there are, where that is less."""
    width = min(width, power.shape[1])
    total = np.cumsum(np.pad(power, ((0, 0), (1, 0))), axis=1)
    return (total[:, width:] - total[:, :-width]) / width
