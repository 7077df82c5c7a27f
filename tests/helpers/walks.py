"""Arrivals of a sound that moves through a room, made by formula: as bundle adjustment and calibration hear them."""

import numpy as np

from soundfix.calibration.bundle import Arrivals
from soundfix.calibration.observations import Observations

ROOM = ((0.0, 0.0, 0.0), (7.0, 8.0, 2.8))
SPEED_M_S = 343.0


def array(rng, count=11):
    """Microphones spread over the walls, low and high."""
    low, high = np.array(ROOM)
    places = rng.uniform(low + 0.3, high - 0.3, (count, 3))
    side = np.arange(count) % 4
    places[side == 0, 0], places[side == 1, 0] = 0.2, 6.8
    places[side == 2, 1], places[side == 3, 1] = 0.2, 7.8
    return places


def walk(rng, moments=60, corners=8):
    """From corner to corner of the room, up and down."""
    places = rng.uniform([0.7, 0.7, 0.6], [6.3, 7.3, 2.0], (corners, 3))
    at = np.linspace(0, corners - 1, moments)
    return np.stack([np.interp(at, np.arange(corners), xs) for xs in places.T], axis=1)


def hearing(places, sources, rng, *, offset_s=0.0, drift_ppm=0.0, noise_m=0.005, wrong=0.05, missing=0.1):
    """Some arrivals are wrong by up to 3 m (echoes: later), some are missing."""
    times_s = np.linspace(0.25, 29.75, len(sources))
    ranges = np.linalg.norm(sources[:, None] - places, axis=-1)
    late_s = np.broadcast_to(offset_s, len(places)) + 1e-6 * np.broadcast_to(drift_ppm, len(places)) * times_s[:, None]
    path_m = ranges + SPEED_M_S * late_s + noise_m * rng.standard_normal(ranges.shape)
    path_m += (rng.random(ranges.shape) < wrong) * rng.uniform(0.3, 3.0, ranges.shape)
    path_m[rng.random(ranges.shape) < missing] = np.nan
    path_m -= np.nanmean(path_m, axis=1, keepdims=True)
    arrivals = Arrivals(path_m=path_m, sigma_m=np.full(path_m.shape, 0.01), times_s=times_s)
    partners = np.where(np.isfinite(path_m), len(places) - 1, 0)
    return Observations(
        arrivals=arrivals, partners=partners, is_inverted=np.zeros(len(places), dtype=bool), speed_m_s=SPEED_M_S
    )
