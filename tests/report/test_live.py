"""The screen: everything where it is, nothing wider than the terminal."""

import numpy as np
import pytest

from soundfix.estimate import Estimate, MicrophoneReport, Source
from soundfix.microphones import Microphones
from soundfix.report.live import LiveScreen

ROOM = ((0.0, 0.0, 0.0), (10.0, 5.0, 3.0))
MICROPHONES = Microphones(
    positions=np.array([[0, 0, 1], [10, 0, 1], [10, 5, 1], [np.nan] * 3]), names=("a", "b", "c", "d")
)


def answer(*place, wrong=(), track=1):
    reports = [
        MicrophoneReport(name=name, status="dead" if name in wrong else "ok", weight=1.0, position_m=None)
        for name in MICROPHONES.names
    ]
    source = Source(position_m=np.array(place, float), covariance_m2=np.eye(3), radius90_m=0.2, score=1.0, track=track)
    return Estimate(method="x", start_s=1.0, end_s=1.5, verdict="ok", sources=(source,), microphones=tuple(reports))


def grid(lines):
    return [line[1:-1] for line in lines if line.startswith("|")]


def screen(*answers):
    one = LiveScreen(microphones=MICROPHONES, room=ROOM)
    for each in answers:
        one.tell(each)
    return one


def test_before_the_first_answer():
    lines = screen().lines(width=45, height=13)
    assert "nothing yet" in lines
    assert lines[-1] == "microphones: 4 of 4 ok"
    assert sum(row.count("o") for row in grid(lines)) == 3


def test_everything_is_where_it_is():
    """x to the right, y upwards."""
    rows = grid(screen(answer(0, 5, 1), answer(5, 2.5, 1, wrong=("b",))).lines(width=45, height=13))
    assert rows[0][0] == "."  # where it was
    assert rows[0][-1] == "o"
    assert rows[-1][0] == "o"
    assert rows[-1][-1] == "x"
    assert rows[len(rows) // 2][len(rows[0]) // 2] == "1"


def test_a_source_has_the_number_of_its_track():
    rows = grid(screen(answer(5, 2.5, 1, track=123)).lines(width=45, height=13))
    assert rows[len(rows) // 2].strip() == "123"
    assert rows[len(rows) // 2][len(rows[0]) // 2] == "1"
    edge = grid(screen(answer(10, 2.5, 1, track=123)).lines(width=45, height=13))
    assert edge[len(edge) // 2].endswith("123")
    assert len({len(row) for row in edge}) == 1
    (row,) = (row for row in grid(screen(answer(5, 2.5, 1, track=None)).lines(width=45, height=13)) if "*" in row)
    assert row.strip() == "*"


def test_words():
    lines = screen(answer(5, 2.5, 1, wrong=("b", "d"))).lines("told below", width=70, height=13)
    assert "(5.00, 2.50, 1.00) m ±20 cm, track 1" in "\n".join(lines)
    assert lines[-2:] == ["microphones: 2 of 4 ok: b dead, d dead", "told below"]


def test_a_source_outside_is_not_drawn():
    assert "1" not in "".join(grid(screen(answer(50, 2, 1)).lines()))


@pytest.mark.parametrize(("width", "height"), [(20, 6), (45, 13), (200, 60)])
def test_it_fits(width, height):
    lines = screen(answer(5, 2, 1)).lines("x" * 300, width=width, height=height)
    assert max(map(len, lines)) <= width
    assert len(grid(lines)) + 2 <= height
    assert len({len(row) for row in grid(lines)}) == 1


def test_a_number_is_cut_where_the_map_is_narrow():
    long = Microphones(positions=np.array([[0, 0, 1], [0, 50, 1], [0.1, 99, 1]]))
    one = LiveScreen(microphones=long)
    one.tell(answer(0, 50, 1, track=12345))
    assert len({len(row) for row in grid(one.lines())}) == 1


def test_the_trail_is_short():
    one = screen(*(answer(k / 100, 2, 1) for k in range(1000)))
    assert len(one._trail) == 50
