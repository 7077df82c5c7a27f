"""What a calibration has come to: the solution, what it was free to move, and what it was made from; and what that shows."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.calibration.bundle import Arrivals, Freedom, Layout, Solution
from soundfix.calibration.hypotheses import AGREES_M
from soundfix.calibration.mirrors import Image
from soundfix.microphones import Microphones

FEWEST_FIXED = 3  # known positions that leave no turn, shift or mirror image
FEWEST_KNOWN = 5  # positions that a wrong one does not outvote
AGREEING_SHARE = 0.5  # of a sound microphone's arrivals, at least
FEWEST_AGREEING = 4  # arrivals that leave nothing to check a moment's place by: more are wanted
SPOT_M = 0.02  # no two microphones are nearer
MOST = 0.5  # of the positions


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """The solution, what it was free to move, and what it was made from.

    listed: the layout of the list, unknown positions anywhere, every channel at its own row. order: of every channel that
    row. unit: that the list was in; microphones are in metres. speed_m_s: that times were made path by. images: of
    microphones that may be at a mirror image of their place. has_free_clocks: no clock was trusted.
    """

    solution: Solution
    freedom: Freedom
    arrivals: Arrivals
    listed: Layout
    order: Int[np.ndarray, "mic"]
    unit: str
    microphones: Microphones
    speed_m_s: float
    images: dict[int, Image]
    has_free_clocks: bool

    @property
    def as_listed(self) -> Layout:
        """The list's microphones, and the sources that were found."""
        found = self.solution.layout
        own = self.microphones.border_positions()
        positions = np.where(np.isnan(own), self.listed.positions, own)
        return replace(self.listed, positions=positions, sources=found.sources, kappa=found.kappa)

    @property
    def moved_m(self) -> Float[np.ndarray, "mic"]:
        """How far from its own row of the list each was found."""
        away: np.ndarray = np.linalg.norm(self.solution.layout.positions - self.listed.positions, axis=1)
        return away

    @property
    def is_shape(self) -> bool:
        """Most positions were found, so that little holds them but each other."""
        return bool(np.isinf(self.freedom.positions).mean() > MOST)

    @property
    def agrees(self) -> Bool[np.ndarray, "moment mic"]:
        """Which arrivals are as the solution has them."""
        near: np.ndarray = np.abs(self.solution.residual_m) < AGREES_M
        return near

    @property
    def is_placed(self) -> Bool[np.ndarray, "moment"]:
        """Moments at which more microphones agree than any place would make agree."""
        placed: np.ndarray = self.agrees.sum(axis=1) > FEWEST_AGREEING
        return placed

    @property
    def is_heard(self) -> Bool[np.ndarray, "mic"]:
        heard: np.ndarray = np.isfinite(self.arrivals.path_m).any(axis=0)
        return heard

    @property
    def is_explained(self) -> Bool[np.ndarray, "mic"]:
        """Microphones most of whose arrivals are as the solution has them."""
        return self.agrees.sum(axis=0) >= AGREEING_SHARE * np.maximum(np.isfinite(self.arrivals.path_m).sum(axis=0), 1)

    @property
    def holds(self) -> Bool[np.ndarray, "mic"]:
        """Microphones near their row of the list, by the common clock: what all the others are known by."""
        is_held = np.isfinite(self.freedom.positions) & (self.freedom.offset_m == 0)
        return is_held & self.microphones.is_known[self.order] & self.is_explained

    @property
    def reach(self) -> float:
        """The largest difference of two arrivals, as a share of the distance of the two: of the median pair.

        Someone who walks among microphones passes near the line through most pairs; an array far too large is never crossed.
        """
        path_m, positions = self.arrivals.path_m, self.solution.layout.positions
        first, second = np.triu_indices(len(positions), 1)
        apart_m = np.linalg.norm(positions[first] - positions[second], axis=1)
        largest_m = np.abs(np.nan_to_num(path_m[:, first] - path_m[:, second])).max(axis=0)
        return float(np.median(largest_m / np.maximum(apart_m, SPOT_M)))

    @property
    def misfit(self) -> float:
        """What an arrival costs on average, half of log(1 + e² / sigma²): of a shape all, else of the explained microphones.

        Who is not explained is told apart, and says nothing of the others.
        """
        if self.is_shape:
            return self.solution.cost / max(int(np.isfinite(self.arrivals.path_m).sum()), 1)
        share = (self.solution.residual_m / (self.solution.layout.kappa * self.arrivals.sigma_m))[:, self.is_explained]
        is_there = np.isfinite(share)
        return float(np.log1p(np.square(share[is_there])).sum() / (2 * max(int(is_there.sum()), 1)))
