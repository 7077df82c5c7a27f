"""Do the recordings begin together? Field recorders are started by hand; a late clock is one thing, another event another.

Delays of seconds are not sought by correlation of the sound but of its onsets: rises of the level, frame by frame, which
echoes and positions hardly change. Every microphone is compared with the best of them, then with the sum of all others
as they are aligned so far. Axes: M microphones, F frames, L lags.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float

from soundfix import robust
from soundfix.microphones import Microphones

FRAME_S = 0.01
MOST_FRAMES, SHORTEST_S = 6000, 6.0  # of sound that is compared at once
FEWEST = 3  # microphones: of two nobody is the one that is late
LONGEST_S = 5.0  # between two starts; of a short recording a third of it
QUIET = 1e-3  # of the median power where there is any: what rises below this is no onset
LOUDEST_ONSET = 5.0  # standard deviations: a cable that is plugged in is not all there is to hear
MOST_REFERENCES = 16
ROUNDS = 4
# Of 24 recordings of 12 s (a studio's twin, speech and music), together and apart by up to 2 s (EXPERIMENTS.md): where the
# lag was wrong the peak stayed below 6.1 deviations, and was less than 1.2 times as high as where all begin together.
CLEAR, AHEAD = 6.5, 1.5
SLACK_S = 0.06  # beside the time that sound takes through the array
ADVICE = "cut the recordings to the same start, then `soundfix calibrate --free-clocks` finds what is left"


class StartOffset(NamedTuple):
    """This microphone hears everything late_s later than that reference does; negative: earlier."""

    microphone: str
    late_s: float
    reference: str

    @property
    def sentence(self) -> str:
        off = f"{abs(self.late_s):.2f} s {'later' if self.late_s > 0 else 'earlier'} than {self.reference}"
        return f"does not hear the same event: everything comes {off}; {ADVICE}"


@dataclass(kw_only=True, eq=False)
class StartOffsets:
    """Windows come in by `hear`, in order; a block of them is kept. names: of microphones; reach_s: of sound among them."""

    names: tuple[str, ...]
    reach_s: float
    _levels: Float[np.ndarray, "mic frame"] = field(init=False)
    _first: int = 0  # frame of the recording that the block begins with
    _clearest: tuple[float, tuple[StartOffset, ...]] = (0.0, ())

    def __post_init__(self) -> None:
        self._levels = np.full((len(self.names), MOST_FRAMES), np.nan)

    def hear(self, start_s: float, audio: Float[np.ndarray, "mic time"], sample_rate: float) -> None:
        """One more window; what was heard before is the same again."""
        power = _power(audio, max(1, round(FRAME_S * sample_rate)))[:, :MOST_FRAMES]
        at = round(start_s / FRAME_S) - self._first
        if at + power.shape[1] > MOST_FRAMES:
            self._clearest = self._clearer()
            self._levels[:] = np.nan
            self._first, at = self._first + at, 0
        self._levels[:, at : at + power.shape[1]] = power

    def apart(self) -> tuple[StartOffset, ...]:
        """Microphones that do not begin with the others, by the block that tells it most clearly."""
        return self._clearer()[1]

    def _clearer(self) -> tuple[float, tuple[StartOffset, ...]]:
        """What this block or an earlier one says, and how clearly."""
        heard = np.flatnonzero(np.isfinite(self._levels[0]))
        if len(heard) * FRAME_S < SHORTEST_S:
            return self._clearest
        rises = onsets(self._levels[:, : heard[-1] + 1])
        has_sound = np.flatnonzero(rises.any(axis=1))
        if len(has_sound) < FEWEST:
            return self._clearest
        lags, clarity, ahead = lags_of(rises[has_sound], round(self.reach_s / FRAME_S))
        names = [self.names[m] for m in has_sound]
        told = float(clarity.sum()), _told(names, lags, (clarity > CLEAR) & (ahead > AHEAD))
        return max(self._clearest, told, key=lambda each: each[0])


def _told(
    names: Sequence[str], lags: Float[np.ndarray, "mic"], is_clear: Bool[np.ndarray, "mic"]
) -> tuple[StartOffset, ...]:
    reference = names[int(np.argmin(np.abs(lags)))]
    return tuple(StartOffset(names[int(m)], float(lags[m]) * FRAME_S, reference) for m in np.flatnonzero(is_clear))


def starts_of(microphones: Microphones, speed_m_s: float) -> StartOffsets:
    """For the windows of a recording of these."""
    return StartOffsets(names=microphones.names, reach_s=SLACK_S + microphones.width_m / speed_m_s)


def _power(audio: Float[np.ndarray, "mic time"], frame: int) -> Float[np.ndarray, "mic frame"]:
    whole = audio[:, : audio.shape[1] // frame * frame]
    sound = np.where(np.isfinite(whole), whole, 0.0).astype(np.float64)
    power: np.ndarray = np.square(sound).reshape(len(sound), -1, frame).mean(axis=2)
    return power


def onsets(power: Float[np.ndarray, "mic frame"]) -> Float[np.ndarray, "mic rise"]:
    """Rises of the level, standardized; 0 where there is no sound at all, or where nothing was heard (NaN)."""
    sound = np.where(power > 0, power, np.nan)
    level = np.log(sound + QUIET * robust.medians(sound)[:, None])
    rise = np.maximum(np.diff(level, axis=1), 0.0)
    is_sound = np.isfinite(rise)
    count = np.maximum(is_sound.sum(axis=1, keepdims=True), 1)
    rise = np.where(is_sound, rise - np.nansum(rise, axis=1, keepdims=True) / count, 0.0)
    deviation = np.sqrt(np.square(rise).sum(axis=1, keepdims=True) / count)
    standard = np.divide(rise, deviation, out=np.zeros_like(rise), where=deviation > 0)
    return np.minimum(standard, LOUDEST_ONSET)


def lags_of(
    x: Float[np.ndarray, "mic frame"], reach: int
) -> tuple[Float[np.ndarray, "mic"], Float[np.ndarray, "mic"], Float[np.ndarray, "mic"]]:
    """By how many frames each is later than most; the height of that peak in deviations; and how often that at no lag.

    reach: lags up to this are no lag.
    """
    spectra = np.fft.rfft(x, 2 * x.shape[1], axis=1)
    most = int(min(LONGEST_S / FRAME_S, x.shape[1] / 3))
    lags = _by_the_best(spectra, most)
    for _ in range(ROUNDS):
        heights = _against_others(spectra, lags, most)
        before, lags = lags, heights.argmax(axis=1) - most
        if np.array_equal(before, lags):
            break
    is_near = np.abs(lags[:, None] - lags) <= reach
    usual = lags[int(is_near.sum(axis=1).argmax())]
    beside = np.abs(np.arange(-most, most + 1) - usual) <= reach
    clarity, at_none = heights.max(axis=1), heights[:, beside].max(axis=1)
    ahead = np.where(np.abs(lags - usual) <= reach, 0.0, clarity / np.maximum(at_none, 1.0))
    return (lags - usual).astype(float), clarity, ahead


def _by_the_best(spectra: Complex[np.ndarray, "mic bin"], most: int) -> np.ndarray:
    """Lags against the one that agrees best with all others."""
    tried = np.unique(np.linspace(0, len(spectra) - 1, MOST_REFERENCES).astype(int))
    each = [_heights(spectra, spectra[r], most) for r in tried]
    for r, heights in zip(tried, each, strict=True):
        heights[r] = 0.0
        heights[r, most] = 1.0  # itself
    lags: np.ndarray = max(each, key=lambda heights: heights.max(axis=1).sum()).argmax(axis=1) - most
    return lags


def _against_others(
    spectra: Complex[np.ndarray, "mic bin"], lags: np.ndarray, most: int
) -> Float[np.ndarray, "mic lag"]:
    """Every microphone against the sum of all others, as they are aligned."""
    turn = np.exp(1j * np.pi * np.arange(spectra.shape[1]) * lags[:, None] / (spectra.shape[1] - 1))
    there = spectra * turn
    return _heights(spectra, there.sum(axis=0) - there, most)


def _heights(
    spectra: Complex[np.ndarray, "mic bin"], reference: Complex[np.ndarray, "*mic bin"], most: int
) -> Float[np.ndarray, "mic lag"]:
    """Correlations at lags up to `most`, by how much overlaps, in robust deviations."""
    whole = np.fft.irfft(spectra * reference.conj(), axis=1)
    overlap = whole.shape[1] / 2 - np.abs(np.arange(-most, most + 1))
    heights = np.concatenate([whole[:, -most:], whole[:, : most + 1]], axis=1) / np.sqrt(overlap)
    return heights / robust.deviation(heights, about=0.0, axis=1)
