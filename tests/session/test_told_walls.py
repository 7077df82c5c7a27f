"""A recording whose walls are elsewhere is answered without its room, and says so; one with right walls is not."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.echoes import echoing_scene
from soundfix.localization.walls import heard_walls
from soundfix.session import told_walls
from soundfix.session.session import Session
from soundfix.session.told_walls import ToldWalls

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))
WRONG = ((-0.8, -0.8, -0.8), (6.8, 5.8, 3.8))
THIN = ((-0.8, -0.8, 1.2), (6.8, 5.8, 1.2))


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(5)
    positions = rng.uniform([0.3] * 3, [5.7, 4.7, 2.7], (8, 3))
    places = rng.uniform([1, 1, 1.2], [5, 4, 1.2], (5, 3))
    return [echoing_scene(positions, place, ROOM, rng) for place in places]


def heard(windows, room, localizer=None):
    """The estimates of a session that is told this room."""
    session = Session(
        localizer=localizer or soundfix.load("srp-phat"), microphones=windows[0].microphones, room=room,
        speed_of_sound_m_s=343.0,
    )  # fmt: skip
    return [session.hear(0.5 * k, window.audio, window.sample_rate) for k, window in enumerate(windows)]


class Spy:
    """Remembers the scenes it was asked to locate."""

    name = "spy"

    def __init__(self):
        self.scenes, self.own = [], soundfix.load("srp-phat")

    def locate(self, scene):
        self.scenes.append(scene)
        return self.own.locate(scene)


def test_wrong_walls_are_told_and_not_used_from_then_on(windows):
    spy = Spy()
    estimates = heard(windows, WRONG, spy)
    says = [any(note.startswith("no echo of these walls") for note in each.notes) for each in estimates]
    assert not any(says[:2])
    assert says[-1]
    assert [scene.room is None for scene in spy.scenes] == says
    assert all(each.verdict == "ok" for each in estimates)


def test_right_walls_stay(windows):
    spy = Spy()
    heard(windows, ROOM, spy)
    assert all(scene.room == ROOM for scene in spy.scenes)


def test_a_height_that_was_told_with_wrong_walls_stays_known(windows):
    spy = Spy()
    heard(windows, THIN, spy)
    assert spy.scenes[-1].room is None
    assert spy.scenes[-1].search_box()[:, 2].tolist() == [1.2, 1.2]


def test_only_clear_answers_say_anything_of_walls(windows):
    """What is ambiguous, or no answer, may be elsewhere."""
    estimate = soundfix.load("srp-phat").locate(windows[0])
    unclear = replace(estimate, verdict="ambiguous"), replace(estimate, verdict="abstain", sources=())
    for said in unclear:
        walls = ToldWalls(room=WRONG)
        for window in windows:
            walls.hear(window, said)
        assert not walls.are_contradicted()


def test_walls_that_have_answered_are_asked_no_more(windows, monkeypatch):
    asked = []
    monkeypatch.setattr(told_walls, "heard_walls", lambda *told: asked.append(1) or heard_walls(*told))
    heard(windows, ROOM)
    assert 2 <= len(asked) < len(windows)
    asked.clear()
    heard(windows[:3], THIN)
    assert len(asked) == 3


def test_without_a_room_there_are_no_walls(windows):
    spy = Spy()
    heard(windows[:2], None, spy)
    assert all(scene.room is None and scene.search is None for scene in spy.scenes)
