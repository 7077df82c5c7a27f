"""What each pair of microphones says about the difference of its distances to the source.

The seam between methods and answers: a correlation (gcc.py) or a network's log-likelihood goes in, and everything
after it (modes.py, consensus.py) only looks up  l_ij(d_ij(x))  for points x. Range differences d are in metres, so
that nothing behind this seam knows sample rates or the speed of sound.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix import physics, robust
from soundfix.localization.lookup import mean_between
from soundfix.search_region import SearchRegion

FINE = 0.5  # grain below which a wavelength is shorter than positions are measured to, 2 cm
NARROW_FINE = 0.9  # the same in a narrow band: its peaks have others beside them, half a wave off and reversed
EVERY = 7  # lags are this many times denser than what they say: a seventh of them has the same spread
MOST_LOOKED_AT = 100_000  # of the values of many pairs


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Curves l_ij over range differences for P pairs of M microphones.

    pairs: (P, 2) microphone numbers, i < j. values: (P, L) at range differences -reach_m .. +reach_m, evenly spaced
    by step_m. positions: (M, 3) metres, where the microphones stand. is_turned: (M,) microphones whose polarity was
    turned before (None: of nobody). search: where a source may be, beside in the box that is searched (None: anywhere).
    grain: size of its peaks against the usual one. is_broad: peaks were made as broad as arrivals may be off
    (arrival_errors.py): they are positive, and have no sign. is_narrow: what was listened to is less than an octave.
    """

    pairs: Int[np.ndarray, "pair 2"]
    values: Float[np.ndarray, "pair lag"]
    step_m: float
    positions: Float[np.ndarray, "mic 3"]
    is_turned: Bool[np.ndarray, "mic"] | None = None
    search: SearchRegion | None = None
    grain: float = 1.0
    is_broad: bool = False
    is_narrow: bool = False

    @property
    def reach_m(self) -> float:
        return self.step_m * (self.values.shape[1] - 1) / 2

    @property
    def errors_hide_waves(self) -> bool:
        """Whether neither a polarity nor a motion can be told from errors of positions."""
        return self.grain < (NARROW_FINE if self.is_narrow else FINE) or self.is_broad

    @property
    def breadth(self) -> float:
        """How much broader than usual its peaks are, 1 at least: no length of ours is known better than the usual ones."""
        return max(1.0, self.grain)

    @property
    def spacing_m(self) -> Float[np.ndarray, "pair"]:
        """How far apart the two microphones of each pair stand."""
        return np.linalg.norm(self.positions[self.pairs[:, 0]] - self.positions[self.pairs[:, 1]], axis=1)

    @cached_property
    def used(self) -> Int[np.ndarray, "used"]:
        """The microphones that are in any pair."""
        return np.unique(self.pairs)

    @cached_property
    def deviation(self) -> float:
        """Robust standard deviation of a value where no source is, reverberation and noise together."""
        every = max(EVERY, self.values.size // MOST_LOOKED_AT)
        return float(robust.deviation(self.values[:, ::every], dtype=np.float64))

    def at(self, differences_m: Float[np.ndarray, "*batch pair"]) -> Float[np.ndarray, "*batch pair"]:
        """l_ij at these range differences, linear between lags, constant beyond the last one."""
        last = self.values.shape[1] - 1
        lag = np.clip(differences_m / self.step_m + last / 2, 0, last - 1e-6)
        below = lag.astype(np.int64)
        row_start = np.arange(len(self.pairs)) * self.values.shape[1]
        flat, index = self.values.ravel(), below + row_start
        left = flat.take(index)
        return left + (lag - below) * (flat.take(index + 1) - left)

    def score(self, points: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch"]:
        """Mean evidence of all pairs at these points: log p(x) up to scale and constant. As `at`, pair by pair in memory."""
        ranges = physics.distances(self.positions, points.reshape(-1, 3))
        mean = mean_between(self.values, self.pairs, ranges / self.step_m)
        return mean.reshape(points.shape[:-1])

    def turned(self) -> Bool[np.ndarray, "mic"]:
        """A copy of is_turned."""
        return np.zeros(len(self.positions), dtype=bool) if self.is_turned is None else self.is_turned.copy()

    def among(self, keep: Bool[np.ndarray, "mic"]) -> "Evidence":
        """Only the pairs of which both microphones are kept; microphone numbers stay as they are."""
        both = keep[self.pairs].all(axis=1)
        if both.all():
            return self
        return replace(self, pairs=self.pairs[both], values=self.values[both])

    def within(self, reach_m: float) -> "Evidence":
        """Only the lags up to this range difference (and one more)."""
        middle = self.values.shape[1] // 2
        lags = min(middle, int(reach_m / self.step_m) + 2)
        return replace(self, values=np.ascontiguousarray(self.values[:, middle - lags : middle + lags + 1]))
