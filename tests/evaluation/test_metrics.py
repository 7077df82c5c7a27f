"""Metrics: perfect answers score perfectly, cases by hand, and a second, slow implementation says the same."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from soundfix.errors import MetricsError
from soundfix.estimate import Estimate, MicrophoneReport, Source
from soundfix.evaluation.metrics import Score, assign, bootstrap, is_inside, score, summarize

MIDDLE = np.array([3.0, 2.0, 1.5])


def source_at(place, sigma_m=0.1):
    covariance = sigma_m**2 * np.eye(3)
    return Source(
        position_m=np.array(place, dtype=float), covariance_m2=covariance, radius90_m=2.5 * sigma_m, score=0.5
    )


def answer(*places, microphones=(), sigma_m=0.1):
    sources = tuple(source_at(place, sigma_m) for place in places)
    verdict = "ok" if sources else "abstain"
    reports = tuple(
        MicrophoneReport(name=f"mic{k}", status="ok", weight=1.0, position_m=place)
        for k, place in enumerate(microphones)
    )
    return Estimate(method="test", start_s=0.0, end_s=1.0, verdict=verdict, sources=sources, microphones=reports)


def scored(estimate, *truth, **others):
    return score(estimate, np.array(truth, dtype=float), middle_m=MIDDLE, **others)


def test_a_perfect_answer_scores_perfectly(rng):
    places = rng.uniform(0, 4, (20, 3))
    summary = summarize([scored(answer(place), place) for place in places])
    assert summary.mae_m == summary.microphones_m._replace(value=0.0, error=0.0, low=0.0, high=0.0)
    assert summary.acc == (1.0, 0.0, 1.0, 1.0)
    assert summary.coverage.value == 1.0
    assert (summary.median_m, summary.p90_m, summary.xy_m, summary.z_m, summary.abstained) == (0, 0, 0, 0, 0)
    assert summary.windows == 20


def test_one_window_by_hand():
    one = scored(answer((1.0, 1.0, 1.0)), (4.0, 5.0, 3.0))
    assert one.error_m == pytest.approx(29**0.5)
    assert (one.xy_m, one.z_m) == pytest.approx((5.0, 2.0))
    assert one.is_answered
    assert one.covered == 0.0


def test_silence_counts_as_the_middle_of_the_room():
    one = scored(answer(), (3.0, 2.0, 2.5))
    assert one.error_m == pytest.approx(1.0)
    assert not one.is_answered
    assert np.isnan(one.covered)
    both = summarize([one, scored(answer((1.0, 1.0, 1.0)), (1.0, 1.0, 1.2))])
    assert both.mae_m.value == pytest.approx(0.6)
    assert both.answered_mae_m == pytest.approx(0.2)
    assert (both.abstained, both.acc.value) == (0.5, 0.5)


def test_an_abstention_is_measured_by_the_place_it_did_not_believe_in():
    one = scored(replace(answer(), guess_m=np.array([[1.0, 1.0, 1.0]])), (1.0, 1.0, 1.5))
    assert one.error_m == pytest.approx(0.5)
    assert not one.is_answered


def test_two_sources_are_matched_and_a_missing_one_is_the_middle():
    truth = ((1.0, 1.0, 1.0), (5.0, 1.0, 1.0))
    assert scored(answer((5.0, 1.0, 1.1), (1.0, 1.0, 1.3)), *truth).error_m == pytest.approx(0.2)
    alone = scored(answer((5.0, 1.0, 1.0)), *truth)
    assert alone.error_m == pytest.approx(np.linalg.norm(MIDDLE - [1.0, 1.0, 1.0]) / 2)
    assert alone.covered == 0.5


def test_more_places_than_sources_are_not_looked_at():
    """But any region of an ambiguous answer may hold the source."""
    one = scored(answer((1.0, 1.0, 1.0), (4.0, 1.0, 1.0)), (4.0, 1.0, 1.0))
    assert one.error_m == pytest.approx(3.0)
    assert one.covered == 1.0


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_assignment_is_the_best_of_all(rng, count):
    for _ in range(20):
        truth, places = rng.uniform(0, 5, (2, count, 3))
        totals = [np.linalg.norm(places[list(order)] - truth, axis=1).sum() for order in permutations(range(count))]
        found = np.linalg.norm(places[assign(truth, places)] - truth, axis=1).sum()
        assert found == pytest.approx(min(totals))


def test_nine_of_ten_draws_of_the_covariance_are_inside(rng):
    root = rng.standard_normal((3, 3))
    covariance = root @ root.T + 0.1 * np.eye(3)
    source = Source(position_m=MIDDLE, covariance_m2=covariance, radius90_m=1.0, score=1.0)
    draws = rng.multivariate_normal(MIDDLE, covariance, 4000)
    assert np.mean([is_inside(source, place) for place in draws]) == pytest.approx(0.9, abs=0.015)


def test_microphones_of_unknown_position():
    """Judged are those with a true place; where the answer has none, the middle of the room."""
    true = np.array([[1.0, 1.0, 1.0], [np.nan] * 3, [3.0, 2.0, 3.5]])
    estimate = answer((1.0, 1.0, 1.0), microphones=(np.array([1.0, 1.0, 1.5]), np.zeros(3), None))
    one = scored(estimate, (1.0, 1.0, 1.0), microphones_m=true)
    assert one.microphones_m == pytest.approx((0.5, 2.0))
    assert summarize([one, one]).microphones_m.value == pytest.approx(1.25)


def slow_summary(scores, groups):
    """The same in plain loops."""
    errors = sorted(each.error_m for each in scores)
    count = len(errors)
    names = sorted(set(groups))
    rng = np.random.default_rng(0)
    means = []
    for copies in rng.multinomial(len(names), [1 / len(names)] * len(names), size=1000):
        drawn = [e.error_m for name, n in zip(names, copies, strict=True) for e, g in zip(scores, groups, strict=True) if g == name for _ in range(n)]  # fmt: skip # noqa: E501
        means.append(sum(drawn) / len(drawn))
    middle = sum(means) / len(means)
    spread = (sum((mean - middle) ** 2 for mean in means) / (len(means) - 1)) ** 0.5
    near = sum(error < 0.3 for error in errors) / count
    median = (errors[(count - 1) // 2] + errors[count // 2]) / 2
    covered = [each.covered for each in scores if each.is_answered]
    return sum(errors) / count, spread, near, median, sum(covered) / len(covered)


def test_a_second_implementation_says_the_same(rng):
    scores = [
        Score(error_m=float(e), xy_m=0.0, z_m=0.0, is_answered=bool(a), covered=float(c) if a else np.nan)
        for e, a, c in zip(rng.exponential(0.3, 40), rng.random(40) < 0.8, rng.random(40) < 0.9, strict=True)
    ]
    groups = rng.integers(0, 9, 40).tolist()
    summary = summarize(scores, groups)
    mae, spread, near, median, covered = slow_summary(scores, groups)
    assert summary.mae_m.value == pytest.approx(mae)
    assert summary.mae_m.error == pytest.approx(spread)
    assert summary.acc.value == pytest.approx(near)
    assert summary.median_m == pytest.approx(median)
    assert summary.coverage.value == pytest.approx(covered)


def test_the_standard_error_is_that_of_the_mean(rng):
    """Of independent draws: sigma / sqrt(n); of tenfold copies, the same as without the copies."""
    values = rng.standard_normal(400)
    alone = bootstrap(values, np.arange(400), np.random.default_rng(0))
    copied = bootstrap(np.repeat(values, 10), np.repeat(np.arange(400), 10), np.random.default_rng(0))
    assert alone.error == pytest.approx(values.std() / 20, rel=0.1)
    assert copied.error == pytest.approx(alone.error)
    assert alone.low < alone.value < alone.high


def test_one_recording_has_no_standard_error():
    assert np.isnan(bootstrap(np.ones(5), np.zeros(5), np.random.default_rng(0)).error)


def test_a_truth_that_cannot_be():
    with pytest.raises(MetricsError, match="wanted one or more known places"):
        scored(answer((1.0, 1.0, 1.0)), (np.nan, 1.0, 1.0))
    with pytest.raises(MetricsError, match="was it given in millimetres"):
        scored(answer((1.0, 1.0, 1.0)), (1000.0, 2000.0, 1500.0))
    with pytest.raises(MetricsError, match="no windows to summarize"):
        summarize([])
