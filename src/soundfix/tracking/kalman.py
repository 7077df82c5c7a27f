"""Kalman's filter (1960) for one source: position (m) and velocity (m/s), 6 numbers; windows say the position.

A window's place has its covariance, and LEAST_SIGMA_M on top: a place is not better than this to a track.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LEAST_SIGMA_M = 0.01
SEES = np.eye(3, 6)


class State(NamedTuple):
    """What is believed: mean (6,) and covariance (6, 6)."""

    mean: Float[np.ndarray, "6"]
    covariance: Float[np.ndarray, "6 6"]


class Fix(NamedTuple):
    """A place that a window says (m), and its covariance (m²)."""

    position_m: Float[np.ndarray, "3"]
    covariance_m2: Float[np.ndarray, "3 3"]

    @property
    def noise(self) -> Float[np.ndarray, "3 3"]:
        """Its covariance to a track."""
        return self.covariance_m2 + LEAST_SIGMA_M**2 * np.eye(3)


def expected(state: State, move: Float[np.ndarray, "6 6"], noise: Float[np.ndarray, "6 6"]) -> State:
    """Later, after this move and what it adds to the covariance."""
    return State(move @ state.mean, move @ state.covariance @ move.T + noise)


def updated(state: State, fix: Fix) -> State:
    """After this place was said; in Joseph's form, which keeps covariances positive."""
    gain = state.covariance @ SEES.T @ np.linalg.inv(SEES @ state.covariance @ SEES.T + fix.noise)
    rest = np.eye(6) - gain @ SEES
    mean = state.mean + gain @ (fix.position_m - state.mean[:3])
    return State(mean, rest @ state.covariance @ rest.T + gain @ fix.noise @ gain.T)


def squared_distance(state: State, fix: Fix) -> float:
    """Mahalanobis'."""
    off = fix.position_m - state.mean[:3]
    return float(off @ np.linalg.solve(state.covariance[:3, :3] + fix.noise, off))


def log_density(state: State, fix: Fix) -> float:
    """Of this place among those that are expected (log of 1 / m³)."""
    spread = state.covariance[:3, :3] + fix.noise
    return -0.5 * (squared_distance(state, fix) + float(np.linalg.slogdet(2 * np.pi * spread)[1]))


def smoothed_back(before: State, move: Float[np.ndarray, "6 6"], foreseen: State, after: State) -> State:
    """What is believed of a window by all that came after it (Rauch, Tung and Striebel 1965).

    before: after this window alone. move, foreseen: from there to the next one; after: what is believed of that by all.
    """
    gain = before.covariance @ move.T @ np.linalg.inv(foreseen.covariance)
    mean = before.mean + gain @ (after.mean - foreseen.mean)
    covariance = before.covariance + gain @ (after.covariance - foreseen.covariance) @ gain.T
    return State(mean, (covariance + covariance.T) / 2)
