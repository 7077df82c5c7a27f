"""Positions in feet, centimetres or millimetres are noticed by the sound."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.scenes import drawn
from helpers.session import CORNERS, RATE, locate
from soundfix.errors import SceneError
from soundfix.estimate import Estimate, MicrophoneReport, Source
from soundfix.methods.catalog import load
from soundfix.microphones import Microphones
from soundfix.physics import OTHER_UNITS_M
from soundfix.search_region import SearchRegion
from soundfix.session import units
from soundfix.session.units import WINDOWS_FOR_UNITS, UnitsCheck, is_unclear, likely_unit
from soundfix.simulation.worlds import LUVIRA_TWIN
from soundfix.testing import contract_scene

SOUND = contract_scene(4, seconds=0.1)
SILENCE = replace(SOUND, audio=np.zeros_like(SOUND.audio))
SRP = load("srp-phat")
CUBE = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
SOMEWHERE = Source(position_m=np.zeros(3), covariance_m2=np.eye(3), radius90_m=2.5, score=1.0)


@pytest.mark.parametrize("unit", ["cm", "mm"])
def test_a_unit_that_no_window_spans_is_refused(outdoors, unit):
    with pytest.raises(SceneError, match=rf"in {unit}\?|in {unit} or"):
        soundfix.locate(outdoors.audio, RATE, CORNERS / OTHER_UNITS_M[unit], speed_of_sound_m_s=343.0)


def test_positions_in_another_unit_are_told_once_and_the_run_goes_on(outdoors):
    located = soundfix.locate(
        outdoors.audio, RATE, CORNERS / OTHER_UNITS_M["feet"], method="srp-phat", speed_of_sound_m_s=343.0
    )
    assert len(located.estimates) == 4
    assert located.to_dict()["list_unit"] == "feet"
    assert repr(located).count("they do as feet: were they given in feet?") == 1


def test_metres_are_not_spoken_of(outdoors):
    located = soundfix.locate(outdoors.audio, RATE, CORNERS, method="srp-phat", speed_of_sound_m_s=343.0)
    assert "list_unit" not in located.to_dict()
    assert "given in" not in repr(located)


def test_likely_unit_of_a_live_room(studio):
    window = replace(studio, audio=studio.audio[:, :8000], room=None)
    abstained = Estimate(method="none", start_s=0.0, end_s=0.5, verdict="abstain")
    feet = replace(window, microphones=Microphones(positions=studio.microphones.positions / OTHER_UNITS_M["feet"]))
    assert likely_unit(window, load(), load().locate(window)) is None
    assert likely_unit(feet, load(), abstained) == "feet"


@pytest.mark.parametrize("seed", range(2))
def test_metres_are_not_taken_for_another_unit(seed):
    """Also where the windows are hard: no exception, whatever the verdict."""
    scene = drawn(LUVIRA_TWIN, np.random.default_rng([3, seed]), duration_s=1.0)
    assert len(locate(scene, room=None).estimates) == 2


def answer(verdict="ok", *statuses):
    """With nobody but microphones of these statuses."""
    reports = tuple(
        MicrophoneReport(name=f"mic{m}", status=status, weight=0.0, position_m=None)
        for m, status in enumerate(statuses)
    )
    sources = () if verdict == "abstain" else (SOMEWHERE,)
    return Estimate(method="none", start_s=0.0, end_s=0.5, verdict=verdict, sources=sources, microphones=reports)


@pytest.fixture
def tried(monkeypatch):
    """How often another unit was tried; none fits."""
    calls = []
    monkeypatch.setattr(units, "likely_unit", lambda *given: calls.append(given))
    return calls


def told(check, *answers, scene=SOUND):
    for each in answers:
        check.hear(scene, each)


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
    """And no answer waits for that: only whoever asks."""
    told(check := UnitsCheck(), *[answer("abstain")] * 9)
    assert tried == []
    assert check.unit(SRP) is None
    assert check.unit(SRP) is None
    assert len(tried) == WINDOWS_FOR_UNITS


@pytest.mark.parametrize("before", [0, 1, 2])
def test_one_clear_answer_settles_it(tried, before):
    told(check := UnitsCheck(), *[answer("abstain")] * before, answer("ok"), *[answer("abstain")] * 5)
    check.unit(SRP)
    assert len(tried) == before


def test_the_unit_that_fits_is_kept(monkeypatch):
    """And nothing more is tried."""
    found = iter([None, "feet"])
    monkeypatch.setattr(units, "likely_unit", lambda *given: next(found))
    told(check := UnitsCheck(), answer("abstain"), answer("abstain"), answer("abstain"))
    assert check.unit(SRP) == "feet"
    told(check, answer("ok"))
    assert check.unit(SRP) == "feet"


def test_asked_early_it_goes_on(tried):
    told(check := UnitsCheck(), answer("abstain"))
    assert check.unit(SRP) is None
    told(check, answer("abstain"))
    assert check.unit(SRP) is None
    assert len(tried) == 2


def test_a_compact_array_is_never_asked(tried):
    """Its microphones are within 0.5 m."""
    microphones = Microphones(positions=SOUND.microphones.positions / 20)
    told(check := UnitsCheck(), *[answer("abstain")] * 5, scene=replace(SOUND, microphones=microphones))
    check.unit(SRP)
    assert tried == []


class FitsWhereItMay:
    """As well in feet as in metres, where no walls and no search region are told; else nowhere."""

    name = "stub"

    def locate(self, scene):
        reports = tuple(
            replace(report, weight=1.0) for report in answer("ok", *["ok"] * len(scene.microphones)).microphones
        )
        is_free = scene.room is None and scene.search is None
        return replace(answer("ok" if is_free else "abstain"), microphones=reports)


@pytest.mark.parametrize("told", [{"room": CUBE}, {"search": SearchRegion(bounds=np.array(CUBE))}])
def test_a_source_that_was_not_looked_for_in_metres_is_no_reason_for_feet(told):
    """In feet it is sought everywhere: so it is in metres."""
    free = replace(SOUND, room=None)
    assert likely_unit(replace(free, **told), FitsWhereItMay(), answer("abstain")) is None
    assert likely_unit(free, FitsWhereItMay(), answer("abstain")) == "feet"
