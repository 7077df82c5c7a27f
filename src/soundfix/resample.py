"""From one sample rate to another: whole, or as a stream, which is the same sample for sample.

A resampler spreads a NaN over everything that its filter reaches. So what is wild (NaN, Inf, and what overflows inside it)
goes in as 0 and is put back as NaN: at the nearest sample, or, going up in rate, wherever it is the nearest itself.
"""

from math import ceil

import numpy as np
from jaxtyping import Bool, Float

SAMPLE_RATE = 16_000.0  # Hz, of every network, and of every recording that was made at more
TOP_HZ = 7_500.0  # listened to at that rate; filters against aliases leave less of what is above with every new rate
NEARLY = 1.1  # times the rate that suits a band: kept as it is, for to resample takes longer than a tenth more samples
LARGEST_SAMPLE = 1e30  # beyond this, float32 overflows inside the resampler


def listening_rate(band_hz: tuple[float, float] | None) -> float:
    """The rate (Hz) at which a band ends where TOP_HZ is at SAMPLE_RATE; without a band SAMPLE_RATE."""
    return SAMPLE_RATE if band_hz is None else float(ceil(band_hz[1] * SAMPLE_RATE / TOP_HZ))


def working_rate(rate_hz: float | int, band_hz: tuple[float, float] | None = None) -> float:
    """At which a recording is listened to: a lower rate than listening_rate is kept, and one hardly above that of a band.

    Going up adds no sound, but a band of numerical noise, which PHAT weighs as it does the sound.
    """
    wanted_hz = listening_rate(band_hz)
    return float(rate_hz) if rate_hz <= wanted_hz * (NEARLY if band_hz else 1.0) else wanted_hz


def resampled(
    audio: Float[np.ndarray, "mic time"], rate_hz: float | int, wanted_hz: float | int
) -> Float[np.ndarray, "mic resampled"]:
    """The same sound at the wanted rate, by soxr; untouched where that is its own."""
    import soxr

    if rate_hz == wanted_hz:
        return audio
    is_wild = ~(np.abs(audio) < LARGEST_SAMPLE)
    samples = soxr.resample(np.where(is_wild, 0, audio).T, rate_hz, wanted_hz).T.copy()
    samples[_nearest(is_wild, samples.shape[1], wanted_hz / rate_hz)] = np.nan
    return samples


def _nearest(is_wild: Bool[np.ndarray, "mic time"], count: int, ratio: float) -> Bool[np.ndarray, "mic resampled"]:
    """Which of `count` samples at `ratio` times the rate are to be put back; halves go up, what is past the end goes."""
    if ratio > 1:
        nearest = np.floor(np.arange(count) / ratio + 0.5).astype(np.int64)
        return np.pad(is_wild, ((0, 0), (0, 1)))[:, nearest.clip(max=is_wild.shape[1])]
    is_put_back = np.zeros((len(is_wild), count), dtype=bool)
    channel, place = np.nonzero(is_wild)
    nearest = np.floor(place * ratio + 0.5).astype(np.int64)
    is_put_back[channel[nearest < count], nearest[nearest < count]] = True
    return is_put_back


class Resampler:
    """The same as a stream, sample for sample: chunks of any size in, (time, channel) float32 as soxr wants them.

    What comes out is late: by the filter, about 0.04 s from 48 to 16 kHz.
    """

    def __init__(self, rate_hz: float | int, wanted_hz: float | int, channels: int) -> None:
        import soxr

        self._ratio = wanted_hz / rate_hz
        self._stream = soxr.ResampleStream(rate_hz, wanted_hz, channels, dtype="float32")
        self._frames_in = self._frames_out = 0
        self._wild = np.empty((0, 2), np.int64)  # (output sample, channel) still to be marked

    def process(
        self, chunk: Float[np.ndarray, "time channel"], *, is_last: bool
    ) -> Float[np.ndarray, "resampled channel"]:
        """What can be told so far; all of it with the last chunk."""
        is_wild = ~(np.abs(chunk) < LARGEST_SAMPLE)
        resampled = self._stream.resample_chunk(np.where(is_wild, np.float32(0), chunk), last=is_last)
        if is_wild.any():
            self._wild = np.concatenate([self._wild, self._places(is_wild)])
        self._frames_in += len(chunk)
        return self._marked(resampled)

    def _places(self, is_wild: Bool[np.ndarray, "time channel"]) -> np.ndarray:
        """Output samples for which a wild input is the nearest, or (going down in rate) that are nearest to one."""
        if self._ratio <= 1:
            rows, channels = np.nonzero(is_wild)
            return np.stack([np.floor((rows + self._frames_in) * self._ratio + 0.5).astype(np.int64), channels], axis=1)
        edges = (np.array([0, len(is_wild)]) + self._frames_in - 0.5) * self._ratio
        outputs = np.arange(*np.ceil(edges).astype(np.int64).clip(min=0))
        nearest = np.floor(outputs / self._ratio + 0.5).astype(np.int64) - self._frames_in
        rows, channels = np.nonzero(is_wild[nearest.clip(0, len(is_wild) - 1)])
        return np.stack([outputs[rows], channels], axis=1)

    def _marked(self, resampled: Float[np.ndarray, "time channel"]) -> Float[np.ndarray, "time channel"]:
        rows = self._wild[:, 0] - self._frames_out
        is_here = rows < len(resampled)
        resampled[rows[is_here], self._wild[is_here, 1]] = np.nan
        self._wild = self._wild[~is_here]
        self._frames_out += len(resampled)
        return resampled
