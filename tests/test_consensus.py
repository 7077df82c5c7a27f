import numpy as np
import pytest

import reference
from scenes import planted_evidence
from soundfix.consensus import agree, profiles_at
from soundfix.profile import add, summarize
from soundfix.refine import find_modes
from soundfix.scene import Microphones

BOX = np.array([[0.0, 0, 0], [6, 5, 3]])
SOURCE = np.array([2.2, 3.1, 1.2])


def consensus(rng, count, late_m, *, sigma_m=0.0, flipped=()):
    positions = np.random.default_rng(4).uniform(BOX[0], BOX[1], (count, 3))
    evidence = planted_evidence(positions, SOURCE, late_m=late_m, noise=0.05, rng=rng, reach_m=14.0)
    for m in flipped:
        touched = (evidence.pairs == m).any(axis=1)
        evidence.values[touched] *= -1
    microphones = Microphones(positions=positions, sigma_m=np.full(count, sigma_m))
    return agree(
        evidence, lambda kept: find_modes(kept, positions, BOX), microphones, np.ones(count, dtype=bool), fewest_left=5
    )


def late(count, **metres):
    return np.array([metres.get(f"m{m}", 0.0) for m in range(count)])


@pytest.mark.parametrize("shift", [-1.0, -0.3, -0.1, 0.1, 0.3, 1.0, 5.0])
def test_one_late_or_misplaced_microphone_is_named_with_its_pull(rng, shift):
    result = consensus(rng, 9, late(9, m3=shift))
    assert np.flatnonzero(result.is_named).tolist() == [3]
    assert result.profiles[3].pull_m == pytest.approx(shift, abs=0.02)
    assert np.linalg.norm(result.modes[0].position - SOURCE) < 0.01


def test_three_of_nine_are_named(rng):
    result = consensus(rng, 9, late(9, m0=0.5, m4=-0.8, m7=2.5))
    assert np.flatnonzero(result.is_named).tolist() == [0, 4, 7]


def test_nobody_is_named_when_all_agree(rng):
    result = consensus(rng, 9, late(9))
    assert not result.is_named.any()
    assert result.is_kept.all()
    assert not result.is_contradicted


def test_five_microphones_notice_a_fault_and_accuse_nobody(rng):
    result = consensus(rng, 5, late(5, m2=0.7))
    assert not result.is_named.any()
    assert result.is_kept.all()


def test_a_declared_position_error_excuses_a_small_pull(rng):
    assert consensus(rng, 9, late(9, m3=0.06), sigma_m=0.0).is_kept[3] == np.False_
    assert consensus(rng, 9, late(9, m3=0.06), sigma_m=0.03).is_kept[3] == np.True_


def test_inverted_polarity_is_found_and_turned(rng):
    result = consensus(rng, 8, late(8), flipped=[5])
    assert np.flatnonzero(result.is_inverted).tolist() == [5]
    assert result.is_kept.all()
    assert np.linalg.norm(result.modes[0].position - SOURCE) < 0.01


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
    noisy = [summarize(lasting + rng.standard_normal(2001).astype(np.float32), 0.005) for _ in range(10)]
    total = None
    for one in noisy:
        total = add(total, one)
    assert total.pull_m == pytest.approx(0.5, abs=0.006)
    assert total.elsewhere > 1.5 * np.mean([one.elsewhere for one in noisy])
