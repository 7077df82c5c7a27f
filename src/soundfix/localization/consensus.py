"""Which microphones contradict the rest?

At a candidate point x every pair has a predicted range difference, and every microphone a profile: the evidence of its
pairs with the others, moved by a common delay (profile.py). A sound microphone's profile peaks at zero.

This is fault detection and exclusion (FDE), as the RAIM of satellite navigation does it. The worst offender is left out
and the source sought again, until nobody contradicts or too few would remain:
k faults can be isolated while at least 5 microphones remain (one more than the unknowns x, y, z and t0), so with 5
microphones a fault is noticed but nobody is accused, and with 4 there is nothing to notice. Leaving out a good
microphone costs little and keeping a bad one much: the answer does without a microphone on mere doubt, but names it
only on strong evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics
from soundfix.estimate import Profile
from soundfix.localization.aligned import sum_about, views_of
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode
from soundfix.localization.profile import ACCUSED, FLANK_M, NEAR_M, has_inverted_peak, log_odds, profile_of_curve
from soundfix.microphones import Microphones

DOUBTED = -1.0  # log-odds from which the answer does better without it, while most are left
LARGEST_PULL_M = 6.9  # 20 ms: beyond this the peaks of a profile are chance
MOST_DOUBTED = 1 / 3  # of the microphones may be left out on mere doubt


@dataclass(frozen=True, kw_only=True, eq=False)
class Consensus:
    """Who was kept, who is named at fault, whose polarity was turned; the profiles at the best mode, and the modes.

    evidence is that of all pairs, polarity corrected.
    """

    is_kept: Bool[np.ndarray, "mic"]
    is_named: Bool[np.ndarray, "mic"]
    is_inverted: Bool[np.ndarray, "mic"]
    profiles: tuple[Profile | None, ...]
    modes: list[Mode]
    evidence: Evidence
    is_contradicted: bool  # somebody is at fault, and there are too few microphones to say who
    is_moving: bool = False  # the source is: then peaks do not meet, however exact the list


def agree(
    evidence: Evidence,
    find: Callable[[Evidence], list[Mode]],
    microphones: Microphones,
    is_heard: Bool[np.ndarray, "mic"],
    *,
    fewest_left: int,
) -> Consensus:
    """Find the source, leave out the worst offender, find it again, until the rest agrees."""
    is_kept, is_inverted = is_heard.copy(), evidence.turned()
    while True:
        modes = find(evidence.among(is_kept))
        profiles = (
            profiles_at(evidence, modes[0].position, microphones, is_kept) if modes else (None,) * len(microphones)
        )
        turned = np.array([p is not None and has_inverted_peak(p) for p in profiles]) & is_kept & ~is_inverted
        turned &= not evidence.errors_hide_waves
        case = _cases(profiles) * is_kept - 99.0 * ~is_kept
        worst = int(case.argmax())
        if turned.any():
            is_inverted |= turned
            evidence = with_polarity(evidence, turned)
        elif case[worst] > _threshold(int(is_kept.sum()), int(is_heard.sum()), fewest_left):
            is_kept[worst] = False
        else:
            break
    return Consensus(
        is_kept=is_kept,
        is_named=is_heard & ~is_kept & (_cases(profiles) > ACCUSED),
        is_inverted=is_inverted,
        profiles=profiles,
        modes=modes,
        evidence=evidence,
        is_contradicted=bool(case[worst] > ACCUSED),
    )


def _cases(profiles: tuple[Profile | None, ...]) -> Float[np.ndarray, "mic"]:
    """Log-odds against every microphone; those without a profile have none."""
    return np.array([log_odds(profile) if profile else -99.0 for profile in profiles])


def _threshold(kept: int, heard: int, fewest_left: int) -> float:
    """The log-odds from which one more microphone is left out."""
    if kept <= fewest_left:
        return np.inf
    return DOUBTED if kept - 1 >= max(fewest_left + 1, (1 - MOST_DOUBTED) * heard) else ACCUSED


def with_polarity(evidence: Evidence, is_inverted: Bool[np.ndarray, "mic"]) -> Evidence:
    """The evidence with the polarity of these microphones reversed."""
    sign = np.where(is_inverted, -1, 1).astype(evidence.values.dtype)
    return replace(
        evidence, values=evidence.values * (sign[evidence.pairs[:, 0]] * sign[evidence.pairs[:, 1]])[:, None]
    )


def profiles_at(
    evidence: Evidence, point: Float[np.ndarray, "3"], microphones: Microphones, is_kept: Bool[np.ndarray, "mic"]
) -> tuple[Profile | None, ...]:
    """The profile of every microphone against the kept ones; None where it has no pair with any of them.

    A microphone of unknown position is taken to stand at the point: its pull is then its distance from it.
    """
    positions = np.where(microphones.is_known[:, None], microphones.positions, point)
    curves, counts = profile_curves(evidence, point, positions, is_kept)
    near_m = near_zero(evidence.breadth) + 2 * microphones.sigma_m
    return tuple(
        profile_of_curve(curve, evidence.step_m, float(near)) if count > 0 else None
        for curve, near, count in zip(curves, near_m, counts, strict=True)
    )


def near_zero(breadth: float) -> float:
    """How near to zero a profile agrees (m): with it the flank beside it ends where that of so broad a peak does."""
    return NEAR_M * breadth + FLANK_M * (breadth - 1)


def profile_curves(
    evidence: Evidence, point: np.ndarray, positions: np.ndarray, is_kept: np.ndarray
) -> tuple[Float[np.ndarray, "mic delay"], Float[np.ndarray, "mic"]]:
    """A_m(delta) for delta within the reach that all pairs have, and how many pairs each is the mean of."""
    ranges = physics.distances(point, positions)
    middle = evidence.values.shape[1] // 2
    lags = np.rint((ranges[evidence.pairs[:, 0]] - ranges[evidence.pairs[:, 1]]) / evidence.step_m).astype(int)
    among_kept = np.abs(lags[is_kept[evidence.pairs].all(axis=1)]).max(initial=0)
    half = max(0, min(middle - int(among_kept), int(LARGEST_PULL_M * evidence.breadth / evidence.step_m)))
    total, count = np.zeros((len(positions), 2 * half + 1), dtype=np.float32), np.zeros(len(positions))
    for m in range(len(positions)):  # a microphone of unknown position may be too far away for these curves
        curves, others = views_of(m, evidence.values, evidence.pairs, is_kept)
        total[m], count[m] = sum_about(
            curves, np.rint((ranges[m] - ranges[others]) / evidence.step_m).astype(int), half
        )
    return total / np.maximum(count, 1)[:, None], count
