"""`soundfix check` and `soundfix calibrate`."""

import json
from dataclasses import replace

import numpy as np
import pytest

from helpers.calibrations import moving_scene
from helpers.command import ROOM, assert_refused
from soundfix.cli import app
from soundfix.files.microphones import read_microphones
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.physics import SPEED_OF_SOUND_M_S


def test_check_reports_and_writes(take, tmp_path, command):
    words = ["check", take / "scene.wav", "-m", take / "microphones.csv", "--room", ROOM]
    status, said, complaint = command(*words, "--json", tmp_path / "r.json", "--plot", tmp_path / "r.png")
    report = json.loads((tmp_path / "r.json").read_text())
    assert (status, said.splitlines()[0]) == (0, "7 of 7 microphones are usable (2 windows heard)"), complaint
    assert report["box_m"] == [[0, 0, 0], [6, 5, 3]]
    assert [microphone["name"] for microphone in report["microphones"]] == [f"mic{m + 1}" for m in range(7)]
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    assert said.splitlines()[-1] == f"drawn: {tmp_path / 'r.png'}"


def test_check_refuses_an_impossible_temperature(take, command):
    result = command("check", take / "scene.wav", "-m", take / "microphones.csv", "--temperature", 293)
    assert_refused(result, "was it given in °F or K?")


def test_calibrate_corrects_the_list(rng, tmp_path, capsys):
    scene, places = moving_scene(rng)
    listed_places = places.copy()
    listed_places[3] = np.nan
    write_scene(tmp_path / "take", replace(scene, microphones=Microphones(positions=listed_places), room=None))
    out, picture = tmp_path / "corrected.csv", tmp_path / "array.png"
    argv = [
        tmp_path / "take" / "scene.wav",
        "-m",
        tmp_path / "take" / "microphones.csv",
        "--out",
        out,
        "--plot",
        picture,
    ]
    argv += ["--speed-of-sound", SPEED_OF_SOUND_M_S, "--json", tmp_path / "found.json", "--room", "0,0,0,7,8,2.8"]
    app.app(["calibrate", *map(str, argv)], standalone_mode=False)
    assert "mic4  placed at (" in capsys.readouterr().out
    corrected = read_microphones(out)
    assert np.linalg.norm(corrected.positions[3] - places[3]) < 0.2
    assert json.loads((tmp_path / "found.json").read_text())["microphones"][3]["finding"] == "placed"
    assert picture.exists()


def test_check_and_calibrate_listen_to_the_band(take, tmp_path, command, monkeypatch):
    words = [take / "scene.wav", "-m", take / "microphones.csv", "--band", "1000,3950"]
    status, said, complaint = command("check", *words)
    assert (status, said.splitlines()[0]) == (0, "listened at 8.43 kHz, to what sounds from 1 to 3.95 kHz"), complaint
    heard = []
    monkeypatch.setattr("soundfix.api.calibrate.hear", lambda request, _: heard.append(request) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command("calibrate", *words, "--out", tmp_path / "out.csv")
    assert (heard[0].band_hz, heard[0].sound.sample_rate) == ((1000.0, 3950.0), 8427.0)
