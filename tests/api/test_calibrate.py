"""`soundfix.calibrate`: what the command writes; what it found is a list to locate with."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest

import soundfix
from helpers.field_songs import wood_with_songs
from helpers.walks import ROOM, SPEED_M_S, array, hearing, walk
from soundfix.api import calibrate as module
from soundfix.api.calibrate import COLUMNS, Calibrated, CalibrateRequest
from soundfix.api.sound import open_sound
from soundfix.calibration.calibrate import calibrate
from soundfix.errors import OutputError, SceneError
from soundfix.files.microphones import read_microphones
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.scene import Scene


@pytest.fixture(scope="module")
def listed():
    """Eleven microphones, <i>mic1</i> of unknown position."""
    positions = array(np.random.default_rng(1))
    positions[0] = np.nan
    return Microphones(positions=positions, names=("<i>mic1</i>", *(f"mic{m}" for m in range(2, 12))))


@pytest.fixture(scope="module")
def observed():
    """What is heard of a walk among them, by formula."""
    rng = np.random.default_rng(1)
    places = array(np.random.default_rng(1))
    return hearing(places, walk(rng), rng)


@pytest.fixture(scope="module")
def solve_once():
    """Who asks the same of the same list is told the same."""
    found = {}

    def solve(heard, microphones, *, watch, **asked):
        listed = {each.name: np.asarray(getattr(microphones, each.name)).tolist() for each in fields(microphones)}
        if (key := repr((listed, asked))) not in found:
            found[key] = calibrate(heard, microphones, watch=watch, **asked)
        return found[key]

    return solve


@pytest.fixture
def quick(monkeypatch, observed, solve_once):
    """Listening is replaced by what is heard by formula; says what was listened to."""
    heard = []

    def observe(network, scenes):
        heard.extend(scenes)
        return observed

    monkeypatch.setattr(module, "observe", observe)
    monkeypatch.setattr(module, "solve_for", solve_once)
    return heard


@pytest.fixture
def recording(listed):
    """Two seconds of noise: what is heard of them is `observed`."""
    noise = np.random.default_rng(0).standard_normal((11, 32_000)).astype(np.float32)
    return Scene(audio=noise, sample_rate=16_000.0, microphones=listed)


def test_paths_arrays_and_the_command_are_the_same(recording, quick, tmp_path, command):
    write_scene(tmp_path, replace(recording, microphones=replace(recording.microphones, names=())))
    files = tmp_path / "scene.wav", tmp_path / "microphones.csv"
    options = ["--room", "0,0,0,7,8,2.8", "--speed-of-sound", SPEED_M_S, "--json", tmp_path / "c.json"]
    status, said, _ = command("calibrate", files[0], "-m", files[1], *options, "--out", tmp_path / "c.csv")
    by_command = len(quick)
    by_paths = soundfix.calibrate(*files, room=ROOM, speed_of_sound_m_s=SPEED_M_S)
    by_array = soundfix.calibrate(
        recording.audio, read_microphones(files[1]), sample_rate=16_000.0, room=ROOM, speed_of_sound_m_s=SPEED_M_S
    )
    by_paths.to_json(tmp_path / "p.json")
    by_paths.to_csv(tmp_path / "p.csv")
    assert status == 0
    assert said.startswith(repr(by_paths))
    assert by_paths.to_dict() == by_array.to_dict() == json.loads((tmp_path / "c.json").read_text())
    for suffix in ("json", "csv"):
        assert (tmp_path / f"p.{suffix}").read_bytes() == (tmp_path / f"c.{suffix}").read_bytes()
    assert len(quick) == 3 * by_command
    assert {scene.speed for scene in quick} == {SPEED_M_S}
    assert {scene.room for scene in quick} == {ROOM}


def test_the_corrected_list_is_there_to_locate_with(recording, quick, listed):
    calibrated = soundfix.calibrate(recording.audio, listed, sample_rate=16_000.0, room=ROOM)
    truth = array(np.random.default_rng(1))[0]
    assert isinstance(calibrated, Calibrated)
    assert calibrated.microphones.is_known.all()
    assert np.linalg.norm(calibrated.microphones.positions[0] - truth) < 0.1
    assert (calibrated.listed, calibrated.room) == (listed, ROOM)


def test_every_option_shows(recording, quick, monkeypatch):
    told = {}

    def solve(heard, microphones, **options):
        told.update(options)
        raise SceneError("that is enough")

    monkeypatch.setattr(module, "solve_for", solve)
    request = {"clocks": "free", "seed": 7, "room": ROOM}
    with pytest.raises(SceneError, match="that is enough"):
        soundfix.calibrate(recording.audio, recording.microphones, sample_rate=16_000.0, temperature_c=-40.0, **request)
    assert request.items() <= told.items()
    assert quick[0].speed == pytest.approx(306, abs=1)


def test_a_request_counts_and_tells_its_windows(recording, quick, listed):
    told = []
    request = module.CalibrateRequest(sound=open_sound(recording.audio, 16_000.0, listed))
    module.hear(request, lambda: told.append(1))
    assert len(told) == request.count == len(quick) == 7  # of half a second, a quarter apart


def test_it_says_what_was_found(recording, quick, listed):
    calibrated = soundfix.calibrate(recording.audio, listed, sample_rate=16_000.0, room=ROOM)
    lines, html = repr(calibrated).splitlines(), calibrated._repr_html_()
    assert "moments from" in lines[0]
    assert lines[1].startswith("  <i>mic1</i>  placed at (")
    assert "<td>&lt;i&gt;mic1&lt;/i&gt;</td><td>placed</td>" in html
    assert "<i>" not in html
    assert html.count("<tr>") == 12
    assert "speed of sound" in html


def test_a_dataframe_is_a_row_a_microphone(recording, quick, listed):
    pytest.importorskip("pandas")
    frame = soundfix.calibrate(recording.audio, listed, sample_rate=16_000.0, room=ROOM).to_dataframe()
    assert list(frame.columns) == list(COLUMNS)
    assert frame["name"].tolist() == list(listed.names)
    assert frame["finding"].tolist() == ["placed"] + ["good"] * 10


def test_it_draws(recording, quick, listed, tmp_path):
    calibrated = soundfix.calibrate(recording.audio, listed, sample_rate=16_000.0, room=ROOM)
    assert calibrated.plot()._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(OutputError, match=r"wanted one of \.png"):
        calibrated.plot(tmp_path / "map.html")


def test_too_little_to_hear_is_one_sentence(recording):
    with pytest.raises(SceneError, match="moments at which enough microphones hear the same"):
        soundfix.calibrate(0 * recording.audio, recording.microphones, sample_rate=16_000.0)


def test_recorders_in_the_field_are_told_their_clocks(tmp_path):
    scene, late_s = wood_with_songs(songs=3)
    found = soundfix.calibrate(scene.audio, scene.microphones, sample_rate=scene.sample_rate, temperature_c=15.0)
    kinds = [repair.finding for repair in found.calibration.repairs]
    assert [kinds[m] for m in (1, 5)] == ["late", "late"]
    assert set(kinds) == {"late", "on time"} or set(kinds) == {"late", "on time", "unsure"}
    assert found.microphones.offset_s == pytest.approx(np.where(np.abs(late_s) > 0.01, late_s, 0), abs=6e-3)
    found.to_csv(tmp_path / "corrected.csv")
    assert read_microphones(tmp_path / "corrected.csv").clock_sigma_s == pytest.approx(found.microphones.clock_sigma_s)


def test_in_a_long_recording_of_the_field_only_what_stands_out_is_heard():
    scene, _ = wood_with_songs(songs=1)
    quiet = np.tile(scene.audio[:, :16_000], (1, 40))
    request = CalibrateRequest(sound=open_sound(np.hstack([quiet, scene.audio, quiet]), 16_000.0, scene.microphones))
    assert request.tells_clocks_only
    kept = [window.start_s for window in module._outstanding(request, lambda: None)]
    assert 1 <= len(kept) < request.count / 4
    assert all(36 < start_s < 46 for start_s in kept)


def test_walls_or_a_blank_position_make_it_a_calibration_of_a_room():
    scene, _ = wood_with_songs(songs=1)
    blank = scene.microphones.positions.copy()
    blank[0] = np.nan
    sound = open_sound(scene.audio, 16_000.0, scene.microphones)
    room = ((-10.0, -10.0, 0.0), (90.0, 90.0, 20.0))
    assert not CalibrateRequest(sound=sound, room=room).tells_clocks_only
    assert not CalibrateRequest(sound=open_sound(scene.audio, 16_000.0, blank)).tells_clocks_only
