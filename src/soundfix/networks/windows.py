"""What goes into the three-stream network and what comes out, as arrays of either kind, and how loud it hears.

Axes: B batch, M microphones, P pairs, K sources, T samples.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.networks.pair_likelihoods import PairLikelihoods
from soundfix.resample import SAMPLE_RATE
from soundfix.signal import gcc
from soundfix.signal.arrays import Array, as_kind, padded
from soundfix.signal.rumble import without_rumble

LEVEL = 0.05  # root mean square every channel is brought to: that of the speech the encoders were trained on
SHORTEST_CONTEXT = 2800  # samples: BEATs needs a row of patches


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """What goes in: sound at 16 kHz and where the microphones stand (metres; any value where not known).

    told_m: where sources are known to be, NaN where not; None: of no window. Networks that decode coordinates use it.
    """

    audio: Float[Array, "batch mic time"]
    positions_m: Float[Array, "batch mic 3"]
    is_known: Bool[Array, "batch mic"]
    is_heard: Bool[Array, "batch mic"]
    told_m: Float[Array, "batch source 3"] | None = None

    def to(self, device: Any) -> "Windows":
        """The same on another device of PyTorch."""
        return Windows(**{name: tensor.to(device) for name, tensor in vars(self).items() if tensor is not None})


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What comes out. Positions in metres; `sound` should be Network.sound_target.

    weights: coherence ** alpha. attention: how much the first source looked at each pair, summing to 1. likelihoods: None
    without a likelihood head.
    """

    sources_m: Float[Array, "batch source 3"]
    microphones_m: Float[Array, "batch mic 3"]
    sound: Float[Array, "batch mic sample"]
    pairs: Int[Array, "pair 2"]
    coherence: Float[Array, "batch pair"]
    weights: Float[Array, "batch pair"]
    attention: Float[Array, "batch pair"]
    likelihoods: PairLikelihoods | None


def levelled(audio: Float[Array, "*batch time"]) -> Float[Array, "*batch time"]:
    """Every channel at LEVEL; silence stays silence."""
    power = (audio * audio).mean(axis=-1)[..., None]
    return audio * LEVEL / (power + gcc.SMALLEST**2) ** 0.5


def listened(audio: Float[Array, "batch mic time"], *, is_cut: bool) -> Float[Array, "batch mic context"]:
    """What an acoustic encoder hears: channels at LEVEL, silence round what is too short, without rumble if it is cut."""
    audio = levelled(audio)
    if is_cut:
        audio = levelled(without_rumble(audio, sample_rate=SAMPLE_RATE))
    missing = max(0, SHORTEST_CONTEXT - audio.shape[-1])
    return padded(audio, missing // 2, missing - missing // 2)


def middle(values: Float[Array, "*batch column"], length: int) -> Float[Array, "*batch middle"]:
    """So many columns of the middle."""
    start = (values.shape[-1] - length) // 2
    return values[..., start : start + length]


def told_slots(
    told_m: Float[Array, "batch some 3"] | None, slots: int, *, like: Float[Array, "batch mic 3"]
) -> Float[Array, "batch source 3"]:
    """Places that are told, one for each slot of a source; NaN where none is."""
    places = as_kind(np.full((len(like), slots, 3), np.nan), like)
    if told_m is not None:
        count = min(slots, told_m.shape[1])
        places[:, :count] = told_m[:, :count]
    return places
