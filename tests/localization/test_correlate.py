"""Correlation of pairs: its band, its weighting, clocks that are known, and rates too low for it."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.bands import ANIMAL, HIGH_HZ, RATE, caged, shared_sound
from helpers.scenes import anechoic_scene
from helpers.srp_phat import ROOM, eight
from soundfix.localization.correlate import Correlator, finer, grain, lags_of, largest_lag
from soundfix.methods.srp_phat import SrpPhat
from soundfix.microphones import Microphones
from soundfix.scene import Scene


@pytest.fixture
def positions():
    return eight()


def test_the_band_is_an_option_with_an_effect(positions, rng):
    """Loud unrelated noise below 1 kHz: a band above it hears the source better."""
    source = np.array([2.0, 3.0, 1.0])
    scene = anechoic_scene(positions, source, rng, room=ROOM)
    rumble = np.fft.irfft(
        np.fft.rfft(rng.standard_normal(scene.audio.shape)) * (np.fft.rfftfreq(8000, 1 / 16_000) < 1000)
    )
    noisy = replace(scene, audio=scene.audio + np.float32(rumble))
    wide, high = (
        SrpPhat(correlator=Correlator(band_hz=band)).locate(noisy) for band in ((100.0, 7900.0), (1200.0, 7900.0))
    )
    assert high.sources[0].score > wide.sources[0].score


def test_the_weighting_is_an_option_with_an_effect(positions, rng):
    """In a coloured sound plain correlation has broad peaks, whitening narrow ones: the same noise, another score."""
    scene = anechoic_scene(positions, np.array([2.0, 3.0, 1.0]), rng, snr_db=10.0, room=ROOM)
    weightings = [Correlator(whitening=w, floor=f) for w, f in ((1.0, 0.0), (0.0, 0.0), (1.0, 0.5))]
    scores = [SrpPhat(correlator=correlator).locate(scene).sources[0].score for correlator in weightings]
    assert len({round(score, 4) for score in scores}) == 3


def test_a_clock_known_to_be_late_is_set_right(positions, rng):
    """Microphone 2 late by 5 ms, microphone 5 drifting by 100 ppm for 30 s: told in the list, they cost nothing."""
    source = np.array([2.0, 3.0, 1.0])
    scene = anechoic_scene(positions, source, rng, seconds=0.6, room=ROOM)
    audio = scene.audio[:, 80:8080].copy()
    audio[2] = scene.audio[2, :8000]
    audio[5] = scene.audio[5, 80 - 48 : 8080 - 48]
    offset, drift = np.zeros(8), np.zeros(8)
    offset[2], drift[5] = 0.005, 100.0
    told = Microphones(positions=positions, offset_s=offset, drift_ppm=drift)
    late = replace(scene, audio=audio, start_s=29.75)
    untold = soundfix.load("srp-phat").locate(late)
    assert [r.name for r in untold.microphones if r.status in ("late", "misplaced")] == ["mic3", "mic6"]
    estimate = soundfix.load("srp-phat").locate(replace(late, microphones=told))
    assert estimate.verdict == "ok"
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.01


@pytest.mark.parametrize("method", ["srp-phat", "three-stream"])
@pytest.mark.parametrize("rate_hz", [100.0, 150.0])
def test_a_very_low_sample_rate_abstains(positions, rng, method, rate_hz):
    scene = anechoic_scene(positions, np.array([2.0, 3.0, 1.0]), rng, room=ROOM)
    assert soundfix.load(method).locate(replace(scene, sample_rate=rate_hz)).verdict == "abstain"


def test_a_scene_s_band_is_what_is_correlated(rng):
    """The animal's peak is as high as its noise lets it; outside the band there is nothing."""
    pairs, scene = np.array([[0, 1], [2, 4]]), caged(shared_sound(rng, HIGH_HZ))
    told = Correlator()(scene.audio.copy(), replace(scene, band_hz=HIGH_HZ), pairs)
    usual = Correlator()(scene.audio.copy(), scene, pairs)
    assert told.score(ANIMAL[None])[0] > 0.5
    assert usual.score(ANIMAL[None])[0] < 0.2
    assert told.step_m == pytest.approx(343.0 / (4 * RATE))  # as many lags a wave as are usual
    assert usual.step_m == pytest.approx(343.0 / RATE)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, 1.0),
        ({"band_hz": (100.0, 750.0)}, 10.0),
        ({"band_hz": (100.0, 37_500.0)}, 0.2),
        ({"band_hz": (100.0, 37_500.0), "speed_of_sound_m_s": 1716.0}, 1.0),
    ],
)
def test_peaks_are_finer_where_waves_are_shorter(rng, changes, wanted):
    scene = replace(caged(shared_sound(rng, HIGH_HZ)), **{"speed_of_sound_m_s": 343.2, **changes})
    assert grain(scene) == pytest.approx(wanted)
    assert Correlator()(scene.audio.copy(), scene, np.array([[0, 1]])).grain == grain(scene)


def test_who_is_late_may_be_as_many_waves_late(rng):
    scene = caged(shared_sound(rng, HIGH_HZ, seconds=1.0))
    usual, high, low = (largest_lag(replace(scene, band_hz=band)) for band in (None, HIGH_HZ, (100.0, 750.0)))
    assert usual == high
    assert low - usual == round(9 * 0.02 * RATE)


def test_clocks_may_be_told_to_be_later_than_usual(positions, rng):
    scene = anechoic_scene(positions, positions.mean(axis=0), rng)
    usual, later = (
        correlator(scene.audio.copy(), scene, np.array([[0, 1]]))
        for correlator in (Correlator(), Correlator(latest_s=0.1))
    )
    assert later.reach_m - usual.reach_m == pytest.approx(0.08 * scene.speed, abs=0.1)


def test_in_a_narrow_band_of_short_waves_no_polarity_is_told(positions, rng):
    scene = anechoic_scene(positions, positions.mean(axis=0), rng)
    for band_hz, hides in (((6000, 10000), True), ((4000, 10000), False), ((500, 800), False)):
        tuned = replace(scene, band_hz=band_hz, sample_rate=24_000.0)
        assert Correlator()(scene.audio.copy(), tuned, np.array([[0, 1]])).errors_hide_waves == hides


def test_lags_are_no_finer_than_errors_that_are_declared(positions, rng):
    def step_m(sigma_m):
        scene = anechoic_scene(positions, positions.mean(axis=0), rng)
        microphones = replace(scene.microphones, sigma_m=np.full(len(positions), sigma_m))
        told = replace(scene, microphones=microphones, room=None)
        return Correlator()(told.audio.copy(), told, np.array([[0, 1]])).step_m

    assert step_m(0.1) == step_m(0.0) < 0.006
    assert step_m(0.5) == pytest.approx(343.0 / 16_000, rel=0.01)


def test_in_wide_arrays_of_usual_errors_a_sample_is_fine_enough(positions):
    def told(times):
        microphones = Microphones(positions=positions * times)
        return Scene(audio=np.zeros((8, 160_000), np.float32), sample_rate=16_000.0, microphones=microphones)

    assert finer(told(20.0), 60_000.0) == 4
    assert finer(told(200.0), 60_000.0) == 1


def test_lags_are_as_many_as_curves_have(positions, rng):
    scene = anechoic_scene(positions, positions.mean(axis=0), rng)
    curves = Correlator()(scene.audio.copy(), scene, np.array([[0, 1]])).values
    assert curves.shape[1] <= lags_of(scene) <= curves.shape[1] + 4
