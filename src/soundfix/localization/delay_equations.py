"""Delays as equations of a place: d = A r(x) + b h + e.

d is a delay times the speed of sound (m), r the distances from the place x to the microphones. A row of A is 1 at one
microphone (an arrival; then h = 1, and b is when the sound was made, in metres) or 1 and -1 at two (a pair; h = 0). The
misfit e is Gaussian with f times the standard error that is expected, or, with OUTLIERS probability, anything within reach
of the array: so what is wrong by much counts for nothing, and each delay gets the probability that it is right.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics

OUTLIERS = 0.1  # of delays that are wrong, before anything is heard

Unknowns = Float[np.ndarray, "start unknown"]  # coordinates along the axes, and b where there are arrivals (m)
Scale = Float[np.ndarray, "start"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Equations:
    """incidence: A. path_m: d. sigma_m: the standard errors expected, of which wind_m is what
    a wind along each axis has in common; doubt: of the logarithm of f, how sure that is.

    positions: of the microphones (m). origin, axes: x = origin + y axes, so that fewer axes keep it in a plane. box: where x
    is sought first, expected_m: the standard deviation with which it is expected about the middle of that, and is_open:
    along which axes that is but a guess.
    """

    incidence: Float[np.ndarray, "delay mic"]
    path_m: Float[np.ndarray, "delay"]
    sigma_m: Float[np.ndarray, "delay"]
    wind_m: Float[np.ndarray, "delay 3"]
    doubt: float
    positions: Float[np.ndarray, "mic 3"]
    origin: Float[np.ndarray, "3"]
    axes: Float[np.ndarray, "axis 3"]
    box: Float[np.ndarray, "2 3"]
    expected_m: Float[np.ndarray, "3"]
    is_open: Bool[np.ndarray, "3"]

    @cached_property
    def emitted(self) -> Float[np.ndarray, "delay"]:
        """h: 1 for arrivals, 0 for pairs."""
        return self.incidence.sum(axis=1)

    @property
    def unknowns(self) -> int:
        """Coordinates, and the moment of the sound."""
        return len(self.axes) + int(self.emitted.any())

    @property
    def reach_m(self) -> float:
        """Within which a wrong delay may be."""
        return 2 * float(np.linalg.norm(np.ptp(self.positions, axis=0)))

    @cached_property
    def widths_m(self) -> Float[np.ndarray, "unknown"]:
        """Standard deviations of what is expected, along the axes; of the moment hardly anything is."""
        return self._padded((np.square(self.axes) @ self.expected_m**-2.0) ** -0.5, self.reach_m)

    @cached_property
    def is_vague(self) -> Bool[np.ndarray, "unknown"]:
        """Along which the expectation is but a guess: what is further out is no surprise (Cauchy), else it is (Gaussian)."""
        return self._padded(np.square(self.axes) @ self.is_open > 0.5, False)

    def prior(self, unknowns: Unknowns) -> tuple[Float[np.ndarray, "start unknown"], Float[np.ndarray, "start"]]:
        """Its information (1/m²) there, and -log p(x)."""
        squares = np.square((unknowns - self.middle) / self.widths_m)
        information = np.where(self.is_vague, 2 / (1 + squares), 1.0) / np.square(self.widths_m)
        cost = np.where(self.is_vague, np.log1p(squares), 0.5 * squares) + np.log(self.widths_m)
        return information, cost.sum(axis=1)

    @cached_property
    def middle(self) -> Float[np.ndarray, "unknown"]:
        """Of the box."""
        return self._padded((self.box.mean(axis=0) - self.origin) @ self.axes.T, 0.0)

    @property
    def prior_degrees(self) -> float:
        """How many delays the expectation of their errors is worth."""
        return 1 / (2 * self.doubt**2)

    def _padded(self, of_axes: np.ndarray, of_moment: float | bool) -> np.ndarray:
        return np.append(of_axes, of_moment) if self.emitted.any() else of_axes

    def places(self, unknowns: Unknowns) -> Float[np.ndarray, "start 3"]:
        """x."""
        return self.origin + unknowns[:, : len(self.axes)] @ self.axes

    def misfits(self, unknowns: Unknowns) -> Float[np.ndarray, "start delay"]:
        """e (m)."""
        off = self.path_m - physics.distances(self.places(unknowns), self.positions) @ self.incidence.T
        return off - unknowns[:, len(self.axes) :] * self.emitted if self.emitted.any() else off

    def slopes(self, unknowns: Unknowns) -> Float[np.ndarray, "start delay unknown"]:
        """J, the derivatives of A r(x) + b h."""
        offset = self.places(unknowns)[:, None] - self.positions
        units = offset / np.maximum(np.linalg.norm(offset, axis=-1, keepdims=True), 1e-9)
        slopes = self.incidence @ (units @ self.axes.T)
        if not self.emitted.any():
            return slopes
        return np.concatenate([slopes, np.broadcast_to(self.emitted[:, None], (*slopes.shape[:2], 1))], axis=-1)

    def likelihood(self, misfits: Float[np.ndarray, "start delay"], scale: Scale) -> tuple[np.ndarray, np.ndarray]:
        """The probability that each delay is right, (start, delay), and log p of all, (start,)."""
        sigma = self.sigma_m * scale[:, None]
        right = np.log(1 - OUTLIERS) - 0.5 * np.square(misfits / sigma) - np.log(sigma * np.sqrt(2 * np.pi))
        either = np.logaddexp(right, np.log(OUTLIERS / self.reach_m))
        return np.exp(right - either), either.sum(axis=1)
