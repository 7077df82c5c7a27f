from dataclasses import replace

import numpy as np
import pytest

from helpers import reference
from helpers.scenes import planted_evidence
from soundfix import physics
from soundfix.localization.evidence import Evidence

PAIR = np.array([[0, 1]])


def ramp(*values, step_m=0.5):
    return Evidence(pairs=PAIR, values=np.array([values], dtype=np.float32), step_m=step_m, positions=np.eye(3)[:2])


def test_hand_solved_lag_order():
    """Five lags at -1, -0.5, 0, 0.5, 1 m: the middle is zero, a positive difference reads to the right."""
    evidence = ramp(10, 20, 30, 40, 60)
    assert evidence.reach_m == 1.0
    for difference, value in [(-1.0, 10), (-0.75, 15), (0.0, 30), (0.5, 40), (0.75, 50), (1.0, 60)]:
        assert evidence.at(np.array([difference]))[0] == pytest.approx(value, abs=1e-3)


def test_beyond_the_last_lag_the_curve_goes_on_as_it_ends():
    assert np.allclose(ramp(10, 20, 30).at(np.array([[-9.0], [9.0]])), [[10], [30]], atol=1e-3)


def test_every_pair_reads_its_own_curve(rng):
    pairs = physics.pair_indices(5)
    evidence = Evidence(
        pairs=pairs, values=np.arange(10.0)[:, None] * np.ones(9), step_m=0.1, positions=np.ones((5, 3))
    )
    assert np.allclose(evidence.at(rng.uniform(-2, 2, (4, 3, 10))), np.arange(10.0))


def test_score_is_the_literal_mean_whatever_the_leading_axes(rng):
    positions, points = rng.uniform(0, 4, (6, 3)), rng.uniform(0, 4, (3, 4, 3))
    evidence = planted_evidence(positions, points[0, 0], width_m=0.4, noise=0.2, rng=rng)
    slow = [[reference.steered_power(evidence, point, positions) for point in row] for row in points]
    assert np.allclose(evidence.score(points), slow, atol=1e-4)


def test_score_is_highest_where_the_source_is(rng):
    positions, source = rng.uniform(0, 4, (6, 3)), np.array([1.0, 2.0, 3.0])
    evidence = planted_evidence(positions, source)
    around = source + rng.normal(0, 0.3, (500, 3))
    assert evidence.score(source[None])[0] > evidence.score(around).max()


def test_a_late_first_microphone_moves_the_peak_to_positive_differences():
    positions = np.array([[0.0, 0, 0], [4, 0, 0]])
    evidence = planted_evidence(positions, np.array([2.0, 1.0, 0.0]), late_m=[1.0, 0.0], reach_m=5.0)
    assert (evidence.values[0].argmax() - evidence.values.shape[1] // 2) * evidence.step_m == pytest.approx(1.0)


def test_deviation_is_that_of_the_noise_in_spite_of_peaks(rng):
    positions = rng.uniform(0, 4, (8, 3))
    evidence = planted_evidence(positions, positions.mean(axis=0), noise=0.07, rng=rng)
    assert evidence.deviation == pytest.approx(0.07, rel=0.05)


def test_silence_has_a_deviation_to_divide_by():
    evidence = Evidence(pairs=PAIR, values=np.zeros((1, 101), dtype=np.float32), step_m=0.1, positions=np.eye(3)[:2])
    assert evidence.deviation > 0
    assert evidence.score(np.zeros((1, 3)))[0] == 0


def test_among_keeps_pairs_of_two_kept_microphones_and_their_numbers(rng):
    evidence = planted_evidence(rng.uniform(0, 4, (5, 3)), np.ones(3), width_m=0.3)
    part = evidence.among(np.array([True, False, True, True, False]))
    assert part.pairs.tolist() == [[0, 2], [0, 3], [2, 3]]
    whole = {tuple(pair): curve for pair, curve in zip(evidence.pairs.tolist(), evidence.values, strict=True)}
    assert all((whole[tuple(p)] == c).all() for p, c in zip(part.pairs.tolist(), part.values, strict=True))


@pytest.mark.parametrize("reach_m", [0.3, 1.0, 3.3, 50.0])
def test_within_changes_nothing_within(rng, reach_m):
    evidence = planted_evidence(rng.uniform(0, 4, (5, 3)), np.ones(3), width_m=0.3, reach_m=8.0)
    part = evidence.within(reach_m)
    inside = rng.uniform(-1, 1, (40, 10)) * min(reach_m, 8.0)
    assert np.allclose(part.at(inside), evidence.at(inside), atol=1e-5)
    assert part.reach_m <= max(reach_m + 3 * evidence.step_m, 0) or part.values.shape == evidence.values.shape


def test_turning_a_pair_round_mirrors_its_curve(rng):
    positions, points = rng.uniform(0, 4, (2, 3)), rng.uniform(0, 4, (20, 3))
    evidence = planted_evidence(positions, points[0], width_m=0.4)
    turned = replace(evidence, pairs=evidence.pairs[:, ::-1], values=evidence.values[:, ::-1])
    assert np.allclose(turned.score(points), evidence.score(points), atol=1e-5)


def test_the_score_is_the_mean_of_what_pairs_say(rng):
    positions, pairs = rng.uniform(0, 4, (5, 3)), physics.pair_indices(5)
    evidence = Evidence(
        pairs=pairs, values=rng.standard_normal((10, 41)).astype(np.float32), step_m=0.1, positions=positions
    )
    points = rng.uniform(-2, 6, (3, 7, 3))
    literal = evidence.at(physics.range_differences(points, positions, pairs)).mean(axis=-1)
    assert np.allclose(evidence.score(points), literal, atol=1e-12)
    assert evidence.score(points[0, 0]).shape == ()
