"""First sentences, word by word, from points made by hand."""

import pytest

from helpers.questions import point
from soundfix.studies import answers


def test_dropped():
    points = [point(x, [0.02 + 0.01 * x], curve=curve) for curve in ("0.5 s", "0.1 s") for x in range(4)]
    assert answers.dropped(points) == (
        "With 1, 2 and 3 of 11 microphones silent the mean error goes from 2.0 to 3.0, 4.0 and 5.0 cm over 0.5 s and "
        "from 2.0 to 3.0, 4.0 and 5.0 cm over 0.1 s."
    )


def test_unknown():
    points = [
        point(x, [0.02], curve=curve, microphones_m=(0.5 * x,) if x else ())
        for curve in ("here", "there")
        for x in (0, 1, 2)
    ]
    assert answers.unknown(points) == (
        "With 0, 1 and 2 of 11 positions unknown, in here the source is off by 2.0, 2.0 and 2.0 cm and those microphones "
        "by 50 and 100 cm, in there the source is off by 2.0, 2.0 and 2.0 cm and those microphones by 50 and 100 cm."
    )


def test_sources():
    points = [point(1, [0.1], found=0.994, counted=1.0), point(2, [0.1], found=0.741, counted=0.5)]
    assert answers.sources(points) == (
        "Of 1 and 2 sources over 2 s all are found within 30 cm in 99 and 74 % of the windows, and counted right in "
        "100 and 50 %."
    )


def test_rooms():
    """9 of 10 are enough, 8 are not; where nothing is enough, or the fewest that were tried are, that is said."""
    enough, few = [0.1] * 9 + [0.5], [0.1] * 8 + [0.5] * 2
    points = [
        *(point(x, errors, curve="20 m2") for x, errors in ((4, few), (5, enough), (6, enough))),
        *(point(x, few, curve="60 m2") for x in (4, 6)),
        *(point(x, enough, curve="200 m2") for x in (4, 6)),
    ]
    assert answers.rooms(points) == (
        "The fewest microphones with which 90 % of the windows are under 30 cm: 5 (90 %) in 20 m2, "
        "more than 6 (80 %) in 60 m2 and 4 or fewer (90 %) in 200 m2."
    )


def test_lists():
    """Each kind where it is nearest to 6 cm."""
    points = [
        point(0, [0.01], curve="exact"),
        *(point(x, [0.01 * x], curve=kind, value=f"{x} x") for kind in answers.WRONG for x in (3, 7, 12)),
    ]
    assert answers.lists(points) == (
        "Where a list is off by about 6 cm (root mean square) the mean error is 7.0 cm where one wall's microphones are "
        "shifted (7 x), 7.0 cm where the list is turned (7 x), 7.0 cm where it is scaled (7 x) and 7.0 cm where every "
        "microphone is off by itself (7 x); with an exact list it is 1.0 cm."
    )


def test_reverberation():
    assert answers.reverberation([point(0.2, [0.1, 0.2]), point(1.5, [0.1, 0.4])]) == (
        "With T60 of 0.2 and 1.5 s the mean error is 15.0 and 25.0 cm, and 100 and 50 % of the windows are under 30 cm."
    )


@pytest.mark.parametrize(("words", "said"), [("a", "a"), ("ab", "a and b"), ("abc", "a, b and c")])
def test_joined(words, said):
    assert answers.joined(words) == said
