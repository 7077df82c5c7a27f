"""`soundfix.check`: what the command writes, from paths or an array; every option shows."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import soundfix
from soundfix.api.check import COLUMNS, CheckRequest, run
from soundfix.api.sound import open_sound
from soundfix.errors import ConfigError, MissingPackageError, OutputError, SceneError
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.testing import ROOM, contract_scene


@pytest.fixture(scope="module")
def scene():
    """A second of noise, eight microphones: <i>dead</i> is dead."""
    whole = contract_scene(8, seconds=1.0)
    names = (*whole.microphones.names[:3], "<i>dead</i>", *whole.microphones.names[4:])
    audio = np.where(np.arange(8)[:, None] == 3, 0, whole.audio)
    return replace(whole, audio=audio, microphones=Microphones(positions=whole.microphones.positions, names=names))


@pytest.fixture(scope="module")
def checked(scene):
    return soundfix.check(scene.audio, scene.microphones, sample_rate=16_000.0, room=ROOM)


def test_paths_arrays_and_the_command_are_the_same(scene, tmp_path, command):
    write_scene(tmp_path, scene)
    files, told = (tmp_path / "scene.wav", tmp_path / "microphones.csv"), {"room": ROOM, "require": "20cm 95% minus 1"}
    options = ["--room", "0,0,0,6,5,3", "--require", told["require"], "--json", tmp_path / "c.json"]
    status, said, _ = command("check", files[0], "-m", files[1], *options)
    by_paths = soundfix.check(*files, **told)
    by_array = soundfix.check(scene.audio, scene.microphones, sample_rate=16_000.0, **told)
    by_paths.to_json(tmp_path / "p.json")
    assert status == 0
    assert said.startswith(repr(by_paths).splitlines()[0])
    assert (tmp_path / "p.json").read_bytes() == (tmp_path / "c.json").read_bytes()
    assert by_paths.to_dict() == by_array.to_dict() == json.loads((tmp_path / "c.json").read_text())
    assert by_paths.to_dict()["contract"]["losses"] == 1
    assert len(by_paths.notes) > 0


def test_every_option_shows(scene, checked):
    free = soundfix.check(scene.audio, scene.microphones, sample_rate=16_000.0)
    assert free.to_dict()["box_m"] != checked.to_dict()["box_m"] == [[0, 0, 0], [6, 5, 3]]
    for wrong, message in (
        ({"temperature_c": 293.0}, "°F or K"),
        ({"speed_of_sound_m_s": 0.343}, "wanted 100 to 7000"),
    ):
        with pytest.raises(SceneError, match=message):
            soundfix.check(scene.audio, scene.microphones, sample_rate=16_000.0, **wrong)
    with pytest.raises(ConfigError, match="20cm 95% minus 2"):
        soundfix.check(scene.audio, scene.microphones, sample_rate=16_000.0, require="20cm")
    with pytest.raises(SceneError, match="sample_rate is missing"):
        soundfix.check(scene.audio, scene.microphones)


def test_a_request_counts_and_tells_its_windows(scene, checked):
    told = []
    request = CheckRequest(sound=open_sound(scene.audio, 16_000.0, scene.microphones), room=ROOM)
    found = run(request, lambda: told.append(1))
    assert len(told) == request.count == found.windows == 2
    assert found.prediction.median_m == checked.survey.prediction.median_m


def test_it_says_who_is_not_good(checked):
    lines = repr(checked).splitlines()
    assert lines[0] == "7 of 8 microphones are usable (2 windows heard)"
    assert "<i>dead</i>  dead" in lines[1]
    assert lines[2].startswith("Geometry: ")
    assert len(lines) < 20


def test_html_is_escaped_and_has_a_row_a_microphone(checked):
    html = checked._repr_html_()
    assert html.count("<tr>") == 9
    assert "<td>&lt;i&gt;dead&lt;/i&gt;</td><td>dead</td>" in html
    assert "<i>" not in html
    assert "Geometry: " in html


def test_a_dataframe_is_a_row_a_microphone(checked, monkeypatch):
    pytest.importorskip("pandas")
    frame = checked.to_dataframe()
    assert list(frame.columns) == list(COLUMNS)
    assert frame["grade"].tolist() == [each.grade for each in checked.microphones]
    assert frame["is_used"].tolist() == [True] * 3 + [False] + [True] * 4
    assert frame["median_error_without_m"].isna().tolist() == [False] * 3 + [True] + [False] * 4
    assert frame["x_m"][0] == checked.microphones[0].position_m[0]


def test_without_pandas_one_sentence_says_what_to_install(checked, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackageError, match=r"soundfix\[dataframe\]"):
        checked.to_dataframe()


def test_it_draws(checked, tmp_path):
    assert checked.plot(tmp_path / "map.png") is None
    assert (tmp_path / "map.png").read_bytes() == checked.plot()._repr_png_()
    with pytest.raises(OutputError, match=r"wanted one of \.png"):
        checked.plot(tmp_path / "map.html")


def test_a_search_region_is_where_errors_are_predicted(scene):
    told = {"sample_rate": 16_000.0, "room": ROOM}
    found = soundfix.check(scene.audio, scene.microphones, search=((1, 1, 0), (3, 3, 3)), height_m=1.5, **told)
    assert found.to_dict()["box_m"] == [[1, 1, 1.5], [3, 3, 1.5]]
