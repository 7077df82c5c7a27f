"""What is asked can be asked."""

import pytest

from helpers.questions import row
from soundfix.datasets.benchmark import SIMULATED
from soundfix.datasets.varied import LISTS, VARIED
from soundfix.studies.questions import QUESTIONS, list_error_cm


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_has_conditions_a_place_and_a_limit(name):
    question = QUESTIONS[name]
    assert list(question.grid)  # each checks itself
    assert set(question.datasets.values()) <= set(SIMULATED)
    assert all(dataset in VARIED for dataset in question.datasets.values() if question.is_apart)
    assert question.title[0].isupper()
    assert question.about.endswith(".")
    assert question.not_shown.endswith(".")


def test_what_is_read_from_a_row():
    def read(name, **changes):
        reading = QUESTIONS[name].reading
        return reading.curve(row(**changes)), reading.x(row(**changes)), reading.value(row(**changes))

    assert read("dropped", fault="dead:2", window_s=0.128) == ("windows of 0.128 s", 2.0, "2")
    assert read("dropped") == ("windows of 0.5 s", 0.0, "0")
    assert read("unknown", unknown=6) == ("", 6.0, "6")
    assert read("sources", sources=3) == ("", 3.0, "3")
    assert read("rooms", microphones=8, labels={"floor": "60 m2"}) == ("60 m2", 8.0, "8")
    assert read("lists", labels={"list": "random", "by": "5 cm"}) == ("random", 5.0, "5 cm")
    assert read("reverberation", labels={"T60": "1.5 s"}) == ("", 1.5, "1.5")


def test_how_far_a_list_is_off():
    """Four of eleven shifted by 10 cm; 2 degrees and 2 % of the same array are nearly 3.5 and 2 % of its radius."""
    of = {key: list_error_cm(row(labels=dict(zip(("list", "by"), key, strict=True)))) for key in LISTS}
    assert of["exact", "0"] == 0
    assert of["wall", "10 cm"] == round(10 * (4 / 11) ** 0.5, 1)
    assert of["random", "20 cm"] == 20
    assert of["turned", "4°"] == pytest.approx(4 * of["turned", "1°"], abs=0.2)
    assert of["turned", "2°"] / of["scaled", "2 %"] == pytest.approx(0.0349 / 0.02, rel=0.05)  # heights scale too
