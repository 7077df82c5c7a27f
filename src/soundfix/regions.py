"""How much larger a network's regions must be than theory says, so that 90 % of them hold the source.

Theory (verdict.py) knows the scatter of the arrivals and the declared errors of positions; not the speed of sound that was
off, the direct path that was masked by an echo, the peak next to the right one. What these amount to depends on how well
things look: so the factor is a function of that, fitted to simulated rooms that nothing else was trained on
(quantile regression, Koenker and Bassett, 1978; bench/regions.py). Only the factor is learned, never a place.
"""

import numpy as np
from jaxtyping import Float

from soundfix.consensus import Consensus
from soundfix.localizer import Source
from soundfix.scene import Scene
from soundfix.verdict import timing_sigma

NAMES = ("constant", "scatter", "few", "declared", "doubt", "short")
WEIGHTS: tuple[float, ...] = (0.0,) * len(NAMES)  # of the logarithm of the factor, of the covariance
USUAL_M, USUAL_S = 0.006, 0.5
MOST_SURE, LEAST_SURE = 6.0, -3.0  # log-odds
LARGEST = 400.0  # of the covariance: 20 times as far either way


def circumstances(scene: Scene, consensus: Consensus) -> Float[np.ndarray, "feature"]:
    """How well things look, in the order of NAMES: what WEIGHTS are for."""
    kept = consensus.is_kept
    sure = consensus.modes[0].probability
    odds = np.log(max(sure, 1e-9) / max(1 - sure, 1e-9)) if sure is not None else MOST_SURE
    return np.array(
        [
            1.0,
            np.log(timing_sigma(consensus) / USUAL_M),
            1 / max(int(kept.sum()) - 3, 1),
            np.log1p(float(scene.microphones.sigma_m[kept].mean()) / USUAL_M),
            MOST_SURE - float(np.clip(odds, LEAST_SURE, MOST_SURE)),
            np.log(USUAL_S / scene.duration_s),
        ]
    )


def factor(scene: Scene, consensus: Consensus) -> float:
    """Of the covariance."""
    return float(np.exp(min(circumstances(scene, consensus) @ np.array(WEIGHTS), np.log(LARGEST))))


def honest(sources: tuple[Source, ...], scene: Scene, consensus: Consensus) -> tuple[Source, ...]:
    """These sources with regions that hold 90 %."""
    times = factor(scene, consensus)
    return tuple(source.spread(times * source.covariance_m2) for source in sources)
