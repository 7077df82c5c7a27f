"""How loud the sound at a place is: what the microphones have in common when each is advanced by its way from there."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Estimate

QUIETEST_DBFS = -120.0


def with_levels(estimate: Estimate, sounds: Sequence[Float[np.ndarray, "time"]]) -> Estimate:
    """The estimate, whose sources say their level; sounds: of each of them (from_there.py).

    The level is the root of the mean square of that, in dB of full scale: a sine of full scale has -3. It is that at the
    microphones, no level at one metre.
    """
    if not sounds:
        return estimate
    pairs = zip(estimate.sources, sounds, strict=True)
    return replace(estimate, sources=tuple(replace(source, level_dbfs=_level(sound)) for source, sound in pairs))


def _level(sound: Float[np.ndarray, "time"]) -> float:
    power = float(np.mean(sound**2))
    return max(10 * float(np.log10(power + np.finfo(float).tiny)), QUIETEST_DBFS)
