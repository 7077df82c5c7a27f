"""What went into an answer, by hand; that it is enough to make it again is in test_again.py."""

import hashlib
import json

import numpy as np
import pytest

from soundfix.api.events import Listed
from soundfix.api.provenance import array_dict, request_dict
from soundfix.api.request import LocateRequest
from soundfix.api.sound import open_sound
from soundfix.events import SoundEvent
from soundfix.microphones import Microphones
from soundfix.networks.exported import PACKAGED
from soundfix.search_region import SearchRegion
from soundfix.survey.requirement import parse_requirement

PLACES = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [np.nan] * 3, [4, 4, 2]])


@pytest.fixture
def sound(rng):
    listed = Microphones(
        positions=PLACES, sigma_m=np.array([0.01, 0, 0, 0, 0]), drift_ppm=np.arange(5.0), crs="EPSG:32632"
    )
    return open_sound(rng.standard_normal((5, 8000)), 16_000.0, listed)


def test_without_options(sound):
    """All plain: what is written is what is read."""
    told = request_dict(LocateRequest(sound=sound))
    assert json.loads(json.dumps(told)) == told
    assert (told["method"], told["room"], told["search"], told["events"], told["files"]) == (
        "three-stream", None, None, None, [],
    )  # fmt: skip
    assert (told["rate_hz"], told["crs"], told["speed_m_s"]) == (16_000.0, "EPSG:32632", pytest.approx(343.2, abs=0.05))
    assert told["microphones"][3] == {
        "name": "mic4", "channel": 4, "position_m": None, "sigma_m": 0.0, "clock_sigma_s": 0.0, "offset_s": 0.0,
        "drift_ppm": 3.0,
    }  # fmt: skip
    assert (told["microphones"][0]["sigma_m"], told["microphones"][4]["position_m"]) == (0.01, [4.0, 4.0, 2.0])


def test_options(sound):
    event = SoundEvent(start_s=0.1, end_s=0.2, band_hz=(500.0, 900.0), label="owl", stations=("mic2",), rows=(3,))
    told = request_dict(
        LocateRequest(sound=sound, temperature_c=0.0, events=(Listed(event=event, is_listed=np.arange(5) == 1),))
    )
    assert told["speed_m_s"] == pytest.approx(331.3, abs=0.1)
    assert told["events"] == [
        {"start_s": 0.1, "end_s": 0.2, "band_hz": [500.0, 900.0], "label": "owl", "stations": ["mic2"], "rows": [3],
         "heard_by": ["mic2"]}
    ]  # fmt: skip
    region = SearchRegion.of([[0.0, 0.0], [4.0, 0.0], [2.0, 4.0]], 1.5)
    told = request_dict(LocateRequest(sound=sound, search=region, require=parse_requirement("20cm 95% minus 2")))
    assert told["search"] == {
        "bounds_m": [[0.0, 0.0, 1.5], [4.0, 4.0, 1.5]], "corners_m": [[0.0, 0.0], [4.0, 0.0], [2.0, 4.0]],
    }  # fmt: skip
    assert told["require"] == {"radius_m": 0.2, "share": 0.95, "losses": 2}
    told = request_dict(LocateRequest(sound=sound, search=SearchRegion.of(None, 1.5)))
    assert told["search"] == {"bounds_m": [[None, None, 1.5], [None, None, 1.5]], "corners_m": None}


def test_an_array_is_its_samples():
    audio = np.arange(6, dtype=np.float32).reshape(2, 3)
    told = array_dict(audio, 8000.0)
    assert told == {"shape": [2, 3], "rate_hz": 8000.0, "sha256": hashlib.sha256(audio.tobytes()).hexdigest()}
    assert array_dict(np.asfortranarray(audio), 8000.0) == told
    assert array_dict(audio[::-1], 8000.0) != told


def test_what_ran_the_network_is_told_where_it_was_not_pytorch(sound):
    assert "runtime" not in request_dict(LocateRequest(sound=sound))
    assert request_dict(LocateRequest(sound=sound, checkpoint=PACKAGED))["runtime"] == "onnxruntime"
    assert "runtime" not in request_dict(LocateRequest(sound=sound, method="srp-phat"))
