"""A page has its answer first, every number, a picture, and its limit."""

from dataclasses import replace

import numpy as np
from matplotlib.image import imread

from helpers.questions import point
from soundfix.studies.pages import draw, listing, page
from soundfix.studies.questions import QUESTIONS

QUESTION = QUESTIONS["dropped"]
POINTS = [
    point(x, [0.02 + 0.01 * x, 0.03], curve=curve, method=method)
    for method in ("three-stream", "srp-phat")
    for curve in ("windows of 0.128 s", "windows of 0.5 s")
    for x in range(4)
]


def test_the_first_sentence_is_of_the_first_method():
    text = page("dropped", QUESTION, POINTS, 20, 3, True)
    title, answer, picture, numbers, *_ = text.split("\n\n")
    assert title == "# Microphones that fall silent"
    assert answer.startswith("With 1, 2 and 3 of 11 microphones silent the mean error goes from 2.5 to 3.0")
    assert answer.endswith("(`three-stream`)")
    assert picture.endswith("](dropped.png)")
    assert len(numbers.splitlines()) == 2 + len(POINTS)
    assert "`soundfix study dropped`, 20 clips of recorded speech and music" in text
    assert "(`--clips 20 --seed 3`); test set `luvira-twin`, " in text
    assert text.endswith(f"**What it does not show.** {QUESTION.not_shown}\n")
    assert "of built-in sounds" in page("dropped", QUESTION, POINTS, 20, 3, False)


def test_a_table_has_the_columns_that_are_needed():
    def head(question, points):
        return listing(question, points).splitlines()[0].strip("| ").split(" | ")

    assert head(QUESTION, POINTS)[:4] == ["method", "", "silent microphones of 11", "windows"]
    plain = [replace(each, curve="") for each in POINTS]
    assert head(QUESTION, plain)[1] == "silent microphones of 11"
    assert head(QUESTIONS["lists"], [replace(each, value="5 cm") for each in plain])[2] == "by"
    assert head(QUESTIONS["sources"], plain)[-2:] == ["all found", "counted"]
    assert head(QUESTIONS["unknown"], plain)[-1] == "error of those microphones"
    assert (
        listing(QUESTION, POINTS[:1])
        .splitlines()[-1]
        .startswith(
            "| three-stream | windows of 0.128 s | 0 | 2 | 2.5 ± 0.4 cm | 2.5 cm | 100.0 ± 0.0 % | 0 % | 100.0 ± 0.0 % |"
        )
    )


def test_a_picture_is_small_and_shows_every_curve(tmp_path):
    path = draw(QUESTION, POINTS, tmp_path / "p.png")
    assert path.stat().st_size < 45_000
    one = imread(draw(QUESTION, POINTS[:4], tmp_path / "q.png"))
    assert (imread(path)[..., :3] < 0.9).any(axis=2).mean() > (one[..., :3] < 0.9).any(axis=2).mean()


def test_a_point_without_microphones_is_not_drawn(tmp_path):
    """With no unknown position there is nothing to be off."""
    points = [point(x, [0.1, 0.2], microphones_m=(0.5,) if x else ()) for x in (0, 1)]
    assert np.isfinite(imread(draw(QUESTIONS["unknown"], points, tmp_path / "p.png"))).all()
