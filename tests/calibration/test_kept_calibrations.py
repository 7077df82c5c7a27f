"""Calibrations are those of before: no change goes unnoticed, wherever it is made (helpers/kept_calibrations.py)."""

import json

import numpy as np
import pytest

from helpers.kept_calibrations import NO_LIST, PATH, cases, told

WORDS = ("findings", "doubts", "unit")
CLOSE, CLOSE_CM = 5e-3, 0.02  # processors round otherwise


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == NO_LIST else ()) for name in cases()]
)
def test_calibrations_are_those_of_before(name):
    now, then = told(cases()[name]()), json.loads(PATH.read_text("utf-8"))[name]
    assert {word: now[word] for word in WORDS} == {word: then[word] for word in WORDS}
    for numbers in then.keys() - set(WORDS):
        np.testing.assert_allclose(now[numbers], then[numbers], rtol=CLOSE, atol=CLOSE_CM, err_msg=numbers)
