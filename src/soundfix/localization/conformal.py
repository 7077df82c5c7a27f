"""How much larger a network's regions must be than theory says, so that 90 % of them hold the source.

Theory (sources.py) knows the scatter of the arrivals and the errors of positions, declared or betrayed by peaks that do
not meet (list_error.py); not the speed of sound that was off, the direct path that was masked by an echo, the peak next
to the right one. What these amount to was measured in simulated rooms that nothing was trained on, the rough ones among
them (bench/regions.py), in two steps:

    factor of the covariance = exp(a + b doubt) * f,    doubt = the log-odds against the place that came first

The first part is a shape: what doubt is worth, by quantile regression (Koenker and Bassett, 1978). A place that is less
likely than LISTED has been widened already, by what its probability leaves to others: its doubt counts as none. Scatter,
declared errors and the length of the window were tried beside doubt, and said nothing more.

The second part is conformal prediction (Papadopoulos et al., 2002) on held-out windows, for each size of array by itself
(Mondrian: Vovk et al., 2003). A window's score is the squared distance of the truth from the nearest place listed, in
units of the region that the first part gives. The region is as large as what 90 % of n scores do not exceed; those of
worlds whose lists are not exact weigh three times, so that exact arrays are held more often. Both parts were fitted to
the same answers: two numbers and a quantile, of 517 to 666 (a share of 90 % is then known to +- 1.3 %). The factor of the
covariance is that score over the 90 % quantile of chi squared. Only answers count: an abstention has no region.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, inf
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.estimate import COVERAGE, Estimate, Regions, Source
from soundfix.localization.consensus import Consensus
from soundfix.localization.sources import LISTED

WEIGHTS = (-0.041, 0.302)  # a, b
MOST_SURE = 6.0  # log-odds: beyond, surer is not better


class ArrayClass(NamedTuple):
    """Arrays of so many microphones (those kept in the answer), their factor, and how many held-out answers it rests on."""

    name: str
    most: float
    factor: float
    held_out: int


# Of answers in the twin, its hard variant, random and rough rooms and halls; worlds whose lists are not exact weigh three
# times as much: in exact arrays more than 90 % are held.
CONFORMAL = (
    ArrayClass("up to 5 microphones", 5, 2.004, 573),
    ArrayClass("6-8 microphones", 8, 1.017, 666),
    ArrayClass("9-12 microphones", 12, 0.984, 664),
    ArrayClass("13 or more microphones", inf, 1.405, 517),
)

# Of the covariance of sources among several: what those in their places need (training speakers, twin and hard twin, two and
# three at once; EXPERIMENTS.md, 26 November 2026).
SEVERAL = 3.5


def array_class(microphones: int) -> ArrayClass:
    """The class of an answer that kept so many."""
    return next(each for each in CONFORMAL if microphones <= each.most)


def split_conformal(scores: Float[np.ndarray, "n"]) -> float:
    """The smallest of these scores that the next one, drawn as they were, exceeds with 10 % probability at most."""
    rank = ceil((len(scores) + 1) * COVERAGE)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else inf


def remaining_doubt(consensus: Consensus) -> float:
    """0 where the first place is as sure as can be, up to 3.8 where it is only just likely enough not to be widened."""
    sure = consensus.modes[0].probability
    if sure is None or sure < LISTED:
        return 0.0
    return MOST_SURE - min(MOST_SURE, float(np.log(sure / max(1 - sure, 1e-9))))


def factor(consensus: Consensus) -> float:
    """Of the covariance."""
    constant, slope = WEIGHTS
    return (
        float(np.exp(constant + slope * remaining_doubt(consensus))) * array_class(int(consensus.is_kept.sum())).factor
    )


def calibrated(sources: Sequence[Source], consensus: Consensus) -> tuple[Source, ...]:
    """These sources with regions that hold 90 %."""
    times = 1.0 if consensus.evidence.is_broad else factor(consensus)  # arrival_fit.py has regions of its own
    return tuple(source.spread(times * source.covariance_m2) for source in sources)


def among_several(source: Source) -> Source:
    """A source of several, placed by its own cells (mixed_sources.py), with a region that holds 90 %."""
    return source.spread(SEVERAL * source.covariance_m2)


def with_calibration_note(estimate: Estimate, *, is_held_out: bool) -> Estimate:
    """The estimate, which says how its regions were calibrated. is_held_out: with this very network, or with another."""
    if not estimate.sources or estimate.direction:
        return estimate
    own = array_class(sum(report.weight > 0 for report in estimate.microphones))
    method = "split conformal" if is_held_out else "split conformal of the packaged network"
    regions = Regions(method=f"{method}, {own.name}", coverage=COVERAGE, held_out=own.held_out if is_held_out else 0)
    return replace(estimate, regions=regions)
