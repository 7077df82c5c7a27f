"""How early or late, in metres of path, may a microphone hear what its place and its clock say it hears now?

By as much as its position and its clock are said to be off. Outdoors, where nothing is said of either, by what recorders
that were put up by hand and set by satellites are usually off: clocks run to a millisecond, coordinates to half a metre, and
the air is not as warm, or as still, as somebody thought. Where that is more than a few centimetres, peaks of pairs cannot
meet in a point any more: evidence is made as broad as these errors are,

    l'_ij(d) = max over e of  l_ij(d + e) exp(-e² / (2 WELSCH² (s_i² + s_j²)))

a peak counts in full where it is expected, and less and less beside. The sum over pairs is then a robust fit (Welsch's loss,
Dennis and Welsch, 1978) to all their peaks at once, which arrival_fit.py makes exact.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from soundfix import robust
from soundfix.localization.evidence import Evidence
from soundfix.localization.lookup import highest_round
from soundfix.microphones import Microphones
from soundfix.scene import Others, Scene

BROAD_M = 0.2  # mean standard error of arrivals from which evidence is made as broad
OPEN_M = 0.06  # the same outdoors, where no echoes are blurred with it, and space is too wide to look for a narrow peak
USUAL_M, USUAL_SHARE = 0.3, 0.004  # outdoors, where nothing is said: standard error, and more for each metre of width
STEPS = 10  # of broad curves, in a standard error
WELSCH = 2.1  # standard errors: with it a robust fit to Gaussian errors is as good as 95 % of the best one
REACH = 2.5  # of that
PEAK_M = 0.03  # half the width of a usual peak
ANYWHERE = np.random.default_rng(0).random((1000, 3))  # in a unit cube


def arrival_sigma_m(scene: Scene) -> Float[np.ndarray, "mic"]:
    """Standard error (m of path) of what each microphone hears: of position and clock as declared, or as usual outdoors."""
    microphones = scene.microphones
    declared = _declared_m(microphones, scene.speed)
    if declared.any() or not (scene.is_outdoors or scene.wind_m_s):
        return declared
    if not scene.is_outdoors:
        return np.full(len(microphones), PEAK_M)  # beside what the wind does
    return np.full(len(microphones), USUAL_M + USUAL_SHARE * microphones.width_m)


def others_sigma_m(scene: Scene, others: Others) -> Float[np.ndarray, "other"]:
    """The same of those that may hear it too."""
    if is_declared(scene):
        return np.maximum(_declared_m(others.microphones, scene.speed), PEAK_M)
    return np.full(len(others.microphones), arrival_sigma_m(scene).mean())


def _declared_m(microphones: Microphones, speed_m_s: float) -> Float[np.ndarray, "mic"]:
    return np.hypot(microphones.sigma_m, speed_m_s * microphones.clock_sigma_s)


def with_wind_m(scene: Scene) -> Float[np.ndarray, "mic"]:
    """The same with what the wind may do to it."""
    return np.hypot(arrival_sigma_m(scene), scene.wind_share * from_middle_m(scene.microphones.positions))


def from_middle_m(positions: Float[np.ndarray, "mic 3"]) -> Float[np.ndarray, "mic"]:
    """How far each stands from the middle of those of known position; 0 for the others."""
    off_m = positions - np.nanmean(positions, axis=0)
    return np.nan_to_num(np.linalg.norm(off_m, axis=1))


def is_declared(scene: Scene) -> bool:
    """Whether somebody said how good positions or clocks are."""
    return bool(scene.microphones.sigma_m.any() or scene.microphones.clock_sigma_s.any())


def are_large(scene: Scene) -> bool:
    """Whether evidence is to be as broad as these errors."""
    return bool(with_wind_m(scene).mean() >= (OPEN_M if scene.is_outdoors else BROAD_M))


def broadened(evidence: Evidence, sigma_m: Float[np.ndarray, "mic"]) -> Evidence:
    """The evidence, its peaks as broad as these standard errors (m); 0 is what is usual where no source is."""
    i, j = evidence.pairs.T
    error_m = WELSCH * np.hypot(sigma_m[i], sigma_m[j])
    coarse = _pooled(evidence, float(error_m.min()) / STEPS)
    values, most = coarse.values, int(REACH * error_m.max() / coarse.step_m)
    padded = np.pad(np.maximum(values, 0), ((0, 0), (most, most)))
    off_m = np.arange(-most, most + 1)[:, None] * coarse.step_m
    weight = np.exp(-0.5 * np.square(off_m / error_m)).astype(np.float32)
    broad = highest_round(padded.astype(np.float32, copy=False), weight)
    broad -= np.median(broad, axis=1, keepdims=True)
    return replace(coarse, values=broad, grain=float(error_m.mean()) / PEAK_M, is_broad=True)


def above_chance(evidence: Evidence, score: float) -> float:
    """How far a score of broad evidence stands out of those anywhere among the microphones, in their standard deviations.

    Broad curves are what is highest nearby, of many pairs that share microphones: what chance makes of them is not known
    beforehand, but every place where no source is shows it.
    """
    used = evidence.positions[evidence.used]
    low, high = used.min(axis=0), used.max(axis=0)
    scores = evidence.score(low + ANYWHERE * (high - low))
    return float((score - np.median(scores)) / robust.deviation(scores))


def _pooled(evidence: Evidence, step_m: float) -> Evidence:
    """On lags about so far apart (m), the highest of those that each stands for."""
    block = max(1, int(step_m / evidence.step_m)) // 2 * 2 + 1
    middle = evidence.values.shape[1] // 2
    reach = (middle - block // 2) // block * block + block // 2
    kept = evidence.values[:, middle - reach : middle + reach + 1]
    pooled = np.maximum.reduce(
        [kept[:, first::block] for first in range(block)]
    )  # ten times as quick as blocks one by one
    return replace(evidence, values=pooled, step_m=evidence.step_m * block)
