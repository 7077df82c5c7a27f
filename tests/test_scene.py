"""Scenes: what cannot be is refused in a sentence, arrays are read-only, and a part keeps everything in step."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.five_microphones import POSITIONS, scene
from soundfix import Microphones
from soundfix.errors import SceneError
from soundfix.scene import Track, Truth, unknowns
from soundfix.search_region import SearchRegion


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"microphones": Microphones(positions=POSITIONS * 1000)}, "given in mm"),
        ({"microphones": Microphones(positions=POSITIONS * 100)}, "cm or feet"),
        ({"audio": np.ones((8000, 5))}, "looks transposed"),
        ({"audio": np.ones((4, 8000))}, "4 channels for 5 microphones"),
        ({"audio": np.ones(8000)}, "wanted \\(microphones, samples\\)"),
        ({"audio": np.ones((5, 0))}, "empty"),
        ({"audio": np.full((5, 10), "a")}, "wanted real numbers"),
        ({"sample_rate": 16.0}, "kHz"),
        ({"room": ((0.0, 0.0, 3.0), (5.0, 5.0, 0.0))}, "lowest corner first"),
        ({"temperature_c": 293.0}, "°F or K"),
        ({"speed_of_sound_m_s": 0.343}, "wanted 100 to 7000"),
        ({"wind_m_s": -1.0}, "wind -1.0 m/s, wanted 0 to 40"),
        ({"wind_m_s": 50.0}, "was it given in km/h"),
        ({"wind_m_s": np.nan}, "wind nan m/s"),
        ({"band_hz": (4000.0, 300.0)}, "lower one given first"),
        ({"band_hz": (300.0, 300.0)}, "wanted \\(lowest, highest\\)"),
        ({"band_hz": (-1.0, 300.0)}, "wanted \\(lowest, highest\\)"),
        ({"band_hz": (300.0, 8001.0)}, "holds nothing above 8000 Hz"),
        ({"is_trusted": np.ones(3, dtype=bool)}, "one boolean a microphone"),
    ],
)
def test_scenes_that_cannot_be(changes, message):
    with pytest.raises(SceneError, match=message):
        scene(**changes)


def test_arrays_are_read_only_and_the_callers_stay_writable():
    audio = np.ones((5, 8000), dtype=np.float32)
    made = scene(audio=audio)
    audio[0, 0] = 7
    assert made.audio[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        made.audio[0, 0] = 2


def test_where_keeps_everything_in_step():
    microphones = Microphones(
        positions=POSITIONS, names=tuple("abcde"), sigma_m=np.arange(5) / 100, channels=(5, 4, 3, 2, 1)
    )
    part = scene(microphones=microphones, audio=np.arange(5)[:, None] * np.ones(8000)).where(
        [True, False, True, False, True]
    )
    assert part.microphones.names == ("a", "c", "e")
    assert part.microphones.channels == (5, 3, 1)
    assert part.microphones.sigma_m.tolist() == [0.0, 0.02, 0.04]
    assert part.audio[:, 0].tolist() == [0, 2, 4]


def test_speed_is_given_or_from_the_temperature_or_usual():
    assert scene(speed_of_sound_m_s=1480.0, temperature_c=20.0).speed == 1480.0
    assert scene(temperature_c=0.0).speed == pytest.approx(331.3)
    assert scene().speed == 343.2


def test_without_a_room_the_box_grows_by_the_stated_margin():
    assert scene().search_box().tolist() == [[-2, -2, -2], [6, 5, 4]]
    halls = Microphones(positions=POSITIONS * 4)
    assert scene(microphones=halls).search_box().tolist() == [[-8, -8, -8], [24, 20, 16]]


WIDE = Microphones(positions=POSITIONS * 10)


def test_outdoors_nothing_is_sought_in_the_ground():
    assert scene(microphones=WIDE).is_outdoors
    assert scene(microphones=WIDE).ground_m == -2
    assert scene(microphones=WIDE).search_box().tolist() == [[-20, -20, -2], [60, 50, 40]]


@pytest.mark.parametrize(
    ("told", "lowest_m"),
    [
        ({"speed_of_sound_m_s": 1480.0}, -20.0),  # whales are below
        ({"search": SearchRegion.of(None, (-7.0, 9.0))}, -7.0),
        ({"room": ((-1.0, -1.0, -9.0), (70.0, 60.0, 50.0))}, -9.0),
    ],
)
def test_in_water_or_where_a_height_is_told_it_is(told, lowest_m):
    assert scene(microphones=WIDE, **told).search_box()[0, 2] == lowest_m


def test_1e308_in_the_audio_becomes_infinite_not_an_error():
    assert np.isinf(scene(audio=np.full((5, 8000), 1e308)).audio).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audio": np.ones((5, 8000), dtype=complex)}, "type complex128, wanted real numbers"),
        ({"audio": np.ones((5, 8000), dtype=bool)}, "type bool, wanted real numbers"),
        ({"sample_rate": np.nan}, "sample rate nan"),
        ({"sample_rate": np.inf}, "sample rate inf"),
        ({"sample_rate": -16_000.0}, "sample rate -16000"),
        ({"temperature_c": np.nan}, "temperature nan"),
        ({"speed_of_sound_m_s": np.nan}, "speed of sound nan"),
        ({"room": ((0.0, 0.0, 0.0), (5.0, np.nan, 3.0))}, "wanted \\(\\(x0, y0, z0\\)"),
        ({"room": ((0.0, 0.0, 0.0), (5.0, np.inf, 3.0))}, "wanted \\(\\(x0, y0, z0\\)"),
        ({"microphones": Microphones(positions=POSITIONS, offset_s=np.array([0, 0, 0.2, 0, 0]))}, "mic3 is 0.2 s off"),
    ],
)
def test_more_scenes_that_cannot_be(changes, message):
    with pytest.raises(SceneError, match=message):
        scene(**changes)


def test_positions_in_feet_that_do_not_fit_the_window_are_told():
    """A 30 m hall in feet looks 98 m wide: 0.25 s spans 86 m of sound."""
    hall = Microphones(positions=POSITIONS * 6 * 3.281)
    with pytest.raises(SceneError, match="cm or feet"):
        scene(microphones=hall, audio=np.ones((5, 4000)))


def test_where_keeps_unknown_positions_unknown():
    positions = POSITIONS.copy()
    positions[2] = np.nan
    part = Microphones(positions=positions).where([False, True, True, True, False])
    assert part.is_known.tolist() == [True, False, True]
    assert part.names == ("mic2", "mic3", "mic4")


def test_where_keeps_trust_in_step():
    trusting = scene(is_trusted=np.array([True, False, True, False, True]))
    assert trusting.where([False, True, True, True, False]).is_trusted.tolist() == [False, True, False]


def test_integers_are_full_scale_and_floats_are_kept():
    assert scene(audio=np.full((5, 8000), 32767, dtype=np.int16)).audio[0, 0] == 1
    assert scene(audio=np.full((5, 8000), 0.25)).audio.dtype == np.float32
    assert scene(audio=np.full((5, 8000), 0.25)).audio[0, 0] == 0.25


def test_lateness_is_the_offset_and_the_drift_until_the_middle_of_the_window():
    clocks = Microphones(positions=POSITIONS, offset_s=np.full(5, 0.01), drift_ppm=np.array([0.0, 100, -100, 0, 0]))
    late = scene(microphones=clocks, start_s=99.75).lateness_s
    assert np.allclose(late, [0.01, 0.02, 0.0, 0.01, 0.01])


@pytest.mark.parametrize("mask", [[0, 2, 4], [True, False], [False] * 4])
def test_where_refuses_a_mask_of_another_length(mask):
    with pytest.raises((SceneError, ValueError, IndexError)):
        Microphones(positions=POSITIONS).where(mask)


def test_the_wind_is_a_share_of_the_speed_and_still_where_nothing_is_told():
    assert scene(speed_of_sound_m_s=340.0, wind_m_s=3.4).wind_share == pytest.approx(0.01)
    assert scene().wind_share == 0.0


def test_replacing_the_temperature_changes_the_speed():
    assert replace(scene(temperature_c=20.0), temperature_c=0.0).speed == pytest.approx(331.3)


@pytest.mark.parametrize("room", [((-1e308,) * 3, (1e308,) * 3), ((1.0, 1.0, 1.0),) * 2])
def test_rooms_without_a_size_are_refused(room):
    with pytest.raises(SceneError):
        scene(room=room)


@pytest.mark.parametrize("start_s", [np.nan, np.inf])
def test_a_start_that_is_no_number_is_refused(start_s):
    with pytest.raises(SceneError):
        scene(start_s=start_s)


def test_words_are_refused_in_our_words():
    with pytest.raises(SceneError):
        Microphones(positions=np.array([["a", "b", "c"]]))


def track():
    times_s = np.array([0.0, 1.0, 2.0])
    places = np.array([[[0.0, 0, 1]], [[2.0, 0, 1]], [[np.nan] * 3]])
    return Track(times_s=times_s, places=places)


@pytest.mark.parametrize(("time_s", "x"), [(-1.0, 0.0), (0.25, 0.5), (1.0, 2.0), (1.5, np.nan), (3.0, np.nan)])
def test_a_track_is_linear_between_its_times_and_nan_beside_a_gap(time_s, x):
    assert np.array_equal(track().at(time_s)[0], [x, x * 0, x * 0 + 1], equal_nan=True)


def test_a_part_of_a_scene_has_the_truth_of_its_middle():
    whole = scene(
        audio=np.tile(np.arange(32000.0), (5, 1)), truth=Truth(sources=np.zeros((1, 3)), track=track()), start_s=3.0
    )
    part = whole.part(4000, 8000)
    assert part.audio[0, 0] == 4000
    assert part.audio.shape == (5, 8000)
    assert part.start_s == 3.25
    assert part.truth.sources == pytest.approx(np.array([[1.0, 0, 1]]))
    assert part.part(0, 4000).truth.sources == pytest.approx(np.array([[0.75, 0, 1]]))


def test_true_positions_follow_their_microphones():
    truth = Truth(sources=np.zeros((1, 3)), positions=POSITIONS + 1.0)
    kept = scene(truth=truth).where([True, False, True, True, False])
    assert np.array_equal(kept.truth.positions, POSITIONS[[0, 2, 3]] + 1.0)


@pytest.mark.parametrize(("sides", "count"), [((6, 5, 3), 4), ((6, 5, 0.01), 3), ((6, 0, 0), 2)])
def test_unknowns_are_the_free_coordinates_and_the_time(sides, count):
    assert unknowns(np.array([[0, 0, 0], sides], dtype=float)) == count


ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))


def box_of(search=None, height_m=None, room=ROOM):
    return scene(room=room, search=SearchRegion.of(search, height_m)).search_box().tolist()


def test_a_search_region_is_the_part_of_the_room_in_which_is_sought():
    assert box_of() == [[0, 0, 0], [6, 5, 3]]
    assert box_of(height_m=1.2) == [[0, 0, 1.2], [6, 5, 1.2]]
    assert box_of(((-9, 1, 0), (9, 2, 9))) == [[0, 1, 0], [6, 2, 3]]
    assert box_of([[1, 1], [2, 1], [1, 3]]) == [[1, 1, 0], [2, 3, 3]]


def test_without_a_room_what_is_open_is_bounded_by_the_microphones():
    untold, known = np.array(box_of(room=None)), np.array(box_of(height_m=1.2, room=None))
    assert np.array_equal(known[:, :2], untold[:, :2])
    assert known[:, 2].tolist() == [1.2, 1.2]
    assert box_of(ROOM, room=None) == [[0, 0, 0], [6, 5, 3]]


def test_a_height_told_to_a_few_centimetres_is_known():
    for told in ({"height_m": (0.24, 0.28)}, {"room": ((0.0, 0.0, 0.24), (6.0, 5.0, 0.28))}):
        assert box_of(**told)[0][2] == box_of(**told)[1][2] == pytest.approx(0.26)
        made = scene(room=told.get("room", ROOM), search=SearchRegion.of(None, told.get("height_m")))
        assert made.known_to_m() == pytest.approx([0, 0, 0.04])
        assert unknowns(made.search_box()) == 3
    assert unknowns(np.array(box_of(height_m=(0.2, 0.28)))) == 4


def test_a_search_a_little_beyond_a_wall_is_at_it_and_one_far_beyond_a_mistake():
    assert box_of(height_m=-0.04) == [[0, 0, -0.02], [6, 5, -0.02]]
    with pytest.raises(SceneError, match="outside the room"):
        box_of(height_m=-0.2)


@pytest.mark.parametrize("search", [((0, 0, 0), (1e7, 1, 1)), ((2, 2, 0), (2, 2, 3))])
def test_a_search_that_leaves_no_place(search):
    """The second leaves one, in a room of 3 cm."""
    with pytest.raises(SceneError, match="no place to be found"):
        scene(room=((0.0, 0.0, 1.0), (6.0, 5.0, 1.03)) if search[0][0] else None, search=SearchRegion.of(search))


def test_without_its_room_a_scene_keeps_what_was_known_of_the_source():
    thin = ((0.0, 0.0, 1.5), (6.0, 5.0, 1.5))
    assert scene(room=ROOM).without_room().search is None
    assert scene(room=thin).without_room().room is None
    assert scene(room=thin).without_room().search.bounds[:, 2].tolist() == [1.5, 1.5]
    assert not np.isfinite(scene(room=thin).without_room().search.bounds[:, :2]).any()
    stage = scene(room=ROOM, search=SearchRegion.of([[1, 1], [2, 1], [1, 3]])).without_room()
    assert stage.search.corners.shape == (3, 2)


def test_a_band_may_reach_to_half_the_rate():
    assert scene(band_hz=(0, 8000)).band_hz == (0.0, 8000.0)
    assert scene().band_hz is None
    assert scene(band_hz=(100, 200)).part(0, 8000).band_hz == (100.0, 200.0)
