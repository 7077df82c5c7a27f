"""Positions in feet, centimetres or millimetres are noticed by the sound."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.scenes import drawn
from helpers.session import CORNERS, RATE, locate
from soundfix.errors import SceneError
from soundfix.estimate import Estimate
from soundfix.methods.catalog import load
from soundfix.microphones import Microphones
from soundfix.session.units import UNITS_M, likely_unit
from soundfix.simulation.worlds import LUVIRA_TWIN


@pytest.mark.parametrize("unit", ["feet", "cm", "mm"])
def test_positions_in_another_unit_are_named(outdoors, unit):
    """Millimetres may be refused already because a window cannot span them."""
    with pytest.raises(SceneError, match=rf"in {unit}\?|in {unit} or"):
        soundfix.locate(outdoors.audio, RATE, CORNERS / UNITS_M[unit], speed_of_sound_m_s=343.0)


def test_likely_unit_of_a_live_room(studio):
    window = replace(studio, audio=studio.audio[:, :8000], room=None)
    abstained = Estimate(method="none", start_s=0.0, end_s=0.5, verdict="abstain")
    feet = replace(window, microphones=Microphones(positions=studio.microphones.positions / UNITS_M["feet"]))
    assert likely_unit(window, load(), load().locate(window)) is None
    assert likely_unit(feet, load(), abstained) == "feet"


@pytest.mark.parametrize("seed", range(4))
def test_metres_are_not_taken_for_another_unit(seed):
    """Also where the windows are hard: no exception, whatever the verdict."""
    scene = drawn(LUVIRA_TWIN, np.random.default_rng([3, seed]), duration_s=1.0)
    assert len(locate(scene, room=None).estimates) == 2
