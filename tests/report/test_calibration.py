"""A calibration as JSON, as text and as a picture."""

import json

import numpy as np

from helpers.calibrations import listed
from helpers.walks import ROOM, array, hearing, walk
from soundfix.calibration.calibrate import calibrate
from soundfix.report.calibration import as_dict, plot


def test_everything_as_json_and_as_a_picture(rng, tmp_path):
    places, sources = array(rng), walk(rng)
    blank = places.copy()
    blank[0] = np.nan
    result = calibrate(hearing(places, sources, rng), listed(blank), room=ROOM)
    told = json.loads(json.dumps(as_dict(result), allow_nan=False))
    assert told["microphones"][0]["finding"] == "placed"
    plot(result, listed(blank), ROOM, tmp_path / "array.png")
    assert (tmp_path / "array.png").stat().st_size > 10_000
