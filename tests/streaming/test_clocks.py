"""Counters of senders on one line of time, by when their packets arrive."""

import numpy as np
import pytest

from soundfix.streaming.clocks import Clocks, DriftLine
from soundfix.streaming.packets import Packet

RATE, PACKET = 16_000, 1600


def run(clocks, drifts_ppm, seconds, rng, *, jitter_s=0.002, told=False, begun_s=1000.0, offset=None):
    """Packets of all senders in turn; yields (sender, counter, place)."""
    for number in range(int(seconds * RATE / PACKET)):
        for m, ppm in enumerate(drifts_ppm):
            counter = number * PACKET + (offset or [0] * len(drifts_ppm))[m]
            ended_s = begun_s + (number + 1) * PACKET / RATE * (1 + 1e-6 * ppm)
            time_ns = int(1e9 * (ended_s - PACKET / RATE)) if told else 0
            packet = Packet(np.zeros((PACKET, 1), np.float32), RATE, (f"m{m}",), counter, 1, time_ns)
            yield m, number, clocks.place(packet, ended_s + jitter_s * rng.exponential())


def test_a_line_by_hand():
    """And as numpy fits it, where nothing is forgotten."""
    line, x = DriftLine(), np.arange(40.0)
    y = 3 + 0.5 * x + np.sin(x)
    for each in zip(x, y, strict=True):
        line.add(*each, 1.0)
    (slope, _), covariance = np.polyfit(x, y, 1, cov=True)
    assert line.slope == pytest.approx(slope)
    assert line.sigma == pytest.approx(covariance[0, 0] ** 0.5)


def test_what_is_long_ago_counts_less():
    line = DriftLine()
    for x in range(400):
        line.add(float(x), 0.0 if x < 200 else x - 200.0, 0.9)
    assert line.slope == pytest.approx(1.0, abs=1e-3)


def test_too_little_says_nothing():
    assert DriftLine().sigma == float("inf")


def test_without_drift_counters_count(rng):
    clocks, places = Clocks(), {}
    for m, number, place in run(clocks, [0, 0, 0], 30, rng, offset=[5, 10**7, 0]):
        places.setdefault(m, []).append(place - number * PACKET)
    for each in places.values():
        assert len(set(each)) == 1
        assert abs(each[0]) < 0.02 * RATE  # as exact as packets arrive


@pytest.mark.parametrize("told", [False, True])
def test_drift_is_found_and_taken_out(rng, told):
    """Three clocks at 0, 40 and -25 ppm, twenty minutes: 48 ms without that."""
    clocks, late = Clocks(), {}
    drifts = [0.0, 40.0, -25.0]
    for m, number, place in run(clocks, drifts, 1200, rng, told=told, jitter_s=0.0005):
        true = number * PACKET * (1 + 1e-6 * drifts[m])
        late.setdefault(m, []).append(place - true)
    found = clocks.drifts()
    for m, ppm in enumerate(drifts):
        assert found[f"m{m}"][0] == pytest.approx(ppm, abs=0.5)
        assert found[f"m{m}"][1] < 0.3
        assert np.ptp(late[m][len(late[m]) // 2 :]) < 8  # half a millisecond, over ten minutes
    assert np.ptp(late[1]) < 20


def test_places_slip_by_one_at_a_time(rng):
    clocks, places = Clocks(), {}
    for m, _, place in run(clocks, [0.0, 60.0], 200, rng, jitter_s=0.0002):
        places.setdefault(m, []).append(place)
    steps = np.unique(np.diff(places[1]))
    assert set(steps) <= {PACKET - 1, PACKET, PACKET + 1}
    assert PACKET + 1 in steps


def test_a_sender_that_begins_anew_is_laid_where_time_is(rng):
    clocks = Clocks()
    list(run(clocks, [0.0], 5, rng))
    again = Packet(np.zeros((PACKET, 1), np.float32), RATE, ("m0",), 0, 2, 0)
    assert clocks.place(again, 1000.0 + 20.1) == pytest.approx(20.0 * RATE, abs=0.02 * RATE)


def test_a_network_that_stalls_and_catches_up_moves_nothing(rng):
    clocks = Clocks()
    places = [place for *_, place in run(clocks, [0.0], 5, rng)]
    for number in range(50, 100):  # five seconds of sound, all at once, five seconds late
        packet = Packet(np.zeros((PACKET, 1), np.float32), RATE, ("m0",), number * PACKET, 1, 0)
        places.append(clocks.place(packet, 1010.1))
    assert set(np.diff(places)) == {PACKET}


def test_a_counter_that_stood_still_is_laid_anew(rng):
    """As when the sender's machine slept a minute."""
    clocks = Clocks()
    list(run(clocks, [0.0], 5, rng))
    for number in range(50, 250):
        packet = Packet(np.zeros((PACKET, 1), np.float32), RATE, ("m0",), number * PACKET, 1, 0)
        place = clocks.place(packet, 1060.1 + number * PACKET / RATE)
    assert place == pytest.approx((60 + 24.9) * RATE, abs=0.02 * RATE)


def test_a_counter_that_is_ahead_is_another(rng):
    clocks = Clocks()
    list(run(clocks, [0.0], 5, rng))
    packet = Packet(np.zeros((PACKET, 1), np.float32), RATE, ("m0",), 10**9, 1, 0)
    assert clocks.place(packet, 1005.1) == pytest.approx(5.0 * RATE, abs=0.02 * RATE)
