"""What `calibrate` made of arrivals by formula, kept as numbers: lists that are wrong or blank, cables, and clocks.

    PYTHONPATH=tests python -m helpers.kept_calibrations

writes them anew, where they were meant to change (and EXPERIMENTS.md says why they are better).
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from helpers import TESTS
from helpers.calibrations import listed
from helpers.walks import ROOM, array, hearing, walk
from soundfix.calibration.calibrate import Calibration, calibrate

PATH = TESTS / "data/kept_calibrations.json"


def found() -> Iterator[tuple[str, Calibration]]:
    """By name, each from other arrivals."""
    yield "one is 40 cm off", solved(2, wrong={3: [0.3, -0.2, 0.17]})
    yield "two are off, one turned round", solved(3, wrong={1: [-0.5, 0.1, 0.0], 6: [0.0, 0.3, 0.4]})
    yield "one is blank", solved(4, blank=[5])
    yield "pairs exchanged", solved(7, order=[1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 10])
    yield "one is late", solved(9, offset_s=0.004 * (np.arange(11) == 2))
    yield (
        "each clock its own",
        solved(10, offset_s=0.01 * np.arange(11), drift_ppm=8.0 * (-1.0) ** np.arange(11), clocks="free"),
    )


def solved(seed, *, wrong=(), blank=(), order=None, room=ROOM, clocks="common", **late) -> Calibration:
    rng = np.random.default_rng(seed)
    places = array(rng)
    heard = hearing(places if order is None else places[order], walk(rng), rng, **late)
    listing = places.copy()
    for m, off in dict(wrong).items():
        listing[m] += off
    listing[list(blank)] = np.nan
    return calibrate(heard, listed(listing), room=room, clocks=clocks)


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
    PATH.write_text(json.dumps({name: told(each) for name, each in found()}, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main()
