"""What can be said before anything is located: signals graded, limits of the geometry said, errors as the bound has them."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.surveys import CORNERS, ROOM, only
from soundfix.errors import SceneError
from soundfix.survey.survey import survey


def test_silence_is_dead_and_the_geometry_is_judged_all_the_same(windows):
    report = survey(windows[0].microphones, room=ROOM, windows=[replace(w, audio=0 * w.audio) for w in windows])
    assert {m.grade for m in report.microphones} == {"dead"}
    assert report.is_used.all()
    assert all(m.level_db is None and m.shared is None for m in report.microphones)


def test_no_position_at_all_is_refused():
    with pytest.raises(SceneError, match="none of the 2 microphones has a position"):
        only(np.full((2, 3), np.nan))


def test_without_a_recording_only_the_geometry_is_judged():
    report = only(CORNERS)
    assert {m.grade for m in report.microphones} == {"unheard"}
    assert report.is_used.all()
    assert report.geometry.grade == "good"
