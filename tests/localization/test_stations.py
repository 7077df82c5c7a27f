"""Who hears an event: by levels in its own band and time."""

import numpy as np
import pytest

from soundfix.localization.stations import FEWEST, MOST, Stretch, chosen_stations, loudness

RATE = 16_000.0
SPAN_S = (12.0, 12.2)


def stretch(levels, *, at_s=12.0, lasts_s=0.2, low_hz=3000.0, high_hz=4000.0):
    """4 s of noise from second 10 on, and 0.2 s of a chirp in it, at these levels."""
    time = np.arange(4 * int(RATE)) / RATE + 10
    rng = np.random.default_rng(1)
    audio = rng.standard_normal((len(levels), len(time))) * 0.01
    is_call = (time >= at_s) & (time < at_s + lasts_s)
    phase = 2 * np.pi * (low_hz * (time - at_s) + (high_hz - low_hz) / 0.4 * (time - at_s) ** 2)
    audio += np.array(levels)[:, None] * np.where(is_call, np.sin(phase), 0)
    return Stretch(audio=audio.astype(np.float32), sample_rate=RATE, start_s=10.0)


def heard(sound, *, band_hz=(3000.0, 4000.0), reach_s=0.1):
    return loudness(sound, band_hz).stands_out_db(SPAN_S, reach_s)


def test_the_louder_the_call_the_more_it_stands_out_and_noise_does_not():
    loud, quiet, none = heard(stretch([0.1, 0.01, 0.0]))
    assert loud > quiet + 10
    assert quiet > 6
    assert abs(none) < 4


def test_gains_do_not_matter():
    sound = stretch([0.1, 0.01])
    loud = Stretch(audio=sound.audio * np.float32(50), sample_rate=RATE, start_s=10.0)
    assert heard(loud) == pytest.approx(heard(sound), abs=1e-3)


def test_only_its_own_band_counts():
    assert heard(stretch([0.1]))[0] > 20
    assert heard(stretch([0.1]), band_hz=(500.0, 1500.0))[0] < 6
    assert heard(stretch([0.1]), band_hz=None)[0] > 10


def test_only_its_own_time_counts_and_the_way_through_the_array():
    late = stretch([0.1], at_s=12.5)
    assert heard(late, reach_s=0.1)[0] < 6
    assert heard(late, reach_s=0.6)[0] > 20


def test_silence_and_missing_sound_stand_out_nowhere():
    sound = stretch([0.1, 0.1]).audio.copy()
    sound[0], sound[1] = 0.0, np.nan
    assert list(heard(Stretch(audio=sound, sample_rate=RATE, start_s=10.0))) == [-np.inf, -np.inf]


def test_a_part_is_what_there_is_of_it():
    part = stretch([0.1]).part(11.0, 12.5)
    assert (part.start_s, part.audio.shape) == (11.0, (1, 24_000))
    assert stretch([0.1]).part(9.0, 10.5).start_s == 10.0


def chosen(levels, listed=(), fewest=4):
    is_listed = np.isin(np.arange(len(levels)), listed)
    return list(np.flatnonzero(chosen_stations(np.array(levels), is_listed, fewest=fewest)))


def test_as_listed_where_these_can_place_it():
    assert chosen([9.0] * 8, listed=(0, 2, 4, 6)) == [0, 2, 4, 6]
    assert chosen([9.0] * 8, listed=(0, 2, 4), fewest=3) == [0, 2, 4]


def test_an_event_sounds_from_when_to_when_it_stands_out_where_it_is_heard_best():
    sound = stretch([0.02, 0.1, 0.0])
    best, first_s, last_s = loudness(sound, (3000.0, 4000.0)).heard_s((10.5, 13.5), 0.1)
    assert best == 1
    assert 11.97 < first_s <= 12.0
    assert 12.2 <= last_s < 12.23


def test_where_nothing_stands_out_or_not_in_its_time_nobody_knows_from_when_to_when():
    assert loudness(stretch([0.0, 0.0]), (3000.0, 4000.0)).heard_s((10.5, 13.5), 0.1) is None
    assert loudness(stretch([0.1]), (3000.0, 4000.0)).heard_s((12.5, 13.5), 0.1) is None
    assert loudness(stretch([0.1]), (3000.0, 4000.0)).heard_s((20.0, 21.0), 0.1) is None


def test_a_low_band_has_frames_of_some_of_its_periods():
    low = loudness(stretch([0.1], low_hz=20.0, high_hz=40.0), (15.0, 45.0))
    assert low.frame_s == pytest.approx(4 / 15, abs=1e-4)
    assert low.stands_out_db((12.0, 12.3), 0.3)[0] > 6
    assert loudness(stretch([0.1]), (3000.0, 4000.0)).frame_s == pytest.approx(0.02)


def test_a_band_between_two_lines_of_a_frame_is_the_one_next_to_it():
    narrow = loudness(stretch([0.1], low_hz=3060.0, high_hz=3065.0), (3055.0, 3070.0))
    assert narrow.stands_out_db(SPAN_S, 0.1)[0] > 20


def test_whoever_hears_it_and_the_loudest_of_too_few():
    assert chosen([20.0, 1.0, 9.0, 8.0, 7.0, 12.0, 6.5, 2.0, 9.0, 7.0]) == [0, 2, 3, 4, 5, 6, 8, 9]
    assert chosen([20.0, 1.0, 3.0, 8.0, 0.0, 12.0, 2.0, 0.5, 0.7]) == [0, 1, 2, 3, 5, 6, 8]
    assert chosen([20.0, 1.0, 3.0]) == [0, 1, 2]
    assert len(chosen([20.0] * 30)) == MOST > FEWEST


def test_listed_ones_go_first_where_more_are_needed():
    assert chosen([0.0, 1.0, 20.0, 19.0, 18.0, 2.0, 3.0, 4.0, 5.0], listed=(0, 1)) == [0, 1, 2, 3, 4, 7, 8]


def test_where_a_recorder_has_no_sound_nothing_stands_out_by_that(rng):
    """Its level is told by the sound that there is."""
    audio = 0.01 * rng.standard_normal((2, 64000))
    audio[0, :40000] = np.nan
    stretch = Stretch(audio=audio, sample_rate=16000.0, start_s=0.0)
    level_db = loudness(stretch, None).stands_out_db((3.0, 3.5), 0.1)
    assert level_db[0] < 6
    assert np.isfinite(level_db).all()


def test_a_short_call_stands_out_as_far_as_a_long_one_of_its_level():
    """Its level is that while it lasts, though a tenth of a second is looked at where an event is longer."""
    long, short = (
        loudness(stretch([0.1], lasts_s=lasts_s), (3000.0, 4000.0)).stands_out_db((12.0, 12.0 + lasts_s), 0.1)[0]
        for lasts_s in (0.2, 0.04)
    )
    assert short == pytest.approx(long, abs=1.5)
