"""Microphones: what cannot be is refused with the likely cause, what is unknown stays unknown."""

import numpy as np
import pytest

from helpers.five_microphones import POSITIONS, scene
from soundfix import Microphones
from soundfix.errors import SceneError


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


def test_a_row_of_nan_is_an_unknown_position():
    positions = POSITIONS.copy()
    positions[2] = np.nan
    microphones = Microphones(positions=positions)
    assert microphones.is_known.tolist() == [True, True, False, True, True]
    assert np.isfinite(microphones.positions).all()
    assert np.isnan(microphones.border_positions()[2]).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": ("a", "b")}, "2 names for 5 microphones"),
        ({"names": tuple("abcda")}, "two microphones are called 'a'"),
        ({"sigma_m": np.zeros(4)}, r"sigma_m has shape \(4,\), wanted \(5,\)"),
        ({"sigma_m": np.array([0, 0, -0.5, 0, 0])}, "sigma_m holds -0.5"),
        ({"offset_s": np.array([0, np.nan, 0, 0, 0])}, "offset_s holds nan"),
        ({"drift_ppm": np.array([0, np.inf, 0, 0, 0])}, "drift_ppm holds inf"),
    ],
)
def test_columns_that_cannot_be(given, message):
    with pytest.raises(SceneError, match=message):
        Microphones(positions=POSITIONS, **given)


def test_a_message_names_the_microphones_and_the_distance():
    with pytest.raises(SceneError, match=r"microphones b and d stand on the same spot \(0.5 mm apart\)"):
        Microphones(positions=np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [1, 0.0005, 0]]), names=tuple("abcd"))


def test_an_unknown_position_is_no_duplicate_and_no_unit():
    positions = np.vstack([POSITIONS, np.full((2, 3), np.nan), [[0.0, 0.0005, 5]]])
    assert Microphones(positions=positions).is_known.sum() == 6


def test_a_half_blank_row_is_named_by_its_number():
    positions = POSITIONS.copy()
    positions[3, 1] = np.nan
    with pytest.raises(SceneError, match="microphone 4 has"):
        Microphones(positions=positions)


@pytest.mark.parametrize("quantity", ["positions", "sigma_m", "offset_s", "drift_ppm", "is_known"])
def test_columns_are_read_only(quantity):
    column = getattr(Microphones(positions=POSITIONS), quantity)
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1


def test_the_callers_columns_stay_writable_and_apart():
    positions, sigma = POSITIONS.copy(), np.zeros(5)
    microphones = Microphones(positions=positions, sigma_m=sigma)
    positions[0], sigma[0] = 9, 9
    assert microphones.positions[0].tolist() == [0, 0, 0]
    assert microphones.sigma_m[0] == 0


@pytest.mark.parametrize("given", [{"files": ("a.wav",)}, {"channels": (1, 2)}])
def test_files_and_channels_are_one_a_microphone(given):
    with pytest.raises(SceneError):
        Microphones(positions=POSITIONS, **given)


def test_no_microphones_at_all():
    with pytest.raises(SceneError):
        scene().where([False] * 5)


def test_the_width_is_the_largest_distance_of_known_positions():
    placed = Microphones(positions=np.array([[0.0, 0, 0], [3, 4, 0], [1, 1, 1], [np.nan] * 3]))
    assert placed.width_m == 5.0
    assert Microphones(positions=np.full((2, 3), np.nan)).width_m == 0.0
