"""What goes wrong for longer than one window: cables, clocks, starts, exchanged channels (rows as in test_fault_rows.py)."""

import json
import re
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from helpers.faults import OTHERS, RATE, broken, gap, located, shell
from helpers.scenes import anechoic_scene, drawn
from helpers.walks import ROOM as WALKED
from helpers.walks import array, walk
from soundfix import physics
from soundfix.calibration import self_localization
from soundfix.cli.app import app
from soundfix.files.microphones import write_microphones
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.report.exports import locate_schema
from soundfix.report.text import describe_microphones
from soundfix.simulation.faults import Fault, break_scene
from soundfix.simulation.worlds import world_named


def walking(moments, microphones=8):
    """A sound that goes from place to place among microphones, half a second at each; and where that is."""
    rng = np.random.default_rng(20_505)
    places = array(rng, microphones)
    sources = walk(rng, moments)
    parts = [anechoic_scene(places, source, rng, seconds=0.5, snr_db=20.0, room=WALKED) for source in sources]
    return replace(parts[0], audio=np.concatenate([part.audio for part in parts], axis=1)), sources


@pytest.fixture(scope="module")
def walked():
    return walking(24)


def heard_with(walked, kind, amount=None):
    """Located with this fault of mic3; the places of windows in which it has no weight are those of the others."""
    scene, sources = walked
    heard = located(broken(kind, amount, scene=scene), method="srp-phat")
    for estimate, source in zip(heard.estimates, sources, strict=True):
        assert estimate.microphones[2].weight > 0 or gap(estimate, source) < 0.02
    return heard


def named(heard):
    return {report.name for report in heard.microphones if report.status != "ok"}


def test_row_02_a_pulled_cable_is_an_event_and_the_rest_goes_on_without(walked):
    heard = heard_with(walked, "cut", 6.0)
    assert [(event.time_s, event.microphone, event.status) for event in heard.events] == [(6.0, "mic3", "dead")]
    weights = np.array([estimate.microphones[2].weight for estimate in heard.estimates])
    assert np.array_equal(weights > 0, np.arange(24) < 12)
    assert [estimate.verdict for estimate in heard.estimates] == ["ok"] * 12 + ["degraded"] * 12
    assert named(heard) == {"mic3"}
    without = located(walked[0].where(OTHERS), method="srp-phat")
    for with_it, of_others in zip(heard.estimates[12:], without.estimates[12:], strict=True):
        assert gap(with_it, of_others.sources[0].position_m) < 1e-3


def test_row_02_in_the_file_it_is_an_event_with_its_time_and_in_words(tmp_path, walked):
    """The whole way: what the command prints of it stands in the JSON."""
    scene = broken("cut", 6.0, scene=walked[0])
    soundfile.write(tmp_path / "take.wav", scene.audio.T, RATE, subtype="FLOAT")
    write_microphones(tmp_path / "mics.csv", scene.microphones)
    done, _ = shell(tmp_path, audio=tmp_path / "take.wav")
    document = json.loads((tmp_path / "answers.json").read_text(), parse_constant=pytest.fail)
    jsonschema.validate(document, locate_schema())
    (event,) = document["events"]
    assert event == {"time_s": 6.0, "microphone": "mic3", "status": "dead", "text": "00:00:06  mic3: dead"}
    assert document["summary"]["text"] == ["microphones: 7 of 8 ok", "  mic3: dead"]
    for line in (event["text"], *document["summary"]["text"]):
        assert line in done.stdout


def test_row_09_a_header_that_lies_costs_the_microphone_and_nothing_else(walked):
    heard = heard_with(walked, "mislabelled")
    assert named(heard) == {"mic3"}
    assert {event.microphone for event in heard.events} == {"mic3"}
    assert all(estimate.microphones[2].weight == 0 for estimate in heard.estimates[6:])


@pytest.mark.parametrize("late_s", [0.0005, 0.015])
def test_row_11_a_small_offset_is_left_out_and_estimated(walked, late_s):
    heard = heard_with(walked, "late", late_s)
    assert named(heard) == {"mic3"}
    found = heard.explanations["mic3"]
    assert (found.is_late, found.is_elsewhere) == (True, False)
    assert found.offset_m / 343.0 == pytest.approx(late_s, abs=1e-4)


