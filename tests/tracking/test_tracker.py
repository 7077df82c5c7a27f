"""Who is who: through pauses and crossings, in recordings and live; scored by Stone Soup's metrics."""

import datetime
import itertools

import numpy as np
import pytest

from helpers.drawings import directed
from helpers.fixes import noisy, told, window
from soundfix.tracking.association import MOST_TRACKS
from soundfix.tracking.smoother import SMOOTHED
from soundfix.tracking.tracker import LAG_S, Tracker, tracked

HOP_S = 0.25


def seat(number):
    return [[-1.0, 0.5, 1.2], [1.2, 0.2, 1.25]][number]


def crossing(time_s):
    """Two who cross in the middle after 4 s, at 1 m/s each."""
    return [np.array([time_s - 4, 0.2, 1.5]), np.array([0.1, 4 - time_s, 1.6])]


def crossed(rng, outliers=0.08, misses=0.2):
    """(true places, window): some windows have one of both alone, and some a place that is nobody's."""
    for time_s in np.arange(0.0, 8.0, HOP_S):
        places = [noisy(place, rng) for place in crossing(time_s) if rng.random() > misses]
        places = [rng.uniform([-3, -3, 0.5], [3, 3, 2]) if rng.random() < outliers else place for place in places]
        yield crossing(time_s), window(time_s, *(places[:: rng.choice([1, -1])]))


def numbers_of(truths, estimates, sigma_m=0.3):
    """Of each true source the tracks of the places near it, in turn."""
    found = [[] for _ in truths[0]]
    for places, estimate in zip(truths, estimates, strict=True):
        for source in estimate.sources:
            gaps = [np.linalg.norm(source.position_m - place) for place in places]
            if min(gaps) < sigma_m and sorted(gaps)[1] > 2 * sigma_m:
                found[int(np.argmin(gaps))].append(source.track)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_two_who_cross_keep_their_numbers(seed):
    truths, windows = zip(*crossed(np.random.default_rng(seed)), strict=True)
    first, second = (set(numbers) - {None} for numbers in numbers_of(truths, list(tracked(windows))))
    assert (len(first), len(second), len(first | second)) == (1, 1, 2)


def test_who_comes_back_to_a_place_is_the_same_and_says_so(rng):
    times = [*np.arange(0, 3, HOP_S), *np.arange(9, 12, HOP_S)]
    estimates = list(tracked(window(t, noisy(seat(0), rng)) for t in times))
    assert set(told(estimates)) == {(1,)}
    said = [estimate for estimate in estimates if "track_returned:1" in estimate.reasons]
    assert [estimate.start_s for estimate in said] == [8.75]
    assert said[0].verdict == "ok"
    assert "silent for 6.2 s" in said[0].notes[0]


