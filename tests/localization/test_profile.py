"""How late each microphone may be: the profile of its pull."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import reference
from helpers.scenes import planted_evidence
from soundfix.estimate import Profile
from soundfix.localization.consensus import profiles_at
from soundfix.localization.profile import add, log_odds, profile_of_curve
from soundfix.microphones import Microphones

BOX = np.array([[0.0, 0, 0], [6, 5, 3]])
SOURCE = np.array([2.2, 3.1, 1.2])


def test_profile_equals_the_literal_mean(rng):
    positions = rng.uniform(BOX[0], BOX[1], (6, 3))
    evidence = planted_evidence(positions, SOURCE, width_m=0.3, noise=0.1, rng=rng)
    fast = profiles_at(evidence, SOURCE, Microphones(positions=positions), np.ones(6, dtype=bool))
    middle = len(fast[2].curve) // 2
    shifts = (-300, -7, 0, 40, 500)
    slow = np.array([reference.profile(evidence, SOURCE, positions, 2, s) for s in shifts])
    scale = fast[2].curve[middle] / slow[2]
    assert np.allclose([fast[2].curve[middle + s] for s in shifts], slow * scale, rtol=1e-3, atol=1e-3 * scale)


def test_adding_profiles_makes_what_lasts_stand_out(rng):
    lasting = np.zeros(2001, dtype=np.float32)
    lasting[1100] = 3.0
    noisy = [profile_of_curve(lasting + rng.standard_normal(2001).astype(np.float32), 0.005) for _ in range(10)]
    total = None
    for one in noisy:
        total = add(total, one)
    assert total.pull_m == pytest.approx(0.5, abs=0.006)
    assert total.elsewhere > 1.5 * np.mean([one.elsewhere for one in noisy])


def test_a_position_may_be_worse_than_the_profile_is_long(rng):
    """A list that says 15 m of one microphone is no reason to fail."""
    positions = rng.uniform(BOX[0], BOX[1], (6, 3))
    evidence = planted_evidence(positions, SOURCE, width_m=0.3, noise=0.1, rng=rng)
    unsure = Microphones(positions=positions, sigma_m=np.array([15.0, *5 * [0.0]]))
    wide, usual = profiles_at(evidence, SOURCE, unsure, np.ones(6, dtype=bool))[:2]
    assert usual.near_m < 1 < wide.near_m < 4
    assert (
        wide.at_zero
        >= profiles_at(evidence, SOURCE, Microphones(positions=positions), np.ones(6, dtype=bool))[0].at_zero
    )


def peaks(**heights):
    """The profile of a flat curve with these peaks (standard deviations)."""
    flat = Profile(
        curve=np.zeros(3),
        step_m=0.01,
        near_m=0.02,
        at_zero=0.0,
        early=0.0,
        late=0.0,
        pull_m=0.0,
        residual_m=0.0,
        negative=0.0,
    )
    return replace(flat, **heights)


def test_peaks_beyond_a_hundred_deviations_tell_no_more():
    assert log_odds(peaks(at_zero=64.0)) > log_odds(peaks(at_zero=100.0)) == log_odds(peaks(at_zero=400.0))
    assert log_odds(peaks(late=64.0)) < log_odds(peaks(late=100.0)) == log_odds(peaks(late=400.0))


def test_a_peak_before_the_others_accuses_up_to_three_roots():
    """Sound cannot come before itself; each number is that of the regression."""
    assert log_odds(peaks(early=4.0)) - log_odds(peaks(late=4.0)) == pytest.approx(2 * 6.58)
    assert log_odds(peaks(early=16.0)) - log_odds(peaks(late=16.0)) == pytest.approx(3 * 6.58)
    assert log_odds(peaks()) == pytest.approx(-4.87)
    assert log_odds(peaks(at_zero=4.0)) == pytest.approx(-4.87 - 2 * 3.89)
    assert log_odds(peaks(late=4.0)) == pytest.approx(-4.87 + 2 * 3.88)
