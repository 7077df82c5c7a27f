"""Which pairs of microphones are correlated, and how much each counts."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix import physics
from soundfix.estimate import Finding
from soundfix.localization.evidence import Evidence

MOST_PAIRS = 600  # beyond this pairs say the same thing again
MOST_VALUES = 60_000_000  # of all curves, 240 MB: 16 microphones 5 km apart


def choose_pairs(
    is_heard: Bool[np.ndarray, "mic"], *, lags: int = 1
) -> tuple[Int[np.ndarray, "pair 2"], tuple[Finding, ...]]:
    """All pairs of the heard microphones, or where these are too many, as many partners for each, spread evenly.

    lags: of a pair's curve; where sound is long under way, fewer of them are held in memory."""
    mics = np.flatnonzero(is_heard)
    pairs, most = mics[physics.pair_indices(len(mics))], min(MOST_PAIRS, MOST_VALUES // lags)
    if len(pairs) <= most:
        return pairs, ()
    strides = np.unique(np.linspace(1, (len(mics) - 1) // 2, most // len(mics) or 1).astype(int))
    first = np.arange(len(mics))
    ring = np.concatenate([np.stack([first, (first + stride) % len(mics)], axis=1) for stride in strides])
    chosen = mics[np.unique(np.sort(ring, axis=1), axis=0)]
    why = "more say nothing new" if most == MOST_PAIRS else "delays are so long that more would not fit into memory"
    sentence = f"{len(chosen)} of {len(pairs)} pairs were used: {why}"
    return chosen, (Finding("pairs_subsampled", sentence, degrades=False),)


def weighted(evidence: Evidence, weight: Float[np.ndarray, "mic"]) -> Evidence:
    """Curves scaled by how usable both signals are."""
    share = weight[evidence.pairs].prod(axis=1).astype(evidence.values.dtype)
    return evidence if (share == 1).all() else replace(evidence, values=evidence.values * share[:, None])
