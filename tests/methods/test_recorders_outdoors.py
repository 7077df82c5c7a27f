"""The whole way outdoors: recorders in a wood, coordinates good to a metre, clocks to a millisecond, air of another day."""

import re
from dataclasses import replace

import numpy as np
import pytest

import soundfix
from soundfix.microphones import Microphones
from soundfix.physics import REGION_90
from soundfix.report.summary import summary_dict, summary_lines
from soundfix.scene import Scene
from soundfix.session.session import Session
from soundfix.simulation.diffuse import diffuse_noise
from soundfix.simulation.outdoors import RATE_HZ, Wood, draw_recorders, draw_singer, record, told
from soundfix.simulation.synthesis import birds

METHODS = ("srp-phat", "three-stream")


def song(wood, seed, *, flat=False):
    """A window without its truth, and where the singer is."""
    rng = np.random.default_rng(seed)
    places = draw_recorders(wood, rng)
    if flat:
        places[:, 2] = 1.5
    singer = draw_singer(places, wood, rng)
    scene = record(wood, birds(1.0, sample_rate=RATE_HZ, rng=rng), places, singer, rng, duration_s=2.0)
    return replace(scene, truth=None), singer


def off_m(estimate, singer):
    return float(np.linalg.norm((estimate.sources[0].position_m - singer)[:2]))


def accused(estimate):
    return [report.name for report in estimate.microphones if report.status != "ok"]


def is_held(estimate, singer):
    off = singer - estimate.sources[0].position_m
    return off @ np.linalg.solve(estimate.sources[0].covariance_m2, off) <= REGION_90


@pytest.mark.parametrize("method", METHODS)
def test_a_song_among_recorders_is_found_to_centimetres_and_nobody_is_accused(method):
    localizer = soundfix.load(method)
    for seed in range(4):
        scene, singer = song(Wood(), seed)
        estimate = localizer.locate(scene)
        assert estimate.verdict == "ok"
        assert off_m(estimate, singer) < 0.15
        assert estimate.sources[0].across90_m < 0.5
        assert not accused(estimate)
        assert not {"moves", "mirror_twin", "at_border", "second_opinion"} & set(estimate.reasons)
        assert estimate.air.speed_m_s == pytest.approx(340.3, rel=0.01)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("wood", "sigma_m", "clock_s", "far_m"),
    [(Wood(gps_m=1.0), 1.0, 0.0, 3.0), (Wood(clock_s=1e-3), 0.0, 1e-3, 1.0), (Wood(gps_m=1.0), 0.0, 0.0, 3.0)],
    ids=["coordinates", "clocks", "nothing told"],
)
def test_what_is_off_by_a_metre_or_a_millisecond_is_held_against_nobody(method, wood, sigma_m, clock_s, far_m):
    localizer, held = soundfix.load(method), []
    for seed in range(3):
        scene, singer = song(wood, seed)
        known = scene.microphones.with_errors(sigma_m, clock_s)
        estimate = localizer.locate(replace(scene, microphones=known))
        assert off_m(estimate, singer) < far_m
        assert not accused(estimate)
        held.append(is_held(estimate, singer))
    assert sum(held) >= 2


def test_who_is_far_more_off_than_that_is_named():
    localizer, named = soundfix.load("srp-phat"), 0
    for seed in range(5):
        scene, singer = song(Wood(), seed)
        audio = scene.audio.copy()
        audio[4] = np.roll(audio[4], round(0.1 * RATE_HZ))
        estimate = localizer.locate(replace(scene, audio=audio))
        assert off_m(estimate, singer) < 0.3
        named += accused(estimate) == ["mic5"]
    assert named >= 4


def test_recorders_at_one_height_have_no_mirror_image_in_the_ground():
    for seed in range(4):
        scene, singer = song(Wood(), seed, flat=True)
        estimate = soundfix.load("srp-phat").locate(scene)
        assert estimate.verdict == "ok"
        assert len(estimate.sources) == 1
        assert estimate.sources[0].position_m[2] > -0.6
        assert is_held(estimate, singer)


def test_the_ground_is_no_border_that_a_singer_may_be_beyond():
    rng = np.random.default_rng(0)
    places = draw_recorders(Wood(), rng)
    singer = np.array([50.0, 30.0, places[:, 2].min() - 4.0])
    scene = record(Wood(), birds(1.0, sample_rate=RATE_HZ, rng=rng), places, singer, rng, duration_s=2.0)
    estimate = soundfix.load("srp-phat").locate(replace(scene, truth=None))
    assert estimate.sources[0].position_m[2] == pytest.approx(scene.ground_m)
    assert "at_border" not in estimate.reasons


@pytest.mark.parametrize("method", METHODS)
def test_noise_is_no_answer(method):
    localizer = soundfix.load(method)
    for seed, duration_s in enumerate((1.0, 1.0, 3.0)):
        rng = np.random.default_rng(seed)
        places = draw_recorders(Wood(rows=4, columns=4), rng)
        count = round(duration_s * RATE_HZ)
        far = diffuse_noise(places, count, speed_m_s=340.0, sample_rate=RATE_HZ, rng=rng)
        audio = far / far.std() + rng.standard_normal((16, count))
        scene = Scene(audio=0.01 * audio, sample_rate=RATE_HZ, microphones=Microphones(positions=places))
        assert localizer.locate(scene).verdict == "abstain"


def test_a_cold_day_that_was_taken_for_a_warm_one_is_noticed():
    cold, rng = Wood(temperature_c=0.0, told_c=20.0), np.random.default_rng(3)
    places = draw_recorders(cold, rng)
    session = Session(
        localizer=soundfix.load("srp-phat"), microphones=Microphones(positions=places), temperature_c=20.0
    )
    for k in range(8):
        singer = draw_singer(places, cold, rng)
        scene = record(cold, birds(1.0, sample_rate=RATE_HZ, rng=rng), places, singer, rng, duration_s=2.0)
        estimate = session.hear(2.0 * k, scene.audio, RATE_HZ)
        assert off_m(estimate, singer) < 0.5
        assert not accused(estimate)
    summary = session.conclusion()
    lines = "\n".join(summary_lines(summary))
    assert summary.air.speed_m_s == pytest.approx(331.3, abs=1.2)  # each song alone leans to what was told
    assert re.search(r"\(still air of [01] °C\), not at 343.2 m/s \(20 °C\)", lines)
    assert re.search("--temperature [01] says so", lines)
    assert summary_dict(summary)["air"]["contradicts"] is True


def test_the_call_takes_what_is_known_of_errors():
    scene, _ = song(Wood(), 0)
    radii = [
        soundfix.locate(
            scene.audio, RATE_HZ, scene.microphones, method="srp-phat", window_s=2.0, temperature_c=15.0, **told_of
        ).estimates[0].sources[0].across90_m
        for told_of in ({}, {"position_sigma_m": 1.0}, {"clock_sigma_s": 1e-3})
    ]  # fmt: skip
    assert radii[0] < 0.2 < radii[2] < radii[1]


def test_what_the_list_says_of_errors_stays():
    listed = told(song(Wood(), 0)[0], position_sigma_m=0.3).microphones
    assert listed.with_errors(1.0, 1e-3).sigma_m == pytest.approx(0.3)
    assert listed.with_errors(1.0, 1e-3).clock_sigma_s == pytest.approx(1e-3)
    assert listed.with_errors().sigma_m == pytest.approx(0.3)
