"""Evidence over directions: fast = slow, indifferent to gains, and not pulled to where diffuse sound seems to come from."""

import numpy as np
import pytest

from helpers.compact import RATE, SPEED, SQUARE, TETRAHEDRON, angle_deg, compact_scene, unit
from helpers.reference import steered_fit
from soundfix.localization import steering
from soundfix.localization.directions import sphere
from soundfix.localization.steering import FLOOR, OWN, listen, short_time_spectra, whitening, without_lateness


def heard(scene, offsets_m=TETRAHEDRON, slack_m=0.003):
    return listen(scene.audio, offsets_m, sample_rate=scene.sample_rate, speed_m_s=SPEED, slack_m=slack_m)


def best(cells, units):
    return units[cells.fit(units).argmax()]


def test_fast_is_slow(rng):
    audio = rng.standard_normal((4, 1200))
    cells, some = heard(compact_scene(towards=unit(0, 0))), [unit(20, 10), unit(-100, -50)]
    cells = listen(audio, TETRAHEDRON, sample_rate=RATE, speed_m_s=SPEED, slack_m=0.003)
    spectra, frequencies_hz = short_time_spectra(audio, RATE)
    in_band = np.isin(2 * np.pi * frequencies_hz / SPEED, cells.wavenumbers)
    spectra = spectra[:, :, in_band]
    spectra = spectra / np.sqrt(np.mean(np.abs(spectra) ** 2, axis=(1, 2), keepdims=True))
    slow = [
        steered_fit(spectra, cells.wavenumbers, TETRAHEDRON, each, slack_m=0.003, own=OWN, floor=FLOOR) for each in some
    ]
    assert cells.fit(np.array(some)) == pytest.approx(slow, rel=1e-3)
    assert cells.count == spectra.shape[1] * spectra.shape[2]


@pytest.mark.parametrize("towards", [unit(30, 20), unit(-120, -40), unit(5, 85)])
def test_the_fit_is_best_where_the_sound_comes_from(towards):
    cells = heard(compact_scene(towards=towards))
    units = np.concatenate([sphere(500), towards[None]])
    assert angle_deg(best(cells, units), towards) < 1


def test_gains_do_not_matter():
    scene = compact_scene(towards=unit(30, 20))
    loud = listen(
        scene.audio * np.array([[1.0], [10], [0.1], [3]]), TETRAHEDRON, sample_rate=RATE, speed_m_s=SPEED, slack_m=0.003
    )
    np.testing.assert_allclose(loud.fit(sphere(50)), heard(scene).fit(sphere(50)), rtol=1e-3)


def test_diffuse_sound_does_not_pull_a_level_direction_up(monkeypatch):
    """As loud as the sound itself; without its coherence a square answers far too steeply."""
    units = np.array([unit(40, elevation) for elevation in range(0, 90, 2)])
    cells = [
        heard(compact_scene(SQUARE, towards=unit(40, 5), snr_db=-2, is_dull=True, seed=seed), SQUARE)
        for seed in range(3)
    ]
    elevations = [np.degrees(np.arcsin(best(each, units)[2])) for each in cells]
    assert np.mean(elevations) < 16
    monkeypatch.setattr(steering, "whitening", lambda r, k, slack_m: np.tile(np.eye(len(r)), (len(k), 1, 1)))
    steering._steering.cache_clear()
    plain = [
        heard(compact_scene(SQUARE, towards=unit(40, 5), snr_db=-2, is_dull=True, seed=seed), SQUARE)
        for seed in range(3)
    ]
    steep = [np.degrees(np.arcsin(best(each, units)[2])) for each in plain]
    steering._steering.cache_clear()
    assert np.mean(steep) > np.mean(elevations) + 8


def test_whitening_makes_diffuse_noise_white():
    wavenumbers = np.array([5.0, 50.0])
    white = whitening(SQUARE, wavenumbers, 0.003)
    turn = wavenumbers[:, None, None] * np.linalg.norm(SQUARE[:, None] - SQUARE, axis=-1)
    noise = np.sinc(turn / np.pi) + (OWN + (0.003 * wavenumbers[:, None, None]) ** 2) * np.eye(4)
    np.testing.assert_allclose(white @ noise @ white.transpose(0, 2, 1), np.tile(np.eye(4), (2, 1, 1)), atol=1e-9)


@pytest.mark.parametrize("rate", [8_000.0, 48_000.0])
def test_the_band_goes_as_far_as_the_rate_and_the_positions_allow(rate):
    highest_hz = heard(compact_scene(towards=unit(0, 0), rate=rate)).wavenumbers.max() * SPEED / (2 * np.pi)
    assert highest_hz == pytest.approx(min(0.49 * rate, 0.6 / 0.003 * SPEED / (2 * np.pi)), abs=35)
    assert heard(compact_scene(towards=unit(0, 0), rate=rate)).wavenumbers.min() * SPEED / (2 * np.pi) >= 200


def test_a_late_clock_is_taken_out(rng):
    audio = rng.standard_normal((2, 4000))
    late = np.stack([audio[0], np.roll(audio[1], 8)])
    early = without_lateness(late, np.array([0.0, 8 / RATE]), RATE)
    np.testing.assert_allclose(early[:, :3900], audio[:, :3900], atol=1e-6)
    assert without_lateness(late, np.zeros(2), RATE) is late


def test_of_long_sound_some_frames_do():
    counts = [short_time_spectra(np.zeros((2, round(16_000 * seconds))), RATE)[0].shape[1] for seconds in (0.5, 1, 30)]
    assert counts == [30, 61, 126]


def test_silence_gives_finite_numbers():
    cells = listen(np.zeros((4, 4000)), TETRAHEDRON, sample_rate=RATE, speed_m_s=SPEED, slack_m=0.003)
    assert np.isfinite(cells.fit(sphere(20))).all()
