"""Outdoors a few sounds stand out: when each recorder heard them, without a word of where it stands or what its clock says.

Every window is correlated by itself, out to what sound needs across the array and what clocks may be off; one arrival a
recorder, on which most pairs agree (arrivals.py). Windows overlap: of those that hear the same sound the best is kept.
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int

from soundfix import physics
from soundfix.calibration.arrivals import MomentArrivals, arrivals
from soundfix.calibration.bundle import Arrivals
from soundfix.errors import SceneError
from soundfix.localization.correlate import Correlator
from soundfix.localization.health import examine
from soundfix.scene import Scene

LATEST_S = 0.15  # clocks beside each other, at most
SIGMA_M = 0.05  # of an arrival: 0.15 ms, of wind, of leaves, and of the band of birds
FEWEST_HEARD = 5  # recorders that tell a place and one thing more
AGREED = 0.5  # share of the others that an arrival agrees with
FEWEST_PARTNERS = 3
MOST_EVENTS = 30


def event_arrivals(scenes: Iterable[Scene]) -> Arrivals:
    """The sounds of these windows, in order of time: at most MOST_EVENTS, those that most recorders hear.

    Raises SceneError where no window holds a sound that FEWEST_HEARD recorders share.
    """
    heard = [(scene.start_s, scene.duration_s, _heard(scene)) for scene in scenes]
    shared = [each for each in heard if np.isfinite(each[2].path_m).sum() >= FEWEST_HEARD]
    if not shared:
        raise SceneError(
            f"no sound that {FEWEST_HEARD} recorders share in {len(heard)} windows: is there one, in the band that is "
            "listened to, and do the recordings begin together (`soundfix check` says)?"
        )
    kept: list[tuple[float, float, MomentArrivals]] = []
    for start_s, duration_s, moment in sorted(shared, key=lambda each: -int(each[2].partners.sum())):
        if len(kept) < MOST_EVENTS and all(abs(start_s - other) >= duration_s for other, _, _ in kept):
            kept.append((start_s, duration_s, moment))
    kept.sort(key=lambda each: each[0])
    path_m = np.array([moment.path_m for *_, moment in kept])
    times_s = np.array([start_s + duration_s / 2 for start_s, duration_s, _ in kept])
    return Arrivals(path_m=path_m, sigma_m=np.full(path_m.shape, SIGMA_M), times_s=times_s)


def _heard(scene: Scene) -> MomentArrivals:
    """Arrivals with which enough of the others agree, NaN for the rest."""
    health, count = examine(scene), len(scene.microphones)
    mics, path_m, partners = np.flatnonzero(health.is_heard), np.full(count, np.nan), np.zeros(count, dtype=int)
    if len(mics) < FEWEST_HEARD:
        return MomentArrivals(path_m, partners)
    curves, pairs, step_m = _curves(scene, health.audio, mics)
    found = arrivals(curves, pairs, step_m, microphones=len(mics))
    is_agreed = found.partners >= max(FEWEST_PARTNERS, AGREED * (len(mics) - 1))
    path_m[mics], partners[mics] = np.where(is_agreed, found.path_m, np.nan), found.partners * is_agreed
    return MomentArrivals(path_m, partners)


def _curves(
    scene: Scene, audio: Float[np.ndarray, "mic time"], mics: Int[np.ndarray, "heard"]
) -> tuple[Float[np.ndarray, "pair lag"], Int[np.ndarray, "pair 2"], float]:
    """Of all pairs of these microphones (numbered among them), and how far apart in path lags are."""
    pairs = physics.pair_indices(len(mics))
    evidence = Correlator(latest_s=LATEST_S)(audio, scene, mics[pairs])
    return evidence.values, pairs, evidence.step_m
