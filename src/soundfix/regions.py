"""How much larger a network's regions must be than theory says, so that 90 % of them hold the source.

Theory (verdict.py) knows the scatter of the arrivals and the declared errors of positions; not the speed of sound that was
off, the direct path that was masked by an echo, the peak next to the right one. What these amount to was measured in
simulated rooms that nothing was trained on (quantile regression, Koenker and Bassett, 1978; bench/regions.py):

    factor of the covariance = exp(a + b doubt),    doubt = the log-odds against the place that came first

A place that is less likely than LISTED has been widened already, by what its probability leaves to others: its doubt counts
as none. Scatter, the number of microphones, declared errors and the length of the window were tried beside doubt, and said
nothing more.
"""

import numpy as np

from soundfix.consensus import Consensus
from soundfix.localizer import Source
from soundfix.verdict import LISTED

WEIGHTS = (0.206, 0.447)  # a, b
MOST_SURE = 6.0  # log-odds: beyond, surer is not better


def doubt(consensus: Consensus) -> float:
    """0 where the first place is as sure as can be, up to 3.8 where it is only just likely enough not to be widened."""
    sure = consensus.modes[0].probability
    if sure is None or sure < LISTED:
        return 0.0
    return MOST_SURE - min(MOST_SURE, float(np.log(sure / max(1 - sure, 1e-9))))


def factor(consensus: Consensus) -> float:
    """Of the covariance."""
    constant, slope = WEIGHTS
    return float(np.exp(constant + slope * doubt(consensus)))


def honest(sources: tuple[Source, ...], consensus: Consensus) -> tuple[Source, ...]:
    """These sources with regions that hold 90 %."""
    times = factor(consensus)
    return tuple(source.spread(times * source.covariance_m2) for source in sources)
