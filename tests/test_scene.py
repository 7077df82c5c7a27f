import numpy as np
import pytest

from soundfix import Microphones, Scene
from soundfix.errors import SceneError

POSITIONS = np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0], [0, 0, 2], [4, 3, 2]])


def scene(**changes):
    given = {"audio": np.ones((5, 8000)), "sample_rate": 16_000.0, "microphones": Microphones(positions=POSITIONS)}
    return Scene(**(given | changes))


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (POSITIONS[0], "wanted \\(microphones, 3\\)"),
        (POSITIONS[:, :2], "wanted \\(microphones, 3\\)"),
        (POSITIONS * 1e-5, "degrees or km"),
        (np.clip(POSITIONS, 0, 1) * 1e308, "a unit or a typo"),
        (np.vstack([POSITIONS, POSITIONS[:1]]), "row listed twice"),
        (np.array([[0.0, np.nan, 1]]), "all three coordinates, or none"),
    ],
)
def test_positions_that_cannot_be(positions, message):
    with pytest.raises(SceneError, match=message):
        Microphones(positions=positions)


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
        ({"is_trusted": np.ones(3, dtype=bool)}, "one boolean a microphone"),
    ],
)
def test_scenes_that_cannot_be(changes, message):
    with pytest.raises(SceneError, match=message):
        scene(**changes)


def test_a_row_of_nan_is_an_unknown_position():
    positions = POSITIONS.copy()
    positions[2] = np.nan
    microphones = Microphones(positions=positions)
    assert microphones.is_known.tolist() == [True, True, False, True, True]
    assert np.isfinite(microphones.positions).all()
    assert np.isnan(microphones.border_positions()[2]).all()


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
    wide = Microphones(positions=POSITIONS * 10)
    assert scene(microphones=wide).search_box().tolist() == [[-20, -20, -20], [60, 50, 40]]


def test_1e308_in_the_audio_becomes_infinite_not_an_error():
    assert np.isinf(scene(audio=np.full((5, 8000), 1e308)).audio).all()
