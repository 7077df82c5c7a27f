"""Windows in which something stands out: a call, or what does not stop; not noise, and not what one station hears."""

import numpy as np
import pytest

from soundfix.microphones import Microphones
from soundfix.session.standing_out import is_field, standing_out

RATE, WINDOW = 8000.0, 4000
COUNT, STATIONS = 30, 6


def sounds(*calls, stations=STATIONS, heard_by=STATIONS, rate=RATE):
    """Windows of noise; in those that are named a short tone."""
    rng = np.random.default_rng(3)
    for number in range(COUNT):
        part = 0.01 * rng.standard_normal((stations, WINDOW))
        if number in calls:
            part[:heard_by, 1000:1800] += 0.05 * np.sin(2 * np.pi * 2000 / rate * np.arange(800))
        yield number * WINDOW / rate, part.astype(np.float32)


def told(windows, **options):
    return [number for number, (_, stands) in enumerate(standing_out(windows, RATE, reach_s=0.1, **options)) if stands]


def test_every_window_comes_once_in_order_and_calls_stand_out():
    both = list(standing_out(sounds(0, 7, 29), RATE, reach_s=0.1))
    assert [start_s for (start_s, _), _ in both] == [number * 0.5 for number in range(COUNT)]
    assert [number for number, (_, stands) in enumerate(both) if stands] == [0, 7, 29]
    for (_, part), (_, given) in zip((window for window, _ in both), sounds(0, 7, 29), strict=True):
        np.testing.assert_array_equal(part, given)


@pytest.mark.parametrize(("heard_by", "expected"), [(3, []), (4, [7])])
def test_enough_stations_must_hear_it(heard_by, expected):
    assert told(sounds(7, heard_by=heard_by)) == expected


def test_the_band_that_is_listened_to_is_the_one_that_counts():
    assert told(sounds(7), band_hz=(1500.0, 3000.0)) == [7]
    assert told(sounds(7), band_hz=(300.0, 1000.0)) == []


def test_a_sound_that_does_not_stop_and_all_share_stands_out_all_the_time():
    engine = np.random.default_rng(4).standard_normal(COUNT * WINDOW + 1000)
    noise = np.random.default_rng(5)

    def windows():
        for number in range(COUNT):
            shifts = [number * WINDOW + 40 * station for station in range(STATIONS)]
            part = np.stack([engine[shift : shift + WINDOW] for shift in shifts])
            yield number * 0.5, (part + 0.5 * noise.standard_normal(part.shape)).astype(np.float32)

    assert told(windows()) == list(range(COUNT))


def test_dead_channels_and_short_last_windows_are_no_matter():
    def windows():
        for start_s, part in sounds(7):
            dead = part[:, : WINDOW if start_s < 14.5 else 300].copy()
            dead[0], dead[1] = 0.0, np.nan
            yield start_s, dead

    assert told(windows()) == [7]


def test_rooms_and_short_recordings_are_located_whole():
    field = Microphones(positions=np.array([[0.0, 0, 0], [30.0, 0, 0], [0, 30.0, 0], [9.0, 9, 2]]))
    room = Microphones(positions=field.positions / 2)
    assert is_field(field, 100)
    assert not is_field(field, 20)
    assert not is_field(room, 100)
