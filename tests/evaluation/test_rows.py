"""A row says what the method said, and how far off that was."""

import numpy as np
import pytest

from helpers.clips import Clips
from soundfix.datasets.benchmark import Benchmark, Part
from soundfix.estimate import Estimate, Source
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.run import ClipTask


@pytest.fixture
def scene():
    return Clips()[0]


class Oracle:
    """Says a place 10 cm beside the one it was told."""

    name = "oracle"

    def __init__(self, place):
        self.place = place

    def locate(self, scene):
        assert scene.truth is None
        said = Source(
            position_m=self.place + np.array([0.0, 0.1, 0.0]),
            covariance_m2=0.01 * np.eye(3),
            radius90_m=0.25,
            score=1.0,
        )
        return Estimate(method="oracle", start_s=0.0, end_s=1.0, verdict="ok", sources=(said,))


def test_a_row_says_what_was_said(scene):
    place = scene.truth.sources[0]
    data = Benchmark(name="clips", parts=(Part(labels={"sound": "noise"}, data=Clips()),), clips=2)
    job = ClipTask(data=data, grid=Grid(microphones=(4, 3)), methods=[("it", Oracle(place))], seed=0, sources=1)
    rows = job(0)
    assert [row.clip for row in rows] == [0, 0]
    assert rows[0].score.error_m == pytest.approx(0.1)
    assert rows[0].score.covered == 1.0
    assert (rows[0].method, rows[0].labels, rows[1].microphones) == ("it", {"sound": "noise"}, 3)
    assert rows[0].true_m == [place.tolist()]
