"""When an answer is a direction, that it is right and alike for all methods, and what it says of the microphones."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.compact import CENTRE, SPEED, SQUARE, TETRAHEDRON, angle_deg, compact_scene, unit
from soundfix.estimate import Source
from soundfix.localization.boxes import CorrelationBoxes
from soundfix.localization.compact import is_far_for, tells_directions_only
from soundfix.localization.pipeline import estimate_window
from soundfix.localization.preparation import prepare
from soundfix.microphones import Microphones
from soundfix.testing import contract_scene

TOWARDS = unit(20, 14)


def answer(scene):
    return estimate_window(scene, CorrelationBoxes(), method="srp-phat").estimate


def with_audio(scene, m, samples):
    audio = scene.audio.copy()
    audio[m] = samples
    return replace(scene, audio=audio)


@pytest.mark.parametrize("snr_db", [20, 5])
def test_a_tetrahedron_tells_a_direction(snr_db):
    found = answer(compact_scene(towards=TOWARDS, snr_db=snr_db))
    assert found.verdict == "direction only"
    assert found.reasons == ("direction_only",)
    assert angle_deg(found.direction.unit, TOWARDS) < found.direction.cone90_deg < 12
    np.testing.assert_allclose(found.direction.from_m, CENTRE, atol=1e-9)
    assert len(found.sources) == 1
    assert all(report.status == "ok" and report.weight == 1 for report in found.microphones)


def test_a_square_tells_both_sides():
    found = answer(compact_scene(SQUARE, towards=unit(-70, 30)))
    assert found.verdict == "direction only"
    assert found.reasons == ("direction_only", "mirror_twin")
    up, down = found.direction.sides
    assert (up.azimuth_deg, up.elevation_deg) == pytest.approx((-70, 30), abs=3)
    assert down.elevation_deg == pytest.approx(-up.elevation_deg)
    assert len(found.sources) == 2


def test_all_methods_say_the_same():
    scene = compact_scene(towards=TOWARDS)
    said = [soundfix.load(name).locate(scene).direction for name in ("srp-phat", "multilateration", "three-stream")]
    assert len({(each.azimuth_deg, each.elevation_deg, each.cone90_deg) for each in said}) == 1
    network = soundfix.load("three-stream", explains=True).locate(scene)
    assert "cones" in network.regions.method
    assert network.pairs == ()


def test_a_higher_rate_is_used():
    found = answer(compact_scene(towards=TOWARDS, rate=48_000.0))
    assert angle_deg(found.direction.unit, TOWARDS) < 1.5


def test_a_late_clock_that_was_declared_is_no_fault():
    scene = compact_scene(towards=TOWARDS)
    late = with_audio(scene, 1, np.roll(scene.audio[1], 16))
    offset_s = np.array([0, 16 / scene.sample_rate, 0, 0])
    told = replace(late, microphones=Microphones(positions=scene.microphones.positions, offset_s=offset_s))
    assert angle_deg(answer(told).direction.unit, TOWARDS) < 2


def test_a_reversed_microphone_is_turned_and_named():
    scene = compact_scene(towards=TOWARDS)
    found = answer(with_audio(scene, 2, -scene.audio[2]))
    assert [report.status for report in found.microphones] == ["ok", "ok", "inverted", "ok"]
    assert "inverted:mic3" in found.reasons
    assert angle_deg(found.direction.unit, TOWARDS) < 2


def test_a_microphone_with_nothing_in_common_is_left_out_and_named(rng):
    six = 0.046 * np.array([[np.cos(turn), np.sin(turn), 0] for turn in np.arange(6) * np.pi / 3])
    scene = compact_scene(six, towards=TOWARDS)
    found = answer(with_audio(scene, 4, 0.1 * rng.standard_normal(scene.audio.shape[1])))
    assert [report.weight for report in found.microphones] == [1, 1, 1, 1, 0, 1]
    assert "excluded:mic5" in found.reasons
    assert min(angle_deg(side.unit, TOWARDS) for side in found.direction.sides) < 5


def test_noise_is_no_direction(rng):
    scene = compact_scene(towards=TOWARDS)
    noise = replace(scene, audio=rng.standard_normal(scene.audio.shape).astype(np.float32))
    assert (answer(noise).verdict, answer(noise).reasons) == ("abstain", ("no_signal",))
    assert answer(noise).direction is None


def test_a_sound_from_all_sides_alike_is_no_direction(rng, monkeypatch):
    """What stands out as little as noise does, were it believed, has a cone that is no direction."""
    monkeypatch.setattr("soundfix.localization.compact.HEARD", 0.0)
    scene = compact_scene(towards=TOWARDS)
    noise = replace(scene, audio=rng.standard_normal(scene.audio.shape).astype(np.float32))
    assert (answer(noise).verdict, answer(noise).reasons) == ("abstain", ("no_fix",))


@pytest.mark.parametrize(
    ("rate", "samples", "sigma_m"), [(16_000.0, 5, 0), (16_000.0, 600, 0), (300.0, 600, 0), (16_000.0, 8000, 1)]
)
def test_what_can_hardly_be_answered_is_no_error(rng, rate, samples, sigma_m):
    """A few samples, few of them a second, or positions that are known to be wrong."""
    positions = CENTRE + TETRAHEDRON
    microphones = Microphones(positions=positions, sigma_m=np.full(4, float(sigma_m)))
    scene = soundfix.Scene(
        audio=rng.standard_normal((4, samples)), sample_rate=rate, microphones=microphones, speed_of_sound_m_s=SPEED
    )
    assert answer(scene).verdict in ("direction only", "abstain")


def test_it_depends_on_the_width_and_on_the_distance():
    near, far = unit(0, 0) * 0.5 + CENTRE, unit(0, 0) * 6 + CENTRE
    for times, only, at_far in ((1, True, True), (4, False, True), (60, False, False)):
        scene = compact_scene(times * TETRAHEDRON, towards=TOWARDS, seconds=1.0)
        prepared = prepare(scene)
        assert tells_directions_only(prepared) == only
        assert is_far_for(prepared, [placed(far)]) == at_far
        assert not is_far_for(prepared, [placed(near)]) or only


def test_a_wider_array_tells_a_place_near_by_and_a_direction_far_away():
    near = answer(compact_scene(10 * TETRAHEDRON, towards=TOWARDS, range_m=0.8))
    far = answer(compact_scene(4 * TETRAHEDRON, towards=TOWARDS, range_m=30.0, seconds=1.0))
    assert near.direction is None
    assert near.sources[0].position_m == pytest.approx(CENTRE + 0.8 * TOWARDS, abs=0.1)
    assert far.verdict == "direction only"
    assert angle_deg(far.direction.unit, TOWARDS) < 2


def test_a_line_and_a_scattered_array_never_come_here():
    line = compact_scene(np.outer(np.arange(5), [0.02, 0, 0]), towards=TOWARDS)
    assert not tells_directions_only(prepare(line))
    assert answer(contract_scene()).direction is None


def placed(position_m):
    return Source(position_m=position_m, covariance_m2=np.eye(3), radius90_m=1.0, score=0.5)


def test_the_speed_of_sound_is_that_of_the_scene():
    """Told 10 % too fast, a flat array hears steeper than it is."""
    scene = compact_scene(SQUARE, towards=unit(10, 45))
    slow = answer(replace(scene, speed_of_sound_m_s=0.9 * SPEED)).direction
    right = answer(scene).direction
    assert slow.elevation_deg > right.elevation_deg + 4
