"""A list as in JSON files."""

import numpy as np

from soundfix.microphones import Microphones
from soundfix.report.listed import listed_dicts


def test_what_was_told_of_each():
    microphones = Microphones(
        positions=np.array([[1.0, 2.0, 3.0], [np.nan] * 3]), names=("a", "b"),
        sigma_m=np.array([0.1, 0.2]), offset_s=np.array([0.5, 0.0]),
        drift_ppm=np.array([7.0, 0.0]), clock_sigma_s=np.array([0.0, 0.25]),
    )  # fmt: skip
    assert listed_dicts(microphones, [4, None]) == [
        {
            "name": "a", "channel": 5, "position_m": [1.0, 2.0, 3.0], "sigma_m": 0.1, "clock_sigma_s": 0.0,
            "offset_s": 0.5, "drift_ppm": 7.0,
        },
        {
            "name": "b", "channel": None, "position_m": None, "sigma_m": 0.2, "clock_sigma_s": 0.25, "offset_s": 0.0,
            "drift_ppm": 0.0,
        },
    ]  # fmt: skip
