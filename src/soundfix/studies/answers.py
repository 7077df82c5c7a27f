"""The first sentence of a result page, made from its points: what was asked, answered in numbers.

Every function is given the points of one method.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from soundfix.studies.points import Point

ENOUGH = 0.9  # of windows under 30 cm
ABOUT_CM = 6.0  # list errors of several kinds are compared where they are about so large
WRONG = {
    "wall": "one wall's microphones are shifted",
    "turned": "the list is turned",
    "scaled": "it is scaled",
    "random": "every microphone is off by itself",
}


def dropped(points: Sequence[Point]) -> str:
    """How the error grows with silent microphones, for every length of window."""
    counts = joined(point.value for point in points if point.curve == points[0].curve and point.x)
    grows = joined(f"from {_cm(mine[0])} to {_from(mine[1:])} cm over {curve}" for curve, mine in curves(points))
    return f"With {counts} of 11 microphones silent the mean error goes {grows}."


def unknown(points: Sequence[Point]) -> str:
    """Error of the source and of the microphones, for every test set."""
    counts = joined(point.value for point in points if point.curve == points[0].curve)
    off = joined(
        (
            f"in {curve} the source is off by {_from(mine)} cm and those microphones by "
            f"{joined(f'{100 * p.summary.microphones_m.value:.0f}' for p in mine if p.x)} cm"
            for curve, mine in curves(points)
        ),
        last=", ",
    )
    return f"With {counts} of 11 positions unknown, {off}."


def sources(points: Sequence[Point]) -> str:
    """In how many windows all are found, and counted."""
    found = joined(_percent(point.found.value) for point in points)
    counted = joined(_percent(point.counted.value) for point in points)
    return (
        f"Of {joined(point.value for point in points)} sources over 2 s all are found within 30 cm in {found} % of the "
        f"windows, and counted right in {counted} %."
    )


def rooms(points: Sequence[Point]) -> str:
    """The fewest of the microphones tried with which nine windows of ten are under 30 cm."""
    fewest = joined(f"{_fewest(mine)} in {curve}" for curve, mine in curves(points))
    return f"The fewest microphones with which {100 * ENOUGH:.0f} % of the windows are under 30 cm: {fewest}."


def lists(points: Sequence[Point]) -> str:
    """Kinds of error, where each is about as large."""
    of = {curve: min(mine, key=lambda point: abs(point.x - ABOUT_CM)) for curve, mine in curves(points)}
    wrong = joined(f"{_cm(of[kind])} cm where {words} ({of[kind].value})" for kind, words in WRONG.items())
    return (
        f"Where a list is off by about {ABOUT_CM:g} cm (root mean square) the mean error is {wrong}; "
        f"with an exact list it is {_cm(of['exact'])} cm."
    )


def reverberation(points: Sequence[Point]) -> str:
    """Error and share against T60."""
    near = joined(_percent(point.summary.acc.value) for point in points)
    times = joined(f"{point.x:g}" for point in points)
    return f"With T60 of {times} s the mean error is {_from(points)} cm, and {near} % of the windows are under 30 cm."


def curves(points: Sequence[Point]) -> list[tuple[str, list[Point]]]:
    """Points that follow one another in one curve."""
    return [(curve, list(mine)) for curve, mine in groupby(points, key=lambda point: point.curve)]


def joined(words: Iterable[str], *, last: str = " and ") -> str:
    """a, b and c."""
    said = list(words)
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])}{last}{said[-1]}"


def _fewest(points: Sequence[Point]) -> str:
    """How many, and the share of windows under 30 cm with so many."""
    enough = [point for point in points if point.summary.acc.value >= ENOUGH]
    best = enough[0] if enough else points[-1]
    limit = f"more than {best.value}" if not enough else f"{best.value} or fewer" if best is points[0] else best.value
    return f"{limit} ({_percent(best.summary.acc.value)} %)"


def _cm(point: Point) -> str:
    return f"{100 * point.summary.mae_m.value:.1f}"


def _from(points: Sequence[Point]) -> str:
    return joined(_cm(point) for point in points)


def _percent(share: float) -> str:
    return f"{np.round(100 * share):.0f}"
