"""Answers are those of before: no change goes unnoticed, wherever it is made (helpers/kept_answers.py writes them anew)."""

import json

import numpy as np
import pytest

from helpers.kept_answers import METHODS, PATH, answers

WORDS = ("verdict", "findings", "statuses")
CLOSE_M, CLOSE = 2e-4, 2e-3  # processors round otherwise


@pytest.mark.parametrize("method", METHODS)
def test_answers_are_those_of_before(method):
    for name, now in answers(method).items():
        before = json.loads(PATH.read_text("utf-8"))[method][name]
        assert {word: now[word] for word in WORDS} == {word: before[word] for word in WORDS}, name
        for numbers in before.keys() - set(WORDS):
            np.testing.assert_allclose(now[numbers], before[numbers], rtol=CLOSE, atol=CLOSE_M, err_msg=name)
