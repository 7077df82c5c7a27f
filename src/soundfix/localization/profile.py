"""How one microphone agrees with the others.

The **profile** of microphone m at a point x is the mean evidence of its pairs, moved by a common delay:
A_m(delta) = mean_j l_mj(d_mj(x) + delta). Where m is sound it peaks at delta = 0. Where m is late, or stands elsewhere
than its position says, it peaks at another delta (its pull, in metres of path); where m hears something else it has no
peak at all. Echoes make peaks too, but never before the direct sound: a peak at a negative delta says more than one at
a positive delta. Peaks are counted in standard deviations of the profile itself, so that reverberation does not look
like a contradiction. Profiles of several windows may be added up: what lasts remains, what is chance goes away.
"""

import numpy as np
from jaxtyping import Float

from soundfix import robust
from soundfix.estimate import Profile

NEAR_M = 0.02  # a peak this near to zero agrees; wider by twice the standard error of the microphone's position
FLANK_M = 0.03  # beside it, this much is still the flank of the peak at zero
# Log-odds that a microphone is at fault, given the square roots of its peaks (in standard deviations): at zero,
# elsewhere, and by how much one before zero surpasses all others, which no echo can. Logistic regression on simulated
# windows, T60 0.2-0.8 s, SNR 5-30 dB, 0-3 of 11 at fault (EXPERIMENTS.md).
LOG_ODDS_OFFSET, LOG_ODDS_AT_ZERO, LOG_ODDS_ELSEWHERE, LOG_ODDS_EARLY = -4.87, -3.89, 3.88, 6.58
LARGEST_PEAK, LARGEST_EARLY = 100.0, 3.0
ACCUSED = 0.5  # log-odds from which a microphone is named
DIRECT_SHARE = 0.7  # of the highest peak: echoes may be that much stronger than the direct sound
EVERY = 3  # lags are denser than what they say: a third of them has the same spread
INVERTED_PEAK = 6.0  # standard deviations of a negative peak at zero


def log_odds(profile: Profile) -> float:
    """Log-odds that this microphone contradicts the others."""
    zero, early, late = np.sqrt(np.clip([profile.at_zero, profile.early, profile.late], 0, LARGEST_PEAK))
    surplus = np.clip(early - max(late, zero), 0, LARGEST_EARLY)
    return float(
        LOG_ODDS_OFFSET + LOG_ODDS_AT_ZERO * zero + LOG_ODDS_ELSEWHERE * max(early, late) + LOG_ODDS_EARLY * surplus
    )


def has_inverted_peak(profile: Profile) -> bool:
    """Whether the profile has its peak at zero upside down."""
    return profile.negative > max(INVERTED_PEAK, profile.at_zero, profile.elsewhere)


def profile_of_curve(curve: Float[np.ndarray, "delay"], step_m: float, near_m: float = NEAR_M) -> Profile:
    """The peaks of one profile, or of the sum of several, in robust standard deviations."""
    middle = len(curve) // 2
    near_m = min(near_m, max(NEAR_M, middle * step_m / 2))  # a position may be declared worse than the curve is long
    near, beside = int(near_m / step_m), int((near_m + FLANK_M) / step_m)
    curve = curve / np.float32(robust.deviation(curve[::EVERY]))
    centre = curve[middle - near : middle + near + 1]
    return Profile(
        curve=curve,
        step_m=step_m,
        near_m=near_m,
        at_zero=float(centre.max()),
        early=float(curve[: middle - beside].max()),
        late=float(curve[middle + beside + 1 :].max()),
        pull_m=(_first_peak(curve, int(FLANK_M / step_m)) - middle) * step_m,
        residual_m=(int(centre.argmax()) - near) * step_m,
        negative=-float(centre.min()),
    )


def _first_peak(curve: Float[np.ndarray, "delay"], flank: int) -> int:
    """The first of the highest peaks: the direct sound comes before its echoes, though it need not be the strongest."""
    start = int((curve >= DIRECT_SHARE * curve.max()).argmax())
    return start + int(curve[start : start + flank + 1].argmax())


def add(total: Profile | None, profile: Profile) -> Profile:
    """The sum of two profiles, over the delays that both have."""
    if total is None:
        return profile
    half = min(len(total.curve), len(profile.curve)) // 2
    return profile_of_curve(_middle(total.curve, half) + _middle(profile.curve, half), profile.step_m, profile.near_m)


def _middle(curve: Float[np.ndarray, "delay"], half: int) -> Float[np.ndarray, "middle"]:
    centre = len(curve) // 2
    return curve[centre - half : centre + half + 1]
