"""The clock of training: means since the last note, and how long it waited."""

import pytest
import torch

from soundfix.training import clock
from soundfix.training.clock import Clock


@pytest.fixture
def now(monkeypatch):
    """A clock that goes when it is told to: [seconds]."""
    seconds = [100.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: seconds[0])
    return seconds


def test_means_and_rates(now):
    watch = Clock()
    for loss in (1.0, 3.0):
        watch.add({"sources": torch.tensor(loss)}, windows=8)
        now[0] += 2.0
    assert watch.numbers() == {"sources": 2.0, "windows_a_second": 4.0, "waiting": 0.0}
    watch.add({"sources": torch.tensor(7.0)}, windows=8)
    now[0] += 1.0
    assert watch.numbers()["sources"] == 7.0  # from 0 again


def stretch(watch, now, seconds, steps):
    for _ in range(steps):
        watch.add({}, windows=1)
    now[0] += seconds
    return watch.numbers()


def test_nothing_is_left_until_it_is_known(now):
    """The first stretch is no measure; then all since, so that one slow stretch does not count as the pace."""
    watch = Clock()
    stretch(watch, now, 50.0, 5)
    assert watch.left(steps=10, validations=0, later=[]) == {}
    stretch(watch, now, 10.0, 5)
    assert watch.left(steps=10, validations=0, later=[]) == {"left_s": 20.0, "left_besides": []}
    stretch(watch, now, 30.0, 5)
    assert watch.left(steps=10, validations=0, later=["votes"]) == {"left_s": 40.0, "left_besides": ["votes"]}


def test_validations_are_timed_by_themselves(now):
    watch = Clock()
    stretch(watch, now, 1.0, 5)
    stretch(watch, now, 10.0, 5)
    expected = {"left_s": 20.0, "left_besides": ["validation", "reranker"]}
    assert watch.left(steps=10, validations=2, later=["reranker"]) == expected
    with watch.validating():
        now[0] += 100.0
    assert stretch(watch, now, 10.0, 5)["windows_a_second"] == 0.5
    assert watch.left(steps=10, validations=2, later=[]) == {"left_s": 220.0, "left_besides": []}


def test_waiting_is_the_time_between_asking_and_getting(now):
    def slow():
        for batch in "ab":
            now[0] += 3.0
            yield batch

    watch, got = Clock(), []
    for batch in watch.waited(slow()):
        got.append(batch)
        now[0] += 1.0
        watch.add({}, windows=1)
    assert got == ["a", "b"]
    assert watch.numbers()["waiting"] == pytest.approx(6 / 8)
