"""The fit finds the place from every start that matters, whatever is wrong; regions and evidence mean what they say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from helpers.tables import HEIGHT_M, playback
from soundfix import physics
from soundfix.localization.delay_equations import Equations
from soundfix.localization.delay_fit import _alike, _student, fit
from soundfix.physics import SPEED_OF_SOUND_M_S


def equations(positions, times_s, *, sigma_m=0.2, doubt=1.2, height_m=None):
    low, high = positions.min(axis=0) - 150, positions.max(axis=0) + 150
    axes = np.eye(3) if height_m is None else np.eye(3)[:2]
    if height_m is not None:
        low[2] = high[2] = height_m
    return Equations(
        incidence=np.eye(len(positions)),
        path_m=SPEED_OF_SOUND_M_S * times_s,
        sigma_m=np.full(len(positions), sigma_m),
        wind_m=np.zeros((len(positions), 3)),
        doubt=doubt,
        positions=positions,
        origin=np.array([0, 0, height_m or 0.0]),
        axes=axes,
        box=np.stack([low, high]),
        expected_m=np.full(3, 300.0),
        is_open=np.ones(3, dtype=bool),
    )


def as_pairs(told):
    """All differences of the same arrivals."""
    pairs = physics.pair_indices(len(told.path_m))
    return replace(
        told,
        incidence=told.incidence[pairs[:, 0]] - told.incidence[pairs[:, 1]],
        path_m=told.path_m[pairs[:, 0]] - told.path_m[pairs[:, 1]],
        sigma_m=np.full(len(pairs), told.sigma_m[0] * 2**0.5),
        wind_m=np.zeros((len(pairs), 3)),
    )


def test_exact_delays_give_the_exact_place(rng):
    positions, sources, times_s, _ = playback(1, sigma_s=0.0, wrong=0.0, recorders=8, places=5)
    for source, times in zip(sources, times_s, strict=True):
        best = fit(equations(positions, times), rng)[0]
        assert best.position == pytest.approx(source, abs=1e-2)
        assert best.moment_m / SPEED_OF_SOUND_M_S == pytest.approx(1.0, abs=1e-3)
        assert best.agreeing == 8


def test_it_finds_the_place_among_wrong_delays(rng):
    """4 of 12; each delay is known for what it is."""
    positions, sources, times_s, is_wrong = playback(2, recorders=12, wrong=1 / 3, places=20)
    fits = [fit(equations(positions, times, height_m=HEIGHT_M), rng)[0] for times in times_s]
    errors = [np.linalg.norm(best.position - source) for best, source in zip(fits, sources, strict=True)]
    assert np.median(errors) < 0.25
    assert np.mean(np.array(errors) < 1.0) >= 0.9
    named = np.array([best.is_right < 0.5 for best in fits])
    assert (named == is_wrong).mean() > 0.97


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("sigma_s", [1e-4, 3e-3])
def test_regions_hold_the_place(sigma_s, told, rng):
    positions, sources, times_s, _ = playback(3, recorders=12, places=40, wrong=0.17, sigma_s=sigma_s)
    sigma_m = sigma_s * SPEED_OF_SOUND_M_S if told else 0.2
    held = []
    for source, times in zip(sources, times_s, strict=True):
        best = fit(equations(positions, times, sigma_m=sigma_m, doubt=0.3 if told else 1.2, height_m=HEIGHT_M), rng)[0]
        off = (best.position - source)[:2]
        held.append(off @ np.linalg.inv(best.covariance[:2, :2]) @ off < 4.605)
    assert np.mean(held) > 0.83


def test_regions_follow_the_errors(rng):
    """Ten times the error, about a hundred times the variance."""
    variances = []
    for sigma_s in (2e-4, 2e-3):
        positions, _, times_s, _ = playback(4, places=10, wrong=0.0, sigma_s=sigma_s)
        fits = [fit(equations(positions, times, height_m=HEIGHT_M), rng)[0] for times in times_s]
        variances.append(np.median([np.trace(best.covariance) for best in fits]))
    assert 40 < variances[1] / variances[0] < 200


def test_differences_say_what_arrivals_say(rng):
    """All pairs of the same arrivals: the same place, and not a region as if there were more to know."""
    positions, _, times_s, _ = playback(5, recorders=10, places=6, wrong=0.0, sigma_s=1e-3)
    for times in times_s:
        told = equations(positions, times, height_m=HEIGHT_M)
        of_arrivals, of_pairs = fit(told, rng)[0], fit(as_pairs(told), rng)[0]
        assert np.linalg.norm(of_pairs.position - of_arrivals.position) < 0.3
        assert of_pairs.moment_m == 0.0
        assert 0.2 < np.trace(of_pairs.covariance) / np.trace(of_arrivals.covariance) < 5


def test_delays_without_a_common_sound_have_no_support(rng):
    positions, _, times_s, _ = playback(6, recorders=10, places=1)
    by_chance = [fit(equations(positions, rng.uniform(0, 0.8, 10), height_m=HEIGHT_M), rng)[0] for _ in range(20)]
    best = fit(equations(positions, times_s[0], height_m=HEIGHT_M), rng)[0]
    assert max(each.support for each in by_chance) < 2.3 < best.support


def test_what_agrees_but_roughly_does_not_agree(rng):
    """Delays of the opposite sign, which a far place explains to many metres."""
    positions, _, times_s, _ = playback(14, wrong=0.0, places=2)
    for times in times_s:
        told = equations(positions, -times)
        assert fit(told, rng)[0].sigma_m <= told.reach_m / 80 + 1e-9


def test_shares_of_the_evidence_add_up(rng):
    positions, _, times_s, _ = playback(7, recorders=6, places=1)
    fits = fit(equations(positions, times_s[0]), rng)
    assert sum(each.probability for each in fits) == pytest.approx(1)
    assert [each.probability for each in fits] == sorted((each.probability for each in fits), reverse=True)


def test_pairs_share_the_errors_of_their_microphones_as_far_as_misfits_say(rng):
    """Never more than half. Before anything is heard, half is believed, for as much as twenty products of misfits say."""
    pairs = physics.pair_indices(5)
    incidence = np.eye(5)[pairs[:, 0]] - np.eye(5)[pairs[:, 1]]

    def shared(misfits):
        return (_alike(incidence, misfits, np.ones(10)) - np.eye(10)).max()

    assert shared(np.zeros(10)) == pytest.approx(10 / (60 + 20))
    assert shared(9 * incidence @ rng.standard_normal(5)) == 0.5
    assert _alike(incidence, np.zeros(10), np.ones(10))[0, 1:4] == pytest.approx(10 / 80)  # 01 with 02, 03, 04
    assert _alike(incidence, np.zeros(10), np.ones(10))[0, 9] == 0  # 01 and 34


@pytest.mark.parametrize(("count", "spare"), [(4, 0), (7, 3), (12, 8)])
def test_the_fewer_delays_to_spare_the_wider_the_region_for_the_same_scatter(rng, count, spare):
    """As Student's t has it: four tell a place and when it sounded, of their own errors nothing."""
    told = equations(rng.uniform(0, 100, (count, 3)), rng.uniform(0, 1, count), doubt=0.4)
    degrees = spare + told.prior_degrees
    wider = 3 * stats.f.ppf(0.9, 3, degrees) / stats.chi2.ppf(0.9, 3)
    assert _student(told, np.ones(count)) == pytest.approx(wider, rel=1e-3)
