"""Other units are tried in the first few windows without a clear answer, and never after a clear one."""

from types import SimpleNamespace

import numpy as np
import pytest

from soundfix.errors import SceneError
from soundfix.session import units
from soundfix.session.units import WINDOWS_FOR_UNITS, UnitsCheck, is_unclear

SOUND, SILENCE = SimpleNamespace(audio=np.ones((2, 8))), SimpleNamespace(audio=np.zeros((2, 8)))


def answer(verdict="ok", *statuses):
    return SimpleNamespace(verdict=verdict, microphones=[SimpleNamespace(status=status) for status in statuses])


@pytest.fixture
def tried(monkeypatch):
    """How often another unit was tried; none fits."""
    calls = []
    monkeypatch.setattr(units, "likely_unit", lambda *given: calls.append(given))
    return calls


def told(check, *answers, scene=SOUND):
    for each in answers:
        check.hear(scene, each, None)


@pytest.mark.parametrize(
    ("scene", "estimate", "unclear"),
    [
        (SOUND, answer("abstain"), True),
        (SOUND, answer("ambiguous"), True),
        (SOUND, answer("ok"), False),
        (SOUND, answer("degraded", "late", "ok"), False),
        (SOUND, answer("degraded", "late", "misplaced"), True),
        (SILENCE, answer("abstain"), False),
    ],
)
def test_what_is_unclear(scene, estimate, unclear):
    assert is_unclear(scene, estimate) is unclear


def test_only_the_first_unclear_windows_are_tried(tried):
    told(UnitsCheck(), *[answer("abstain")] * 9)
    assert len(tried) == WINDOWS_FOR_UNITS


@pytest.mark.parametrize("before", [0, 1, 2])
def test_one_clear_answer_settles_it(tried, before):
    told(UnitsCheck(), *[answer("abstain")] * before, answer("ok"), *[answer("abstain")] * 5)
    assert len(tried) == before


def test_the_unit_that_fits_is_named(monkeypatch):
    monkeypatch.setattr(units, "likely_unit", lambda *given: "feet")
    with pytest.raises(SceneError, match="do as feet: were they given in feet"):
        told(UnitsCheck(), answer("abstain"))
