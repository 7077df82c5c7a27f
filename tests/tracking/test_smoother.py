"""Places in turn: smoothed, decided between, put back on the track, and left alone where they should be."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from helpers.drawings import directed
from soundfix.estimate import Estimate, Finding, MicrophoneReport, Source
from soundfix.tracking.smoother import SMOOTHED, smoothed

HOP_S = 0.5


def said(number, *places, sigma_m=0.05, verdict="ok", reasons=()):
    sources = tuple(
        Source(position_m=np.array(p, dtype=float), covariance_m2=sigma_m**2 * np.eye(3), radius90_m=0.125, score=0.5)
        for p in places
    )
    return Estimate(
        method="test", start_s=HOP_S * number, end_s=HOP_S * (number + 1), sources=sources,
        verdict=verdict if sources else "abstain", findings=tuple(Finding(code, "") for code in reasons),
    )  # fmt: skip


def walk(number):
    return np.array([0.4 * HOP_S * number, 1.0, 1.5])


def several(number, *places):
    return said(number, *places, verdict="ambiguous", reasons=("several_places",))


def test_a_walk_is_nearer_to_the_truth_than_its_windows():
    rng = np.random.default_rng(0)
    windows = [said(k, walk(k) + rng.normal(0, 0.05, 3)) for k in range(60)]
    truth = [walk(k) for k in range(60)]
    errors = [
        np.mean([np.linalg.norm(e.sources[0].position_m - t) for e, t in zip(each, truth, strict=True)])
        for each in (windows, list(smoothed(windows)))
    ]
    assert errors[1] < 0.7 * errors[0]


def test_the_regions_hold_the_truth_as_often_as_they_say():
    rng, inside = np.random.default_rng(1), []
    for _ in range(40):
        windows = [said(k, walk(k) + rng.normal(0, 0.05, 3)) for k in range(12)]
        for k, estimate in enumerate(smoothed(windows)):
            off = estimate.sources[0].position_m - walk(k)
            assert estimate.regions == SMOOTHED
            inside.append(off @ np.linalg.solve(estimate.sources[0].covariance_m2, off) < 6.251)
    assert 0.85 < np.mean(inside) <= 1.0


def test_the_track_decides_between_places():
    windows = [said(k, walk(k)) for k in range(10)]
    windows[5] = several(5, [3.0, 3.0, 0.5], walk(5))
    found = list(smoothed(windows))[5]
    assert found.verdict == "degraded"
    assert found.reasons == ("decided_by_track",)
    assert found.sources[0].position_m == pytest.approx(walk(5), abs=0.05)


def test_one_window_elsewhere_is_put_back_and_says_what_it_said():
    windows = [said(k, walk(k)) for k in range(10)]
    windows[4] = said(4, [3.0, 3.0, 0.5])
    found = list(smoothed(windows))[4]
    assert (found.verdict, found.reasons) == ("degraded", ("off_track",))
    assert "(3.00, 3.00, 0.50)" in found.notes[0]
    assert found.sources[0].position_m == pytest.approx(walk(4), abs=0.1)


def test_several_windows_elsewhere_are_somebody_else():
    windows = [said(k, walk(k) if k < 5 else [4.0, 3.0, 1.0]) for k in range(12)]
    found = list(smoothed(windows))
    assert all(estimate.verdict == "ok" for estimate in found)
    assert found[4].sources[0].position_m == pytest.approx(walk(4), abs=0.05)
    assert found[5].sources[0].position_m == pytest.approx([4.0, 3.0, 1.0], abs=0.05)


def test_silence_and_two_talkers_stay_as_they_are():
    both = said(3, walk(3), [4.0, 3.0, 1.0])
    windows = [said(0), said(1, walk(1)), said(2), both, said(4, walk(4)), said(5)]
    found = list(smoothed(windows))
    assert [e.start_s for e in found] == [e.start_s for e in windows]
    assert all(found[k] is windows[k] for k in (0, 2, 3, 5))


def test_a_long_gap_ends_a_track():
    windows = [said(0, [1, 1, 1]), said(1, [1, 1, 1]), said(40, [4, 3, 1])]
    assert list(smoothed(windows))[2].sources[0].position_m == pytest.approx([4, 3, 1])


def test_answers_come_in_order_and_wait_no_longer_than_they_must():
    windows = smoothed((said(k, walk(k)) for k in itertools.count()), lag=3)  # a recording without an end
    assert next(windows).start_s == 0.0


LEVEL = tuple(
    MicrophoneReport(name=f"m{m}", status="ok", weight=1.0, position_m=np.array([x, y, 1.0]))
    for m, (x, y) in enumerate(((0, 0), (2, 0), (2, 2), (0, 2)))
)


def twins(number, place, *, first_above=True):
    """A place and its mirror image in the plane z = 1, either first."""
    below = place * [1, 1, -1] + [0, 0, 2]
    pair = (place, below) if first_above else (below, place)
    return replace(said(number, *pair, verdict="ambiguous", reasons=("mirror_twin",)), microphones=LEVEL)


def test_a_track_stays_on_one_side_of_a_plane(rng):
    """Near the plane, where the images are nearer to each other than windows are exact; whichever is listed first."""
    places = [np.array([1.0, 1.0, 1.02]) + np.abs(rng.normal(0, 0.05, 3)) * [0, 0, 1] for _ in range(30)]
    for above in (True, False):
        windows = [twins(k, place, first_above=(k % 3 > 0) == above) for k, place in enumerate(places)]
        heights = np.array([each.sources[0].position_m[2] - 1 for each in smoothed(windows)])
        assert (heights >= -1e-9).all() or (heights <= 1e-9).all()
        assert (heights[0] < 0) == above  # the first window says which


def test_a_track_that_comes_down_to_the_plane_does_not_pass_it():
    """Where two windows say nothing of it, it would go on below."""
    down = [twins(k, np.array([1.0, 1.0, 1.0 + height])) for k, height in enumerate((1.3, 0.9, 0.5, 0.1))]
    elsewhere = [twins(k, np.array([9.0, 9.0, 1.5])) for k in (4, 5)]
    found = list(smoothed([*down, *elsewhere]))
    assert "off_track" in found[-1].reasons
    assert min(each.sources[0].position_m[2] for each in found) >= 1 - 1e-9


def test_a_new_track_keeps_the_side():
    near, far = np.array([1.0, 1.0, 1.5]), np.array([9.0, 9.0, 1.5])
    windows = [twins(k, near) for k in range(5)] + [twins(k, far, first_above=False) for k in range(5, 14)]
    assert all(each.sources[0].position_m[2] > 1.4 for each in smoothed(windows))


def test_a_window_whose_other_side_is_excluded_says_which_it_is():
    place = np.array([1.0, 1.0, 0.4])
    sure = replace(said(3, place), microphones=LEVEL)
    windows = [twins(0, np.array([1.0, 1.0, 1.6])), *[sure] * 1, *[twins(k, place) for k in range(4, 12)]]
    assert [each.sources[0].position_m[2] < 1 for each in smoothed(windows)][-6:] == [True] * 6


def test_directions_are_smoothed_and_stay_directions(rng):
    noisy = [directed(0.5 * k, azimuth_deg=20 + float(rng.normal(0, 3)), elevation_deg=14.0) for k in range(30)]
    found = list(smoothed(noisy))
    azimuths = [[each.direction.azimuth_deg for each in some] for some in (noisy, found)]
    assert np.std(azimuths[1]) < 0.6 * np.std(azimuths[0])
    assert {(each.verdict, each.direction.cone90_deg) for each in found} == {("direction only", 6.0)}
    for each in found:
        off = each.sources[0].position_m - each.direction.from_m
        np.testing.assert_allclose(off, 1.5 * each.direction.unit)


def test_directions_keep_both_sides_the_track_s_first():
    level = [
        replace(each.with_findings(Finding("mirror_twin", "")), microphones=LEVEL)
        for each in (directed(0.5 * k, elevation_deg=14.0 if k % 2 == 0 else -14.0, is_flat=True) for k in range(10))
    ]
    for each in smoothed(level):
        first, second = each.direction.sides
        assert first.elevation_deg == pytest.approx(14, abs=1)
        assert second.elevation_deg == pytest.approx(-first.elevation_deg)
        assert len(each.sources) == 2
