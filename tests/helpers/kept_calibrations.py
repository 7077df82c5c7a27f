"""What `calibrate` made of arrivals by formula, kept as numbers: lists that are wrong or blank, cables, and clocks.

    PYTHONPATH=tests python -m helpers.kept_calibrations

writes them anew, where they were meant to change (and EXPERIMENTS.md says why they are better).
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers import TESTS
from helpers.calibrations import listed
from helpers.field import SPEED_M_S, field_arrivals
from helpers.walks import ROOM, array, hearing, walk
from soundfix.calibration.calibrate import Calibration, calibrate
from soundfix.calibration.field import tell_clocks

PATH = TESTS / "data/kept_calibrations.json"
NO_LIST = "no position at all"  # takes the longest


def cases() -> dict[str, Callable[[], Calibration]]:
    """By name, each from other arrivals."""
    moved_m = np.zeros((9, 3))
    moved_m[4] = 12.0, -9.0, 0.0
    return {
        "one is 40 cm off": lambda: solved(2, wrong={3: [0.3, -0.2, 0.17]}),
        "two are off, one turned round": lambda: solved(3, wrong={1: [-0.5, 0.1, 0.0], 6: [0.0, 0.3, 0.4]}),
        "one is blank": lambda: solved(4, blank=[5]),
        "pairs exchanged": lambda: solved(7, order=[1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 10]),
        "one is late": lambda: solved(9, offset_s=0.004 * (np.arange(11) == 2)),
        "each clock its own": lambda: solved(
            10, offset_s=0.01 * np.arange(11), drift_ppm=8.0 * (-1.0) ** np.arange(11), clocks="free"
        ),
        "in feet": lambda: solved(12, unit_m=0.3048),
        NO_LIST: lambda: solved(13, blank=range(11), room=None),
        "recorders, two late": lambda: in_a_wood(1, late_s=0.03 * np.eye(9)[1] - 0.02 * np.eye(9)[4]),
        "recorders, one elsewhere": lambda: in_a_wood(2, moved_m=moved_m, sounds=8, noise_m=0.0, gps_m=0.3),
        "recorders, free clocks": lambda: in_a_wood(3, late_s=0.01 * (np.arange(9) ** 2 % 4), gps_m=0.3, clocks="free"),
        "recorders, bad positions": lambda: in_a_wood(0, sounds=6, gps_m=3.0, declared=False),
    }


def in_a_wood(
    seed, *, late_s=0.0, moved_m=0.0, gps_m=0.5, clocks="common", declared=True, sounds=5, noise_m=0.03
) -> Calibration:
    arrivals, places, rng = field_arrivals(seed, late_s * np.ones(9), sounds=sounds, noise_m=noise_m)
    listing = places + gps_m * rng.standard_normal(places.shape) + moved_m
    sigma_m = np.full(9, gps_m if declared else 0.0)
    return tell_clocks(arrivals, listed(listing, sigma_m=sigma_m), SPEED_M_S, clocks=clocks)


def solved(seed, *, wrong=(), blank=(), order=None, room=ROOM, clocks="common", unit_m=1.0, **late) -> Calibration:
    rng = np.random.default_rng(seed)
    places = array(rng)
    heard = hearing(places if order is None else places[order], walk(rng), rng, **late)
    listing = places.copy()
    for m, off in dict(wrong).items():
        listing[m] += off
    listing[list(blank)] = np.nan
    return calibrate(heard, listed(listing / unit_m), room=room, clocks=clocks)


def told(calibration: Calibration) -> dict[str, Any]:
    """What is compared: lengths and standard errors in cm, so that all are of one size."""
    each = calibration.repairs
    spread = np.sqrt([np.diag(one.covariance_m2) for one in each])
    return {
        "findings": [one.finding for one in each],
        "doubts": list(calibration.doubts),
        "unit": calibration.unit,
        "positions_cm": (100 * np.array([one.position_m for one in each])).tolist(),
        "errors_cm": (100 * spread).tolist(),
        "sources_cm": (100 * calibration.sources[::6]).tolist(),
        "late_ms": [1e3 * one.offset_s for one in each],
        "late_errors_ms": [1e3 * one.offset_sigma_s for one in each],
        "drift_ppm": [one.drift_ppm for one in each],
        "drift_errors_ppm": [one.drift_sigma_ppm for one in each],
        "misfits_cm": [[100 * (one.before_m or 0.0), 100 * (one.after_m or 0.0)] for one in each],
        "speed_m_s": [calibration.speed_m_s, calibration.speed_sigma_m_s],
    }


def main() -> None:
    PATH.write_text(json.dumps({name: told(each()) for name, each in cases().items()}, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main()
