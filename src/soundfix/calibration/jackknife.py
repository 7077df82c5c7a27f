"""How sure a solution is, where errors come in streaks: from what is left of it without a tenth of its moments in a row.

Least squares takes the errors of arrivals for independent. But neighbouring windows share their sound, and the same echo
misleads all moments of one corner. With theta_b the solution without block b of B, the delete-block jackknife (Kunsch,
The jackknife and the bootstrap for general stationary observations, 1989) has the covariance

    (B - 1) / B  sum_b (theta_b - mean) (theta_b - mean)^T

which is added to that of the least squares (EXPERIMENTS.md: either alone is too small).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from soundfix.calibration.bundle import Arrivals, Covariance, Freedom, Layout, Solution, adjust
from soundfix.calibration.initial_guess import procrustes

BLOCKS = 10
SCALES = (1.0,)


def with_streaks(arrivals: Arrivals, listed: Layout, freedom: Freedom, solved: Solution) -> Solution:
    """The solution, its covariance widened by the jackknife's."""
    return replace(solved, covariance=_added(solved.covariance, list(_without_each(arrivals, listed, freedom, solved))))


def _without_each(arrivals: Arrivals, listed: Layout, freedom: Freedom, solved: Solution) -> Iterator[Layout]:
    """The layout that is found without each block of moments, from the whole one downhill."""
    moments, is_unheld = len(arrivals.times_s), bool(np.isinf(freedom.positions).all())
    for block in np.array_split(np.arange(moments), min(BLOCKS, moments)):
        kept = np.delete(np.arange(moments), block)
        rest = Arrivals(path_m=arrivals.path_m[kept], sigma_m=arrivals.sigma_m[kept], times_s=arrivals.times_s[kept])
        start = replace(solved.layout, sources=solved.layout.sources[kept])
        centre = replace(listed, sources=start.sources)
        found = adjust(rest, centre, freedom, start=start, scales=SCALES).layout
        yield procrustes(found, solved.layout.positions) if is_unheld else found


def _added(own: Covariance, found: list[Layout]) -> Covariance:
    off = _spread(np.array([layout.positions for layout in found]))
    return Covariance(
        positions=own.positions + np.einsum("bmx,bmy->mxy", off, off),
        offset_m=_together(own.offset_m, np.array([layout.offset_m for layout in found])),
        drift_m_s=_together(own.drift_m_s, np.array([layout.drift_m_s for layout in found])),
        kappa=float(_together(np.array(own.kappa), np.array([layout.kappa for layout in found]))),
    )


def _together(own: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Standard errors of both kinds together."""
    return np.asarray(np.sqrt(np.square(own) + np.square(_spread(found)).sum(axis=0)))


def _spread(found: np.ndarray) -> np.ndarray:
    """Differences from the mean, so that the sum of their squares is the jackknife's variance."""
    off = found - found[0]  # of what is held exactly nothing
    return np.asarray(np.sqrt((len(found) - 1) / len(found)) * (off - off.mean(axis=0)))
