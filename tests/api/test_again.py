"""An answer says what went in, and is made again from that to the same numbers; what is not as it was is told."""

import json
from dataclasses import fields

import jsonschema
import numpy as np
import pytest
import soundfile

import soundfix
from soundfix.api.again import read_answer
from soundfix.api.request import LocateRequest
from soundfix.errors import AudioFileError, ConfigError, SceneError
from soundfix.files.microphones import write_microphones
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.report.exports import locate_schema
from soundfix.testing import ROOM, contract_scene

TABLE = "0.2\t0.5\tsong\n\\\t500\t4000\n0.6\t0.9\tcall\n"


@pytest.fixture(scope="module")
def scene():
    return contract_scene(8, seconds=1.2)


@pytest.fixture(scope="module")
def folder(scene, tmp_path_factory):
    """A file a microphone, but none for mic8; mic7 has no position; a polygon and a table of events."""
    folder = tmp_path_factory.mktemp("take")
    (folder / "sound").mkdir()
    for m in range(7):
        soundfile.write(folder / "sound" / f"mic{m + 1}.wav", scene.audio[m], 16_000, subtype="FLOAT")
    positions = np.where(np.arange(8)[:, None] == 6, np.nan, scene.microphones.positions)
    microphones = Microphones(positions=positions, sigma_m=np.full(8, 0.01), offset_s=np.eye(8)[2] * 1e-3)
    write_microphones(folder / "list.csv", microphones)
    (folder / "stage.csv").write_text("x,y\n0,0\n6,0\n6,5\n0,5\n")
    (folder / "events.txt").write_text(TABLE)
    return folder


def told(folder, **options):
    paths = {"search": "stage.csv", "events": "events.txt"}
    options = {name: folder / paths[name] if value == "file" else value for name, value in options.items()}
    return soundfix.locate(folder / "sound", None, folder / "list.csv", **{"method": "srp-phat"} | options)


def written(located, path):
    located.to_json(path)
    return json.loads(path.read_text())


OPTIONS = [
    {},
    {"room": ROOM, "require": "20cm 95% minus 1", "temperature_c": 12.5},
    {"search": ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0)), "window_s": 0.4, "hop_s": 0.2, "smooth": True},
    {"search": "file", "height_m": 1.3, "speed_of_sound_m_s": 341.0},
    {"height_m": (0.5, 2.0), "wind_m_s": 3.0},
    {"band_hz": (300.0, 5000.0), "position_sigma_m": 0.02, "clock_sigma_s": 1e-4},
    {"events": "file"},
    {"events": "file", "band_hz": (400.0, 3000.0)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "+".join(options) or "nothing")
def test_the_same_numbers(folder, tmp_path, options):
    """Neither the list nor the polygon are read again: they are in the file."""
    first = told(folder, **options)
    document = written(first, tmp_path / "a.json")
    jsonschema.validate(document, locate_schema(), cls=jsonschema.Draft202012Validator)
    assert document["estimates"]
    repeated = soundfix.again(tmp_path / "a.json")
    assert repeated.to_dict() == document == first.to_dict()
    assert not [note for note in repeated.notes if "changed" in note or "version" in note]
    if "events" in options:
        repeated.to_raven(tmp_path / "again.txt")
        first.to_raven(tmp_path / "first.txt")
        assert (tmp_path / "again.txt").read_text() == (tmp_path / "first.txt").read_text()


def test_every_option_is_in_the_file(folder):
    """And the list: who has no sound, who has no place, and what is known of clocks and errors."""
    request = told(folder, position_sigma_m=0.5, clock_sigma_s=0.002).to_dict()["request"]
    assert {each.name for each in fields(LocateRequest)} - {"sound", "passes_over"} < set(request)
    assert [each["channel"] for each in request["microphones"]] == [1, 2, 3, 4, 5, 6, 7, None]
    assert [each["position_m"] is None for each in request["microphones"]] == [False] * 6 + [True, False]
    assert [each["sigma_m"] for each in request["microphones"]] == [0.01] * 8  # the list says it already
    assert [each["clock_sigma_s"] for each in request["microphones"]] == [0.002] * 8
    assert request["microphones"][2]["offset_s"] == 1e-3
    assert request["speed_m_s"] == pytest.approx(343.2, abs=0.1)
    assert request["audio"]["paths"] == [str(folder / "sound")]
    assert len(request["audio"]["files"]) == 7


