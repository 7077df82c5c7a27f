"""Arrivals at recorders in the field, by formula."""

import numpy as np

from soundfix.calibration.bundle import Arrivals
from soundfix.simulation.outdoors import Wood, draw_recorders, draw_singer

SPEED_M_S = 340.0


def field_arrivals(seed, late_s, *, sounds=5, noise_m=0.03, drift_ppm=0.0, lost=0.0, places=None):
    """Of nine recorders whose clocks are late by late_s (s), where they stand (m), and the generator; a sound every 10 s."""
    rng, wood = np.random.default_rng(seed), Wood()
    drawn = draw_recorders(wood, rng)
    places = drawn if places is None else places
    singers = np.array([draw_singer(places, wood, rng) for _ in range(sounds)])
    times_s = 10.0 * np.arange(sounds)
    clocks_s = late_s + 1e-6 * np.asarray(drift_ppm) * (times_s - times_s.mean())[:, None]
    path_m = np.linalg.norm(singers[:, None] - places, axis=2) + SPEED_M_S * clocks_s
    path_m = path_m + noise_m * rng.standard_normal(path_m.shape)
    path_m[rng.random(path_m.shape) < lost] = np.nan
    path_m = path_m - np.nanmean(path_m, axis=1)[:, None]
    return Arrivals(path_m=path_m, sigma_m=np.full(path_m.shape, 0.05), times_s=times_s), places, rng
