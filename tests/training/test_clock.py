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


def test_means_rates_and_what_is_left(now):
    watch = Clock()
    for loss in (1.0, 3.0):
        watch.add({"sources": torch.tensor(loss)}, windows=8)
        now[0] += 2.0
    said = watch.numbers(left=10)
    assert said == {"sources": 2.0, "windows_a_second": 4.0, "waiting": 0.0, "left_s": 20.0}
    watch.add({"sources": torch.tensor(7.0)}, windows=8)
    now[0] += 1.0
    assert watch.numbers(left=1)["sources"] == 7.0  # from 0 again


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
    assert watch.numbers(left=0)["waiting"] == pytest.approx(6 / 8)