def test_an_array_is_known_again(scene, tmp_path):
    first = soundfix.locate(scene.audio, scene.sample_rate, scene.microphones, method="srp-phat")
    document = written(first, tmp_path / "a.json")
    jsonschema.validate(document, locate_schema(), cls=jsonschema.Draft202012Validator)
    assert document["request"]["audio"]["shape"] == [8, 19_200]
    repeated = soundfix.again(tmp_path / "a.json", scene.audio)
    assert repeated.to_dict() == document
    assert repeated.notes == ()
    other = soundfix.again(tmp_path / "a.json", 2 * scene.audio)
    assert other.notes == ("the array is not the one that the answers were made from",)
    with pytest.raises(ConfigError, match="an array in memory, which is not in the file"):
        soundfix.again(tmp_path / "a.json")


def test_moved_and_changed_files_are_told(scene, tmp_path):
    write_scene(tmp_path / "take", scene)
    soundfix.locate(
        tmp_path / "take" / "scene.wav", microphones=tmp_path / "take" / "microphones.csv", method="srp-phat"
    ).to_json(tmp_path / "a.json")
    moved = tmp_path / "moved.wav"
    (tmp_path / "take" / "scene.wav").rename(moved)
    with pytest.raises(AudioFileError, match=r"scene\.wav"):
        soundfix.again(tmp_path / "a.json")
    repeated = soundfix.again(tmp_path / "a.json", moved)
    assert not [note for note in repeated.notes if "changed" in note]
    assert [each.to_dict() for each in repeated.estimates] == json.loads((tmp_path / "a.json").read_text())["estimates"]
    soundfile.write(moved, 0.5 * scene.audio.T, 16_000, subtype="FLOAT")
    assert f"{moved} has changed: as many bytes, but others" in soundfix.again(tmp_path / "a.json", moved).notes
    soundfile.write(moved, scene.audio[:5].T, 16_000, subtype="FLOAT")
    with pytest.raises(SceneError, match="has 5 channels, and the answers were made from channel 8 too"):
        soundfix.again(tmp_path / "a.json", moved)


def test_a_table_that_changed_is_told(folder, tmp_path):
    events = tmp_path / "events.txt"
    events.write_text(TABLE)
    document = written(
        soundfix.locate(folder / "sound", None, folder / "list.csv", method="srp-phat", events=events),
        tmp_path / "a.json",
    )
    events.write_text(TABLE + "1.0\t1.1\tlate\n")
    repeated = soundfix.again(tmp_path / "a.json")
    assert f"{events} has changed" in repeated.notes[-1]
    assert [each.to_dict() for each in repeated.estimates] == document["estimates"]


def test_another_version_is_told(folder, tmp_path):
    document = written(told(folder), tmp_path / "a.json") | {"version": "0.0.1"}
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert "the answers were made by version 0.0.1" in soundfix.again(tmp_path / "a.json").notes[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: [], "does not say what went in"),
        (lambda document: {name: part for name, part in document.items() if name != "request"}, "one of --delays"),
        (lambda document: document | {"request": document["request"] | {"wings": 2}}, "has wings, which this version"),
        (lambda document: document | {"request": {}}, "its request cannot be read"),
    ],
)
def test_what_cannot_be_made_again(folder, tmp_path, change, message):
    document = written(told(folder), tmp_path / "a.json")
    (tmp_path / "a.json").write_text(json.dumps(change(document)))
    with pytest.raises(ConfigError, match=message):
        read_answer(tmp_path / "a.json")


def test_what_is_no_json(tmp_path):
    (tmp_path / "a.json").write_text("{")
    for path in (tmp_path / "a.json", tmp_path / "none.json"):
        with pytest.raises(ConfigError, match=r"cannot be read .*, wanted a file of `soundfix locate --json`"):
            read_answer(path)


def test_weights_are_known_again(folder, tmp_path):
    from helpers.networks import tiny
    from soundfix.networks import checkpoint

    checkpoint.save(tiny(is_untrained=True), tmp_path / "net.safetensors")
    first = told(
        folder, method="three-stream", checkpoint=tmp_path / "net.safetensors", room=ROOM, explain=True, window_s=1.0
    )
    document = written(first, tmp_path / "a.json")
    assert [each["path"] for each in document["request"]["files"]] == [str(tmp_path / "net.safetensors")]
    assert written(soundfix.again(tmp_path / "a.json"), tmp_path / "b.json") == document
    with (tmp_path / "net.safetensors").open("ab") as file:
        file.write(b" ")
    assert "net.safetensors has changed" in read_answer(tmp_path / "a.json").changes[0]
