"""Shadows are dark behind and at high frequencies alone; scatterers are heard by way of where they stand."""

import numpy as np
import pytest

from soundfix.physics import distances
from soundfix.simulation import obstacles
from soundfix.simulation.obstacles import CLOSEST_M, NEAR_M, RADIUS_M, scattered, shadowed

RATE, SPEED = 16_000.0, 343.0
SOURCE, SIZE_M = np.array([3.0, 3.0, 1.5]), np.array([6.0, 6.0, 3.0])
TURNS = np.linspace(0, 2 * np.pi, 24, endpoint=False)
ROUND = SOURCE + 2 * np.stack([np.cos(TURNS), np.sin(TURNS), np.zeros(24)], axis=1)


def clicks(count=24, taps=4096):
    direct = np.zeros((1, count, taps))
    direct[..., 10] = 0.5
    return direct


def losses_db(seed, shadow_db):
    """At every frequency, of microphones all round."""
    dark = shadowed(clicks(), SOURCE, ROUND, shadow_db=shadow_db, rate=RATE, rng=np.random.default_rng(seed))[0]
    return -20 * np.log10(np.abs(np.fft.rfft(dark)) / 0.5)


@pytest.mark.parametrize("seed", range(6))
def test_a_shadow_is_as_deep_as_told_behind_and_none_in_front(seed):
    """At high frequency from 0 to so many dB, at low none; it grows steadily towards the middle of the shadow."""
    loss_db = losses_db(seed, 15.0)
    assert np.abs(loss_db[:, 0]).max() < 1e-6
    assert loss_db[:, -1].max() == pytest.approx(15, abs=0.01)
    assert loss_db[:, -1].min() == pytest.approx(0, abs=0.01)
    assert (loss_db > -1e-6).all()
    darkest = loss_db[:, -1].argmax()
    assert loss_db[(darkest + 12) % 24, -1] == pytest.approx(0, abs=0.01)
    assert (np.diff(np.roll(loss_db[:, -1], -darkest)[:13]) <= 1e-6).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_corner_of_a_shadow_is_between_150_and_800_hz(seed):
    """Of a shelf of 10 dB half is there at the corner times 10^(1/4)."""
    loss_db = losses_db(seed, 10.0)
    frequency = np.fft.rfftfreq(4096, 1 / RATE)
    behind = loss_db[loss_db[:, -1].argmax()]
    half = frequency[np.flatnonzero(behind > 5)[0]]
    assert 150 < half / 10**0.25 < 800
    assert behind[np.searchsorted(frequency, 5000)] > 9


def test_no_shadow_changes_nothing():
    assert np.abs(losses_db(0, 0.0)).max() < 1e-9


def test_a_shadow_moves_no_arrival():
    dark = shadowed(clicks(), SOURCE, ROUND, shadow_db=12.0, rate=RATE, rng=np.random.default_rng(2))
    assert dark.shape == clicks().shape
    assert (np.abs(dark).argmax(axis=-1) == 10).all()


def places_of(seed, count, monkeypatch):
    """What is handed to the impulses: delays (taps) and amplitudes of each scatterer, and where they stand."""
    told = []
    monkeypatch.setattr(obstacles.shoebox, "impulses", lambda *each: told.append(each) or np.zeros((3, 1)))
    stood = []
    real = obstacles.distances
    monkeypatch.setattr(obstacles, "distances", lambda point, others: stood.append(others) or real(point, others))
    scattered(SOURCE, ROUND[:3], SIZE_M, count=count, speed_m_s=SPEED, rate=RATE, rng=np.random.default_rng(seed))
    (delays, amplitudes), places = told[0], stood[0]
    return np.array(delays), np.array(amplitudes), places


@pytest.mark.parametrize("seed", range(4))
def test_a_scatterer_is_heard_by_way_of_it_and_as_weak_as_two_ways_make_it(seed, monkeypatch):
    delays, amplitudes, places = places_of(seed, 8, monkeypatch)
    first, second = np.linalg.norm(places - SOURCE, axis=1), np.linalg.norm(places - ROUND[:3, None], axis=2)
    radii = amplitudes * np.maximum(first, CLOSEST_M) * np.maximum(second, CLOSEST_M)
    assert delays == pytest.approx((np.maximum(first, CLOSEST_M) + np.maximum(second, CLOSEST_M)) * RATE / SPEED)
    assert radii == pytest.approx(np.broadcast_to(radii[0], radii.shape))
    assert (np.abs(radii[0]) >= RADIUS_M[0]).all()
    assert (np.abs(radii[0]) <= RADIUS_M[1]).all()
    assert ((places > 0) & (places < SIZE_M)).all()


def test_scatterers_turn_the_sign_or_not_and_half_of_them_are_near(monkeypatch):
    _, amplitudes, places = places_of(0, 60, monkeypatch)
    near = distances(SOURCE, places) < NEAR_M[1]
    assert 10 < (amplitudes[0] < 0).sum() < 50
    assert near.sum() > 25
    assert (~near).sum() > 5


def test_responses_hold_a_tap_for_each_scatterer():
    """Of one: the peak of every microphone's response is its delay and no earlier than the direct sound."""
    for seed in range(5):
        response = scattered(
            SOURCE, ROUND[:3], SIZE_M, count=1, speed_m_s=SPEED, rate=RATE, rng=np.random.default_rng(seed)
        )
        arrivals = np.abs(response).argmax(axis=1) / RATE * SPEED
        assert response.shape[0] == 3
        assert (arrivals > 2.0 - 0.05).all()  # two metres are the direct way
