"""In the field most of a long recording is wind and distance: only windows in which something stands out are located.

A window stands out where its loudest moment is well above the usual level of the windows round it, in the same octave at
enough stations to place it; or where the stations share a sound that does not stop, as an engine's. Both are cheap: no
network is asked. In rooms, and in short recordings, every window is located.
Axes: M microphones, B bands, F frames.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.microphones import Microphones
from soundfix.resample import TOP_HZ
from soundfix.scene import OUTDOORS_M, Band
from soundfix.signal.bands import USUAL_HEIGHT, shared_height

AROUND = 10  # windows before and after, by which the usual level is told
FRAME_S = 0.05
STANDS_OUT = 4.0  # times the usual power: 6 dB
FEWEST = 4  # stations that place a sound
LOWEST_HZ = 250.0  # below is wind
OCTAVES = 5

Window = tuple[float, Float[np.ndarray, "mic time"]]


class _Levels(NamedTuple):
    """Of one window: the power of its loudest frame and of the median one, (M, B)."""

    window: Window
    loudest: Float[np.ndarray, "mic band"]
    usual: Float[np.ndarray, "mic band"]


def is_field(microphones: Microphones, count: int) -> bool:
    """Whether windows are passed over: of an array that is large, and a recording of so many windows that is long."""
    return microphones.width_m >= OUTDOORS_M and count > 2 * AROUND + 1


def standing_out(
    windows: Iterable[Window], sample_rate: float, *, reach_s: float, band_hz: Band | None = None
) -> Iterator[tuple[Window, bool]]:
    """Every window, and whether something stands out in it; each comes AROUND windows late."""
    bands = list(pairwise(_edges(band_hz, sample_rate)))
    kept: deque[_Levels] = deque(maxlen=2 * AROUND + 1)
    ahead = 0  # windows at the end of `kept` that were not told yet

    def told() -> tuple[Window, bool]:
        levels = kept[len(kept) - ahead]
        stands = _is_loud(levels, kept) or _is_shared(levels.window[1], sample_rate, bands, reach_s)
        return levels.window, stands

    for window in windows:
        kept.append(_levels(window, sample_rate, bands))
        ahead += 1
        if ahead > AROUND:
            yield told()
            ahead -= 1
    while ahead:
        yield told()
        ahead -= 1


def _edges(band_hz: Band | None, sample_rate: float) -> list[float]:
    """Of the bands that are looked at (Hz): the one that is listened to, or octaves of the usual one."""
    if band_hz is not None:
        return [float(edge) for edge in band_hz]
    top = min(TOP_HZ, sample_rate / 2)
    return [edge for octave in range(OCTAVES) if (edge := LOWEST_HZ * 2**octave) < top] + [top]


def _levels(window: Window, sample_rate: float, bands: list[tuple[float, float]]) -> _Levels:
    audio = np.nan_to_num(window[1], posinf=0.0, neginf=0.0)
    frame = min(round(FRAME_S * sample_rate), audio.shape[1])
    whole = audio[:, : audio.shape[1] // frame * frame].reshape(len(audio), -1, frame)
    spectrum = np.abs(np.fft.rfft(whole * np.hanning(frame), axis=2)) ** 2
    frequency = np.fft.rfftfreq(frame, 1 / sample_rate)
    each = [(frequency >= low) & (frequency < high) for low, high in bands]
    power = np.stack([spectrum[:, :, is_in].sum(axis=2) for is_in in each], axis=1)
    return _Levels(window=window, loudest=power.max(axis=2), usual=np.median(power, axis=2))


def _is_loud(levels: _Levels, around: Iterable[_Levels]) -> bool:
    usual = np.median([each.usual for each in around], axis=0)
    stations = (levels.loudest > STANDS_OUT * usual).sum(axis=0)
    return bool(stations.max() >= min(FEWEST, len(usual)))


def _is_shared(audio: np.ndarray, sample_rate: float, bands: list[tuple[float, float]], reach_s: float) -> bool:
    band_hz = bands[0][0], bands[-1][1]
    return shared_height(audio, sample_rate, band_hz, reach_s=reach_s) >= USUAL_HEIGHT
