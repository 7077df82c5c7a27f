"""Clip k of every value is drawn alike, but for what is varied."""

import numpy as np
import pytest

from soundfix.datasets.benchmark import Wanted, named_benchmark
from soundfix.datasets.varied import LISTS, SIZES_M, T60S_S, VARIED
from soundfix.datasets.wrong_lists import rms


def clips_of(name, **wanted):
    """The first clip of every value."""
    benchmark = named_benchmark(name, Wanted(clips=len(VARIED[name]), clip_s=0.25, **wanted))
    return [(benchmark.part(k).labels, benchmark[k]) for k in range(len(benchmark))]


def test_floors():
    found = clips_of("rooms-by-size", microphones=5)
    assert [labels["floor"] for labels, _ in found] == ["20 m2", "60 m2", "200 m2"]
    for area, (_, scene) in zip(SIZES_M, found, strict=True):
        (x0, y0, _), (x1, y1, _) = scene.room
        assert (x1 - x0) * (y1 - y0) == pytest.approx(float(area))
        assert len(scene.microphones) == 5


def test_reverberation_alone_is_varied():
    found = clips_of("luvira-by-reverberation")
    asked = [float(labels["T60"].removesuffix(" s")) for labels, _ in found]
    assert asked == list(T60S_S)
    assert [scene.truth.rt60_s for _, scene in found] == pytest.approx(asked, rel=0.25)
    for _, scene in found[1:]:
        assert np.array_equal(scene.truth.sources, found[0][1].truth.sources)
        assert scene.truth.snr_db == found[0][1].truth.snr_db


def test_lists_alone_are_varied():
    found = clips_of("luvira-wrong-lists")
    exact = found[0][1]
    assert found[0][0] == {"list": "exact", "by": "0"}
    assert exact.truth.positions is None
    for (labels, scene), (key, error) in zip(found[1:], list(LISTS.items())[1:], strict=True):
        assert (labels["list"], labels["by"]) == key
        assert np.array_equal(scene.audio, exact.audio)
        assert np.array_equal(scene.truth.positions, exact.microphones.positions)
        if error.kind == "random":
            assert rms(scene.microphones.positions - scene.truth.positions) == pytest.approx(error.amount)


def test_more_clips_begin_with_the_same():
    """What was measured with few clips is a part of what is measured with more."""
    few, more = (named_benchmark("luvira-wrong-lists", Wanted(clips=n * len(LISTS), clip_s=0.25)) for n in (1, 2))
    assert all(np.array_equal(few[k].audio, more[k].audio) for k in range(len(LISTS)))
    assert not np.array_equal(more[0].audio, more[len(LISTS)].audio)