def test_row_11_the_least_offset_is_left_out(walked):
    """0.1 ms are 3 cm of path: not to be told from a position that is a little wrong."""
    assert named(heard_with(walked, "late", 0.0001)) == {"mic3"}


@pytest.fixture(scope="module")
def studio_take():
    """12 s of speech or music in a live room."""
    return drawn(world_named("luvira-twin"), np.random.default_rng(1001), duration_s=12.0)


def not_together(scene, folder, command):
    """What the command prints of the recordings, each in a file of its own, and its JSON."""
    for name, samples in zip(scene.microphones.names, scene.audio, strict=True):
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")
    files = tuple(f"{name}.wav" for name in scene.microphones.names)
    write_microphones(folder / "mics.csv", replace(scene.microphones, files=files))
    method = ["--method", "srp-phat"] if command == "locate" else []
    words = [command, str(folder), "-m", str(folder / "mics.csv"), *method, "--json", str(folder / "told.json")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.exception
    return done.stdout, json.loads((folder / "told.json").read_text())


@pytest.mark.parametrize("command", ["locate", "check"])
def test_row_11_two_seconds_are_not_the_same_event(tmp_path, studio_take, command):
    said, document = not_together(broken("late", 2.0, scene=studio_take), tmp_path, command)
    (line,) = [line for line in said.splitlines() if "does not hear the same event" in line]
    assert re.search(
        r"mic3.* everything comes (1\.9|2\.0)\d s later than mic1; cut the recordings to the same start", line
    )
    assert "soundfix calibrate --free-clocks" in line
    if command == "locate":
        (start,) = document["starts"]
        assert (start["microphone"], start["reference"]) == ("mic3", "mic1")
        assert start["late_s"] == pytest.approx(2.0, abs=0.03)
    else:
        assert [each["grade"] for each in document["microphones"]].count("poor") == 1


@pytest.mark.parametrize("command", ["locate", "check"])
def test_row_11_recorders_that_all_start_by_themselves_are_told(tmp_path, studio_take, command):
    late_s = np.random.default_rng(3).uniform(0.0, 2.0, 11)
    faults = [Fault("late", str(m + 1), float(late)) for m, late in enumerate(late_s)]
    said, _ = not_together(break_scene(studio_take, faults, np.random.default_rng(0)), tmp_path, command)
    assert said.count("does not hear the same event") >= 8


def test_row_11_who_hears_the_same_is_told_nothing(tmp_path, studio_take):
    said, document = not_together(studio_take, tmp_path, "locate")
    assert "same event" not in said
    assert document["starts"] == []


@pytest.mark.parametrize("samples", [64.0, 512.0])
def test_row_12_lost_samples_are_flagged_from_there(walked, samples):
    """4 or 32 ms, 1.4 or 11 m of path; the samples are lost in the middle half of 12 s."""
    heard = heard_with(walked, "dropped", samples)
    assert named(heard) == {"mic3"}
    (event,) = heard.events
    first = int(np.random.default_rng(1).integers(12 * RATE // 4, 12 * RATE // 2)) / RATE
    assert abs(event.time_s - first) <= 1.0
    assert event.status in ("late", "misplaced", "excluded")
    assert heard.estimates[int(first / 0.5) - 1].microphones[2].weight == 1
    assert all(estimate.microphones[2].weight == 0 for estimate in heard.estimates[-5:])


def test_row_16_a_microphone_off_by_a_metre_is_left_out_and_where_it_stands_is_said(walked):
    scene, sources = walked
    wrong = broken("moved", 1.0, scene=scene)
    heard = located(wrong, method="srp-phat")
    assert max(gap(estimate, source) for estimate, source in zip(heard.estimates, sources, strict=True)) < 0.02
    assert named(heard) == {"mic3"}
    assert np.linalg.norm(heard.explanations["mic3"].position_m - scene.microphones.positions[2]) < 0.1


def calibrated(scene, folder, *options):
    """What `soundfix calibrate` prints, and its JSON."""
    write_scene(folder / "take", replace(scene, room=None))
    words = [
        "calibrate",
        str(folder / "take/scene.wav"),
        "-m",
        str(folder / "take/microphones.csv"),
        "--room",
        "0,0,0,7,8,2.8",
    ]
    words += ["--out", str(folder / "out.csv"), "--json", str(folder / "found.json"), *options]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.exception
    return done.stdout, json.loads((folder / "found.json").read_text())


@pytest.mark.slow
def test_row_16_calibration_corrects_it_and_shows_the_misfit_before_and_after(tmp_path, walked):
    scene = walked[0]
    said, found = calibrated(broken("moved", 1.0, scene=scene), tmp_path, "--speed-of-sound", "343")
    moved = found["microphones"][2]
    assert [each["finding"] for each in found["microphones"]] == ["misplaced" if m == 2 else "good" for m in range(8)]
    assert np.linalg.norm(np.array(moved["position_m"]) - scene.microphones.positions[2]) < 0.1
    assert moved["before_m"] > 0.2 > 0.02 > moved["after_m"]  # 0.237 when it was measured
    assert moved["before_m"] > 10 * moved["after_m"]
    assert f"; misfit {100 * moved['before_m']:.1f} -> {100 * moved['after_m']:.1f} cm" in said
    assert "worst microphone's median misfit:" in said


@pytest.mark.slow
def test_row_18_a_recording_tells_where_it_is_and_how_well(tmp_path, walked):
    scene = walked[0]
    said, found = calibrated(broken("unknown", scene=scene), tmp_path, "--speed-of-sound", "343")
    placed = found["microphones"][2]
    off = np.array(placed["position_m"]) - scene.microphones.positions[2]
    assert placed["finding"] == "placed"
    assert np.linalg.norm(off) < 0.1
    assert off @ np.linalg.solve(placed["covariance_m2"], off) < 12.0
    assert "mic3  placed at (" in said


@pytest.mark.slow
def test_row_18_without_any_position_the_shape_is_found(tmp_path, walked, monkeypatch):
    """Twelve seconds tell of eight microphones' shape, or the answer says that they do not."""
    monkeypatch.setattr(self_localization, "STARTS", 2)
    monkeypatch.setattr(self_localization, "FLIPS", 5)
    scene = walked[0]
    said, found = calibrated(replace(scene, microphones=Microphones(positions=np.full((8, 3), np.nan))), tmp_path)
    assert found["is_relative"]
    assert "the layout is right but for a turn" in said
    placed = np.array([each["position_m"] for each in found["microphones"]])
    apart = [physics.distances(places, places) for places in (placed, scene.microphones.positions)]
    assert found["is_doubtful"] or np.abs(apart[0] - apart[1]).max() < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("given_m_s", [337.0, 350.0])
def test_row_31_a_wrong_speed_of_sound_is_estimated(tmp_path, walked, given_m_s):
    """10 K off; what is listed holds the array's size, so that the speed can be found."""
    said, found = calibrated(walked[0], tmp_path, "--speed-of-sound", str(given_m_s))
    assert abs(found["speed_of_sound_m_s"] - 343.0) < 0.35 * abs(given_m_s - 343.0)
    assert {each["finding"] for each in found["microphones"]} == {"good"}
    assert "speed of sound 34" in said


def test_row_14_and_15_exchanged_channels_and_rows_say_the_pair(rng):
    """Windows from many places name both, and ask whether channels or rows of the list are exchanged."""
    places = array(rng, 8)
    parts = [anechoic_scene(places, source, rng, seconds=0.5, snr_db=20.0) for source in walk(rng, 12)]
    scene = replace(parts[0], audio=np.concatenate([part.audio for part in parts], axis=1))
    for kind in ("swapped", "relisted"):
        wrong = break_scene(scene, [Fault(kind, "2", 6.0)], np.random.default_rng(0))
        heard = located(wrong, method="srp-phat")
        lines = "\n".join(describe_microphones(heard.microphones, heard.explanations))
        assert {report.name for report in heard.microphones if report.status != "ok"} == {"mic2", "mic6"}
        assert "where mic6 is listed: are their channels, or their rows, exchanged?" in lines
        assert "where mic2 is listed" in lines


def test_row_10_a_drifting_clock_is_told_with_its_drift(rng):
    places = array(rng, 8)
    parts = [anechoic_scene(places, source, rng, seconds=0.5, snr_db=20.0) for source in walk(rng, 24)]
    scene = replace(parts[0], audio=np.concatenate([part.audio for part in parts], axis=1))
    heard = located(broken("drift", 300.0, scene=scene), method="srp-phat")
    found = heard.explanations["mic3"]
    assert found.drifts
    assert abs(found.drift_m_s / 343.2 * 1e6 + 300.0) < 60.0
