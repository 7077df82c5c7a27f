"""A calibration as JSON, as text and as a picture."""

import json

import numpy as np
from matplotlib.image import imread

from helpers.calibrations import listed
from helpers.field import SPEED_M_S, field_arrivals
from helpers.walks import ROOM, array, hearing, walk
from soundfix.calibration.calibrate import calibrate
from soundfix.calibration.field import tell_clocks
from soundfix.microphones import Microphones
from soundfix.report.calibration import as_dict, lines, plot


def test_everything_as_json_and_as_a_picture(rng, tmp_path):
    places, sources = array(rng), walk(rng)
    blank = places.copy()
    blank[0] = np.nan
    result = calibrate(hearing(places, sources, rng), listed(blank), room=ROOM)
    told = json.loads(json.dumps(as_dict(result), allow_nan=False))
    assert told["microphones"][0]["finding"] == "placed"
    plot(result, listed(blank), ROOM, tmp_path / "array.png")
    drawn = imread(tmp_path / "array.png")
    assert (drawn[:, -8:, :3] == 1).all()  # nothing is cut off at the right, the legend neither


def test_clocks_in_the_field_are_told_in_words(tmp_path):
    late_s = np.array([0.0, 0.03, 0, 0, 0, 0, 0, 0, 0])
    arrivals, places, _ = field_arrivals(1, late_s)
    arrays = Microphones(positions=places, sigma_m=np.full(9, 0.3))
    result = tell_clocks(arrivals, arrays, SPEED_M_S, clocks="free")
    text = list(lines(result, arrays))
    assert "5 sounds from 0.0 to 40.0 s" in text
    assert any("mic1  its clock is the time" in line for line in text)
    assert any("mic2  its clock is off by +3" in line for line in text)
    assert any(line.startswith("  mic3  on time, within ") for line in text)
    assert "clocks run by that of mic1" in text
    assert any(line.startswith("positions stay as listed") for line in text)
    told = json.loads(json.dumps(as_dict(result), allow_nan=False))
    assert (told["tells_clocks_only"], told["clocks_run_by"]) == (True, "mic1")
    plot(result, arrays, None, tmp_path / "array.png")


def test_in_doubt_of_clocks_more_sounds_are_wanted():
    arrivals, places, _ = field_arrivals(1, np.zeros(9), sounds=1)
    arrays = Microphones(positions=places)
    text = list(lines(tell_clocks(arrivals, arrays, SPEED_M_S, clocks="common"), arrays))
    assert text[0].startswith("doubtful: sounds came from 1 places only")
    assert any("more sounds would tell" in line for line in text)