def test_who_sits_elsewhere_is_somebody_else(rng):
    seats = [seat(int(t // 4) % 2) for t in np.arange(0, 16, HOP_S)]
    estimates = list(tracked(window(HOP_S * k, noisy(place, rng)) for k, place in enumerate(seats)))
    assert told(estimates) == [(1 + int(HOP_S * k // 4) % 2,) for k in range(len(seats))]


def test_who_walks_through_a_pause_goes_on(rng):
    estimates = list(
        tracked(window(t, noisy([0.7 * t - 3, 1, 1.6], rng)) for t in np.arange(0, 9, HOP_S) if not 3 < t < 6)
    )
    assert set(told(estimates)) == {(1,)}
    assert sum("track_resumed:1" in estimate.reasons for estimate in estimates) == 1


def test_outliers_are_nobodys_and_a_passing_noise_is_no_track(rng):
    windows = [window(HOP_S * k, noisy(seat(0), rng)) for k in range(30)]
    windows[10], windows[20] = window(2.5, [3, 3, 2]), window(5.0, noisy(seat(0), rng), [-2, -3, 1])
    found = told(tracked(windows))
    assert (found[10], found[20]) == ((None,), (1, None))
    assert all(tracks == (1,) for k, tracks in enumerate(found) if k not in (10, 20))


def test_of_alternatives_the_one_on_the_track_has_its_number(rng):
    windows = [window(HOP_S * k, noisy(seat(0), rng)) for k in range(12)]
    windows[6] = window(1.5, [3, 3, 1], noisy(seat(0), rng), verdict="ambiguous", codes=("several_places",))
    assert told(tracked(windows))[6] == (None, 1)


def test_alternatives_that_are_two_tracks_are_both(rng):
    windows = [window(HOP_S * k, noisy(seat(0), rng), noisy(seat(1), rng)) for k in range(12)]
    for code, wanted in (("several_places", 2), ("mirror_twin", 1)):
        windows[6] = window(1.5, noisy(seat(0), rng), noisy(seat(1), rng), verdict="ambiguous", codes=(code,))
        assert sum(track is not None for track in told(tracked(windows))[6]) == wanted


def test_live_says_so_from_the_third_window_on(rng):
    tracker = Tracker()
    assert told(tracker.add(window(HOP_S * k, noisy(seat(0), rng))) for k in range(5)) == [(None,)] * 2 + [(1,)] * 3


def test_live_never_looks_ahead_and_ends_where_a_recording_does(rng):
    windows = [window(HOP_S * k, noisy(seat(k // 12 % 2), rng)) for k in range(48)]
    short, long = Tracker(), Tracker()
    assert told(map(short.add, windows[:30])) == told(map(long.add, windows))[:30]
    live, later = told(map(Tracker().add, windows)), told(tracked(windows))
    assert all(now in (then, (None,)) for now, then in zip(live, later, strict=True))


def test_places_stay_the_windows_own_unless_they_are_smoothed(rng):
    windows = [window(HOP_S * k, noisy([0.25 * k - 3, 1, 1.6], rng)) for k in range(24)]
    kept, smooth = list(tracked(windows)), list(tracked(windows, smooth=True))
    assert all(each.sources[0].position_m is own.sources[0].position_m for each, own in zip(kept, windows, strict=True))
    assert smooth[5].regions == SMOOTHED
    errors = [
        np.mean([np.linalg.norm(e.sources[0].position_m - [0.25 * k - 3, 1, 1.6]) for k, e in enumerate(each)])
        for each in (windows, smooth)
    ]
    assert errors[1] < 0.75 * errors[0]


def test_silence_and_directions_pass_by(rng):
    silence, direction = window(5.0), directed()
    estimates = [window(0.0, seat(0)), silence, direction]
    assert list(tracked(estimates))[1:] == [silence, direction]
    tracker = Tracker()
    assert [tracker.add(each) for each in estimates[1:]] == [silence, direction]


def test_an_answer_waits_no_longer_than_the_lag():
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield window(HOP_S * number, seat(0))

    assert next(tracked(endless(), lag_s=1.0)).sources[0].track == 1
    assert HOP_S * taken[-1] == 1.25


def test_the_next_place_is_foretold(rng):
    tracker = Tracker()
    assert tracker.predicted(0.0) == ()
    for k in range(12):
        tracker.add(window(HOP_S * k, noisy([0.25 * k - 3, 1, 1.6], rng)))
    (ahead,) = tracker.predicted(12 * HOP_S)
    assert ahead.track == 1
    off = ahead.position_m - [0, 1, 1.6]
    assert off @ np.linalg.solve(ahead.covariance_m2, off) < 11.3
    assert np.linalg.norm(off) < 0.2
    assert tracker.predicted(60.0) == ()


def test_memory_is_bounded(rng):
    tracker = Tracker()
    for k in range(280):
        tracker.add(window(HOP_S * k, noisy([5.0 * (k // 8), 0, 1], rng)))
    association = tracker._association
    assert len(association._numbers) <= MOST_TRACKS + 4
    assert all(len(each.said) <= LAG_S / HOP_S + 2 for each in association._hypotheses)


def metrics(truths, estimates):
    """Stone Soup's mean OSPA and GOSPA (m) over time, and its SIAP metrics; a track goes straight where it has no fix."""
    siap = pytest.importorskip("stonesoup.metricgenerator.tracktotruthmetrics")
    from stonesoup.dataassociator.tracktotrack import TrackToTruth
    from stonesoup.measures import Euclidean
    from stonesoup.metricgenerator.manager import MultiManager
    from stonesoup.metricgenerator.ospametric import GOSPAMetric, OSPAMetric
    from stonesoup.types.groundtruth import GroundTruthPath, GroundTruthState
    from stonesoup.types.track import Track

    times_s = np.array([(each.start_s + each.end_s) / 2 for each in estimates])

    def states(places, at_s):
        begin = datetime.datetime(2026, 1, 1)
        return [
            GroundTruthState(place[:, None], timestamp=begin + datetime.timedelta(seconds=time_s))
            for place, time_s in zip(places, at_s.tolist(), strict=True)
        ]

    tracks = set()
    for number in {track for each in told(estimates) for track in each if track is not None}:
        fixes = [
            (t, s.position_m) for t, e in zip(times_s, estimates, strict=True) for s in e.sources if s.track == number
        ]
        at_s, places = np.array([t for t, _ in fixes]), np.array([place for _, place in fixes])
        lasts_s = times_s[(times_s >= at_s[0]) & (times_s <= at_s[-1])]
        tracks.add(Track(states(np.stack([np.interp(lasts_s, at_s, x) for x in places.T], axis=1), lasts_s)))
    paths = {GroundTruthPath(states(np.array(each), times_s)) for each in zip(*truths, strict=True)}
    near, keys = Euclidean(), {"tracks_key": "tracks", "truths_key": "truths"}
    generators = [
        OSPAMetric(c=1, p=1, measure=near, generator_name="ospa", **keys),
        GOSPAMetric(c=1, p=1, measure=near, generator_name="gospa", **keys),
        siap.SIAPMetrics(position_measure=near, velocity_measure=near, generator_name="siap", **keys),
    ]
    manager = MultiManager(generators, TrackToTruth(association_threshold=0.5, measure=near))
    manager.add_data({"tracks": tracks, "truths": paths})
    found = manager.generate_metrics()
    ospa = np.mean([float(each.value) for each in found["ospa"]["OSPA distances"].value])
    gospa = np.mean([float(each.value["distance"]) for each in found["gospa"]["GOSPA Metrics"].value])
    return (
        ospa,
        gospa,
        {name: float(metric.value) for name, metric in found["siap"].items() if np.isscalar(metric.value)},
    )


def test_by_the_metrics_of_the_trade_tracks_are_right():
    """No miss, so that what is left are errors of places, of identity, and false tracks."""
    truths, windows = zip(*crossed(np.random.default_rng(3), misses=0.0), strict=True)
    smooth, plain = list(tracked(windows, smooth=True)), list(tracked(windows))
    (ospa, gospa, siap), (own_ospa, *_) = metrics(truths, smooth), metrics(truths, plain)
    assert ospa < 0.08
    assert ospa < own_ospa
    assert gospa < 0.15
    assert siap["SIAP Completeness"] == pytest.approx(1.0, abs=0.05)
    assert siap["SIAP Ambiguity"] == pytest.approx(1.0, abs=0.05)
    assert siap["SIAP Spuriousness"] < 0.05
    assert siap["SIAP Rate of Track Number Change"] == 0.0
    assert siap["SIAP Longest Track Segment"] > 0.95
