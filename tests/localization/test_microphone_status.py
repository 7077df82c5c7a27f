"""What an answer says of a microphone whose position is unknown."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.scenes import anechoic_scene
from helpers.srp_phat import ROOM, eight
from soundfix.microphones import Microphones


@pytest.fixture
def positions():
    return eight()


def test_an_unknown_position_gets_its_distance_from_the_source(positions, rng):
    source = np.array([2.0, 3.0, 1.0])
    scene = anechoic_scene(positions, source, rng, room=ROOM)
    blank = positions.copy()
    blank[6] = np.nan
    report = soundfix.load("srp-phat").locate(replace(scene, microphones=Microphones(positions=blank))).microphones[6]
    assert report.status == "unknown-position"
    assert report.position_m is None
    assert report.range_m == pytest.approx(np.linalg.norm(source - positions[6]), abs=0.02)


def test_an_unknown_position_in_a_cluster_far_from_the_source(rng):
    positions, source = rng.uniform(3, 4, (8, 3)), np.array([14.0, 9.0, 2.0])
    room = ((0.0, 0.0, 0.0), (15.0, 10.0, 4.0))
    scene = anechoic_scene(positions, source, rng, room=room)
    positions[7] = np.nan
    estimate = soundfix.load("srp-phat").locate(replace(scene, microphones=Microphones(positions=positions)))
    assert estimate.microphones[7].status == "unknown-position"
