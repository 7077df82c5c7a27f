"""What a worker does, in this process."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from helpers.service import LIST, PLACES_M, recording
from soundfix.errors import SoundfixError
from soundfix.methods.catalog import load
from soundfix.server import tasks
from soundfix.server.job import HEARD, SOUND
from soundfix.server.limits import Limits
from soundfix.server.tasks import TooMuch, do, loaded, without_folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "microphones").mkdir()
    recording(tmp_path / "audio" / "take.wav", seconds=2.0)
    (tmp_path / "microphones" / "list.csv").write_text(LIST)
    return tmp_path


def done(folder, kind="locate", limits=Limits(), tell=lambda *said: None, **options):  # noqa: B008
    return json.loads(do(kind, folder, {"method": "srp-phat"} | options, limits, tell))


def test_every_option_has_its_effect(folder):
    plain = done(folder)
    assert len(plain["estimates"]) == 4
    assert len(done(folder, window_s=1.0, hop_s=0.5)["estimates"]) == 3
    told = done(
        folder, room=[[0.0, 0.0, 0.0], [5.0, 4.0, 3.0]], search=[[0.0, 0.0, 0.0], [2.0, 2.5, 3.0]], height_m=[1.3]
    )["request"]
    assert told["room"] == [[0, 0, 0], [5, 4, 3]]
    assert told["search"]["bounds_m"] == [[0, 0, 1.3], [2, 2.5, 1.3]]
    assert done(folder, temperature_c=0.0)["request"]["speed_m_s"] < 332
    assert done(folder, speed_of_sound_m_s=350.0)["request"]["speed_m_s"] == 350
    assert done(folder, wind_m_s=2.0)["request"]["wind_m_s"] == 2
    assert done(folder, band_hz=[300.0, 3000.0])["request"]["band_hz"] == [300, 3000]
    assert done(folder, position_sigma_m=0.03)["request"]["microphones"][0]["sigma_m"] == 0.03
    assert done(folder, clock_sigma_s=0.001)["request"]["microphones"][0]["clock_sigma_s"] == 0.001
    assert done(folder, tracks=True)["estimates"][0]["sources"][0]["track"] is not None
    assert done(folder, require="20cm 50% minus 1")["request"]["require"]
    smooth = done(folder, smooth=True)
    assert smooth["request"]["smooth"]
    assert smooth["estimates"][1]["sources"] != plain["estimates"][1]["sources"]


def test_progress_goes_to_the_end(folder, monkeypatch):
    monkeypatch.setattr(tasks, "EVERY_S", 0.0)
    shares = []
    done(folder, tell=lambda what, said: shares.append(said) if what == "progress" else None)
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_limits_of_a_recording(folder):
    with pytest.raises(TooMuch, match=r"2 s of sound, 1 s at most"):
        done(folder, limits=Limits(sound_s=1.0))
    with pytest.raises(TooMuch, match=r"6 microphones, 5 at most"):
        done(folder, limits=Limits(channels=len(PLACES_M) - 1))


def test_errors_are_those_of_the_library(folder):
    (folder / "audio" / "take.wav").write_bytes(b"no sound")
    with pytest.raises(SoundfixError) as error:
        done(folder)
    assert without_folder(str(error.value), folder).startswith("take.wav")


def test_a_folder_is_left_out_of_texts(tmp_path):
    folder = tmp_path / 'a "b"'
    text = json.dumps({"path": str(folder / "audio" / "x.wav"), "list": str(folder / "microphones" / "l.csv")})
    assert json.loads(without_folder(text, folder)) == {"path": "x.wav", "list": "l.csv"}


def test_one_window_is_what_a_recording_of_it_says(folder):
    recording(folder / SOUND / "take.wav", seconds=1.0)
    told = done(folder, kind="window", window_s=0.1)
    assert told["method"] == "srp-phat"
    assert told["estimate"]["end_s"] == 1.0
    assert told["estimate"] == done(folder, window_s=1.0)["estimates"][0]
    without = done(folder, kind="window", left_out=["m2", "nobody"])["estimate"]
    assert [each["name"] for each in without["microphones"] if each["weight"] == 0] == ["m2"]


def test_a_long_window_is_refused(folder):
    for kind in ("window", "likelihood"):
        with pytest.raises(TooMuch, match="a window of 2 s, 1 s at most"):
            done(folder, kind=kind, limits=Limits(window_s=1.0))
    assert done(folder, limits=Limits(window_s=1.0))["estimates"]


def test_what_was_heard_is_kept_in_the_order_of_the_list(folder):
    """As it is listened to: at 16 kHz, of natural order, silence where nothing is known."""
    audio, rate = soundfile.read(folder / SOUND / "take.wav")
    (folder / SOUND / "take.wav").unlink()
    for k in range(5):
        soundfile.write(folder / SOUND / f"mic{k + 8}.wav", np.repeat(audio[:, k], 3), 3 * rate, subtype="FLOAT")
    rows = [f"mic{k + 8},{x},{y},{z}" for k, (x, y, z) in enumerate(PLACES_M)]
    (folder / "microphones" / "list.csv").write_text("\n".join(["name,x,y,z", *reversed(rows)]))
    done(folder)
    assert not (folder / HEARD).exists()
    done(folder, sound=True)
    heard, heard_rate = soundfile.read(folder / HEARD, always_2d=True)
    assert heard_rate == 16000
    assert heard.shape[1] == 6
    assert (heard[:, 0] == 0).all()  # mic13 has no file
    for k in range(5):
        assert np.corrcoef(heard[2000:-2000, 5 - k], audio[2000:-2000, k])[0, 1] > 0.7
    (folder / HEARD).unlink()
    done(folder, sound=True, limits=Limits(heard_bytes=1000))
    assert not (folder / HEARD).exists()


def test_estimates_are_told_as_they_come(folder):
    said = []
    document = done(folder, tell=lambda what, told: said.append((what, told)))
    assert [json.loads(told) for what, told in said if what == "estimate"] == document["estimates"]


def test_the_curves_of_a_window(folder):
    told = done(folder, kind="likelihood")["curves"]
    assert len(told["pairs"]) == 15
    assert np.allclose(told["positions_m"], PLACES_M)
    assert all(2 not in pair for pair in done(folder, kind="likelihood", left_out=["m2"])["curves"]["pairs"])
    recording(folder / SOUND / "take.wav", seconds=1.0, level=0.0)
    assert done(folder, kind="likelihood")["curves"] is None


def test_a_plan_needs_no_sound(folder):
    shutil.rmtree(folder / SOUND)
    near = done(folder, kind="plan", room=[[0.0, 0.0, 0.0], [5.0, 4.0, 3.0]], method=None)
    assert len(near["without"]) == len(PLACES_M)
    assert near["predicted_error"]["slices"]
    far = done(folder, kind="plan", room=[[0.0, 0.0, 0.0], [5.0, 4.0, 3.0]], timing_sigma_m=0.1, method=None)
    assert far["predicted_error"]["median_m"] > 4 * near["predicted_error"]["median_m"]
    assert "contract" in done(folder, kind="plan", require="20cm 50% minus 1", method=None)
    flat = done(folder, kind="plan", room=[[0.0, 0.0, 0.0], [5.0, 4.0, 3.0]], height_m=[1.2], method=None)
    assert flat["box_m"][0][2] == flat["box_m"][1][2] == 1.2
    with pytest.raises(TooMuch, match="6 microphones, 5 at most"):
        done(folder, kind="plan", limits=Limits(channels=5), method=None)
    moved = done(folder, kind="plan", position_sigma_m=0.5, method=None)
    assert moved["predicted_error"]["median_m"] > 4 * near["predicted_error"]["median_m"]


def test_a_method_is_read_once(folder, monkeypatch):
    read = []
    loaded.cache_clear()
    monkeypatch.setattr(tasks, "load", lambda name: read.append(name) or load(name))
    for _ in range(2):
        done(folder, kind="window")
    assert read == ["srp-phat"]


def test_a_network_explains_itself_where_that_is_asked(folder):
    assert "pairs" in done(folder, method="three-stream", window_s=1.0, explain=True)["estimates"][0]
    assert "pairs" not in done(folder, method="three-stream", window_s=1.0)["estimates"][0]
