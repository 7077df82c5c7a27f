"""Calibrations are those of before: no change goes unnoticed, wherever it is made (helpers/kept_calibrations.py)."""

import json

import numpy as np

from helpers.kept_calibrations import PATH, found, told

WORDS = ("findings", "doubts", "unit")
CLOSE, CLOSE_CM = 5e-3, 0.02  # processors round otherwise


def test_calibrations_are_those_of_before():
    before = json.loads(PATH.read_text("utf-8"))
    for name, calibration in found():
        now, then = told(calibration), before[name]
        assert {word: now[word] for word in WORDS} == {word: then[word] for word in WORDS}, name
        for numbers in then.keys() - set(WORDS):
            np.testing.assert_allclose(
                now[numbers], then[numbers], rtol=CLOSE, atol=CLOSE_CM, err_msg=f"{name}: {numbers}"
            )
