"""The survey as JSON, as text and as a picture."""

import json

import numpy as np
import pytest

from helpers.drawings import MICROPHONES, ROOM, assert_is_drawn
from helpers.surveys import ROOM as SURVEYED
from helpers.surveys import graded, heard_windows
from soundfix.report.canvas import LEFT_INCHES, view_inches
from soundfix.report.survey import error_levels, plot_survey, survey_dict, survey_lines
from soundfix.simulation.faults import Fault
from soundfix.survey.survey import survey


def test_the_report_is_json(rng):
    report = graded(heard_windows(rng), Fault("dead", "2"), rng=rng)
    stored = json.loads(json.dumps(survey_dict(report), allow_nan=False))
    assert stored["microphones"][1]["grade"] == "dead"
    assert stored["microphones"][1]["is_used"] is False
    assert stored["predicted_error"]["median_m"] == report.prediction.median_m
    assert stored["predicted_error"]["slices"][0]["error_m"][3][4] == pytest.approx(
        report.prediction.slices[0].error_m[3, 4], abs=1e-5
    )
    assert stored["without"][0]["name"] == report.losses[0].name


def test_the_text_is_in_centimetres_and_aligned(rng):
    windows = heard_windows(rng)
    lines = survey_lines(survey(windows[0].microphones, room=SURVEYED, windows=windows))
    assert lines[0] == "8 of 8 microphones are usable (8 windows heard)"
    assert len({line.index("hears") for line in lines[1:9]}) == 1
    assert any(line.startswith("  median ") and line.endswith(" cm") for line in lines)
    assert max(map(len, lines)) < 120


def test_a_survey_is_a_picture_of_the_size_of_its_box(tmp_path):
    report = survey(MICROPHONES, room=ROOM, windows=[])
    plot_survey(report, tmp_path / "survey.png")
    image = assert_is_drawn(tmp_path / "survey.png")
    assert image.shape[0] == pytest.approx(150 * (sum(view_inches(report.box)) + 1.6), abs=1)
    assert image.shape[1] == round(150 * (LEFT_INCHES + 4.4))


@pytest.mark.parametrize(
    ("kept", "room"),
    [(4, None), (1, None), (6, ((0.0, 0.0, 1.0), (6.0, 4.0, 1.0)))],
    ids=["four", "one", "known height"],
)
def test_every_kind_of_survey_can_be_drawn(tmp_path, kept, room):
    report = survey(MICROPHONES.where(np.arange(6) < kept), room=room, windows=[])
    plot_survey(report, tmp_path / "survey.png")
    assert_is_drawn(tmp_path / "survey.png")


def test_levels_are_round_and_span_the_errors():
    levels = error_levels(np.geomspace(0.9, 55, 200))
    assert 3 <= len(levels) <= 9
    assert levels[0] <= 1.5
    assert levels[-1] >= 30
    assert all(f"{level:.2g}" == f"{level:g}" for level in levels)


def test_levels_of_errors_that_are_all_alike_increase():
    levels = error_levels(np.full(50, 3.3333))
    assert (np.diff(levels) > 0).all()
    assert levels[0] < 3.3333 < levels[-1]
