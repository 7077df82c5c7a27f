"""Cells: from the place of a source all microphones hear the same, from elsewhere they do not."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.mixtures import RATE, mixture
from soundfix import physics
from soundfix.localization.cells import DENSER, FRAME_S, REST_STEP_M, _cross, cells_of, cis
from soundfix.testing import contract_scene

POSITIONS = contract_scene(8).microphones.positions
ONE, OTHER = np.array([1.5, 1.2, 1.0]), np.array([4.2, 3.9, 1.8])


def cells(*sources, seed=0, **how):
    sound = mixture(POSITIONS, sources, np.random.default_rng(seed), **how)
    return cells_of(sound, RATE, POSITIONS, 343.2)


def test_a_lone_source_is_coherent_from_its_place_alone():
    heard = cells(ONE, noise=1e-4)
    at, elsewhere = heard.coherence(np.stack([ONE, OTHER]))
    assert np.quantile(at, 0.7) > 0.8
    assert np.median(elsewhere) < 0.3


def test_what_shares_nothing_is_one_over_the_number_of_microphones():
    heard = cells(noise=1.0)
    assert heard.coherence(ONE[None]).mean() == pytest.approx(1 / 8, abs=0.01)


def test_coherence_is_between_0_and_1_in_every_cell():
    heard = cells(ONE, OTHER)
    rho = heard.coherence(np.stack([ONE, OTHER]))
    assert rho.shape == (2, heard.count)
    assert rho.min() >= 0
    assert rho.max() <= 1 + 1e-5


def test_how_loud_a_cell_is_goes_by_all_microphones_and_is_one_on_average():
    heard = cells(ONE)
    power = np.square(np.abs(heard.dense[:, DENSER * np.arange(heard.frames)])).sum(axis=0)
    assert heard.loudness().mean() == pytest.approx(1, rel=1e-5)
    assert np.square(heard.loudness() / heard.loudness()[0]) == pytest.approx((power / power[0, 0]).ravel(), rel=1e-3)
    louder = replace(heard, dense=3 * heard.dense)
    assert louder.loudness() == pytest.approx(heard.loudness(), rel=1e-4)
    assert replace(heard, dense=0 * heard.dense).loudness().max() == 0


def test_each_of_two_sources_has_cells_of_its_own():
    one, other = cells(ONE, OTHER, noise=1e-3).coherence(np.stack([ONE, OTHER]))
    assert np.mean((one > 0.7) & (other < 0.4)) > 0.05
    assert np.mean((other > 0.7) & (one < 0.4)) > 0.05


def test_moving_forward_is_exact_in_phase_and_near_in_time():
    heard = cells(ONE, noise=1e-4)
    steered = heard.steered(ONE)
    loud = np.abs(steered).min(axis=0) > np.quantile(np.abs(steered), 0.8)
    turned = np.angle(steered[1:] * steered[:1].conj())[:, loud]
    assert np.median(np.abs(turned)) < 0.1
    assert heard.step_s == pytest.approx(FRAME_S / 2 / DENSER, rel=0.01)


def test_evidence_of_all_cells_peaks_at_the_delays_of_the_place():
    heard, pairs = cells(ONE, noise=1e-3), physics.pair_indices(8)
    evidence = heard.evidence(ONE, np.ones(heard.count), pairs)
    at, off = evidence.score(np.stack([ONE, ONE + np.array([0.06, 0.0, 0.0])]))
    assert at > 0.9
    assert off < 0.5


def test_evidence_of_anothers_cells_is_low():
    heard, pairs = cells(ONE, OTHER, noise=1e-3), physics.pair_indices(8)
    rho = heard.coherence(np.stack([ONE, OTHER]))
    own = (rho[0] > 0.6).astype(float)
    assert heard.evidence(ONE, own, pairs).score(ONE[None])[0] > 0.7
    assert heard.evidence(ONE, 1 - own, pairs).score(ONE[None])[0] < 0.5


def test_a_band_leaves_the_others_out():
    sound = mixture(POSITIONS, [ONE], np.random.default_rng(0))
    heard = cells_of(sound, RATE, POSITIONS, 343.2, (1000.0, 2000.0))
    assert heard.frequency_hz.min() >= 1000
    assert heard.frequency_hz.max() <= 2000


def test_turns_are_those_of_the_formula_however_many():
    turns = np.array([0.0, 0.25, -1.7, 1e6 + 0.125, -12345.3])
    assert np.allclose(cis(turns), np.exp(2j * np.pi * turns), atol=1e-6)


def test_coherence_is_the_share_of_power_that_adds_up():
    heard = cells(ONE, OTHER, noise=1e-3)
    steered = heard.steered(OTHER)
    literal = np.abs(steered.sum(axis=0)) ** 2 / (8 * (np.abs(steered) ** 2).sum(axis=0) + 1e-12)
    assert np.allclose(heard.coherence(OTHER[None])[0], literal.ravel(), atol=1e-5)


def test_the_rest_is_the_correlation_by_the_formula():
    heard, pairs = cells(ONE, noise=1e-2), physics.pair_indices(8)
    rest = heard.rest(np.zeros(heard.count), pairs)
    cross = _cross(heard.dense[:, DENSER * np.arange(heard.frames)], np.ones(heard.count), pairs)
    middle = rest.values.shape[1] // 2
    for lag in (-middle, -3, 0, 1, 7, middle):
        later_s = lag * REST_STEP_M / heard.speed_m_s
        literal = (cross * np.exp(2j * np.pi * later_s * heard.frequency_hz)).real.sum(axis=1)
        assert np.allclose(rest.values[:, middle + lag], literal, atol=1e-5)
