"""How a recording is listened to: which band of it, and so at which rate it is read."""

from dataclasses import replace
from itertools import islice
from math import ceil

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.api.sound import Sound
from soundfix.report.listening import listening_lines
from soundfix.resample import SAMPLE_RATE, working_rate
from soundfix.scene import Band, checked_band
from soundfix.signal.bands import LARGEST_SHARE, coherent_band

STRETCH_S, STRETCHES_S = 0.25, 60.0  # of the beginning of a recording, which is gone through
LEAST_REACH_S = 0.05  # of the delays that are looked at
LOUDEST = 3  # stretches that are listened to: so many as a whole, and so many of what is high


def listened(sound: Sound, band_hz: Band | None) -> tuple[Sound, Band | None]:
    """The recording at the rate that suits this band (Hz), or, without one, the band that its microphones share.

    None where that is the usual one: then the recording is as it was. Raises SceneError on a band that is not in it.
    """
    if band_hz is not None:
        band_hz = checked_band(band_hz, sound.native_rate)
    elif sound.native_rate > SAMPLE_RATE:
        reach_s = max(LEAST_REACH_S, sound.microphones.width_m / physics.SPEED_OF_SOUND_M_S)
        stretches = _loudest(sound.at(sound.native_rate), max(STRETCH_S, reach_s / LARGEST_SHARE))
        band_hz = coherent_band(stretches, sound.native_rate, reach_s=reach_s)
    if band_hz is None:
        return sound, None
    tuned = sound.at(working_rate(sound.native_rate, band_hz))
    return replace(tuned, notes=(*tuned.notes, *listening_lines(band_hz))), band_hz


def _loudest(sound: Sound, stretch_s: float) -> list[Float[np.ndarray, "mic time"]]:
    """The loudest stretches of the beginning, and those that are loudest in what is high: where samples differ most."""
    kept: list[list[tuple[float, int, np.ndarray]]] = [[], []]
    for number, (_, part) in enumerate(islice(sound.windows(stretch_s, stretch_s), ceil(STRETCHES_S / stretch_s))):
        whole = np.nan_to_num(part, posinf=0.0, neginf=0.0)
        for best, heard in zip(kept, (whole, np.diff(whole, n=2, axis=1)), strict=True):
            best.append((float(np.median(heard.std(axis=1))), number, part))
            best.sort(key=lambda each: each[:2], reverse=True)
            del best[LOUDEST:]
    return list({number: part for best in kept for _, number, part in best}.values())
