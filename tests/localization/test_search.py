"""The search looks beyond the box where the microphones agree on a place outside."""

import numpy as np

import soundfix
from helpers.scenes import anechoic_scene

LOCALIZER = soundfix.load("srp-phat")


def test_a_source_beyond_the_box_is_not_clamped_silently(rng):
    positions = rng.uniform([0.1] * 3, [3.9, 3.9, 2.9], (8, 3))
    estimate = LOCALIZER.locate(
        anechoic_scene(positions, np.array([4.5, 2.0, 1.5]), rng, room=((0.0,) * 3, (4.0, 4.0, 3.0)))
    )
    assert estimate.verdict != "ok"
    assert {"outside_room", "at_border"} & set(estimate.reasons)
    assert np.linalg.norm(estimate.sources[0].position_m - [4.5, 2.0, 1.5]) < 0.1


def test_a_source_beyond_the_wall_is_nobodys_fault():
    positions = np.random.default_rng(3).uniform([0.1] * 3, [3.9, 3.9, 2.9], (8, 3))
    source, room = np.array([4.5, 2.0, 1.5]), ((0.0, 0.0, 0.0), (4.0, 4.0, 3.0))
    estimate = LOCALIZER.locate(anechoic_scene(positions, source, np.random.default_rng(0), room=room))
    assert {report.status for report in estimate.microphones} == {"ok"}
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.1
