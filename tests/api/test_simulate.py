"""`soundfix.simulate`: scenes drawn when they are asked for, and written as the command writes them."""

import json
import os

import numpy as np
import pytest
import soundfile

import soundfix
from soundfix.api import simulate as module
from soundfix.api.simulate import Scenes
from soundfix.datasets.shards import Shards
from soundfix.errors import AudioFileError, ConfigError, SceneError
from soundfix.simulation.faults import break_scene, parse_fault

SHORT = ["duration_s=0.3", "image_order=1"]


def made(world="luvira-twin", **options):
    return soundfix.simulate(world, changes=SHORT, **options)


def contents(folder):
    """Of every file; of sound the samples, because libsndfile writes the time of day beside them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder): soundfile.read(path)[0].tobytes() if path.suffix == ".wav" else path.read_bytes()
        for path in files
    }


@pytest.mark.parametrize("count", [1, 2])
def test_it_writes_what_the_command_writes(tmp_path, command, count):
    words = [word for change in SHORT for word in ("--set", change)]
    options = ["--world", "luvira-twin", "--seed", 3, "--scenes", count, "--fault", "late:2"]
    assert command("simulate", tmp_path / "command", *options, *words)[0] == 0
    told = []
    made(seed=3, scenes=count, faults=["late:2"]).write(tmp_path / "call", progress=told.append)
    assert told == [1] * count
    assert contents(tmp_path / "call") == contents(tmp_path / "command") != {}


def test_shards_are_those_of_the_command(tmp_path, command):
    words = [word for change in SHORT for word in ("--set", change)]
    command("simulate", tmp_path / "command", "--world", "luvira-twin", "--scenes", 3, "--shards", *words)
    told = []
    made(scenes=3).write(str(tmp_path / "call"), shards=True, workers=1, progress=told.append)
    assert contents(tmp_path / "call") == contents(tmp_path / "command")
    assert (sum(told), len(Shards(tmp_path / "call"))) == (3, 3)


def test_scenes_are_a_sequence():
    scenes = made(scenes=3, seed=1)
    assert isinstance(scenes, Scenes)
    assert (len(scenes), len(list(scenes)), len(scenes[1:])) == (3, 3, 2)
    assert np.array_equal(scenes[-1].audio, scenes[2].audio)
    assert not np.array_equal(scenes[0].audio, scenes[1].audio)
    with pytest.raises(IndexError):
        scenes[3]


@pytest.mark.skipif(bool(os.environ.get("SHAPES")), reason="a check of types draws a scene to look at")
def test_nothing_is_drawn_before_it_is_asked_for(monkeypatch):
    drawn = []
    monkeypatch.setattr("soundfix.datasets.simulated.draw_world", lambda *given: drawn.append(1))
    scenes = made(scenes=1_000_000)
    assert (len(scenes), drawn) == (1_000_000, [])
    assert repr(scenes) == "Scenes(1000000, seed 0)"


def test_world_seed_and_faults_show():
    scene = made(seed=1, faults=["dead:3", "unknown:mic4"])[0]
    assert np.flatnonzero(~scene.audio.any(axis=1)).tolist() == [2]
    assert scene.truth.faults == ("dead:mic3", "unknown:mic4")
    assert scene.audio.shape == (11, 4800)
    assert not np.array_equal(scene.audio[0], made(seed=2)[0].audio[0])
    assert repr(made(faults=["dead:3"])) == "Scenes(1, seed 0, broken by dead:3)"
    assert made("clean-rooms", seed=1)[0].room != scene.room


def test_every_scene_is_broken_by_its_own_number():
    """The amount of a fault, where none is given, is drawn by the seed and the number of the scene."""
    plain, broken = made(scenes=2, seed=3), made(scenes=2, seed=3, faults=["late:2"])
    expected = break_scene(plain[1], [parse_fault("late:2")], np.random.default_rng([3, 1, 1]))
    assert np.array_equal(broken[1].audio, expected.audio)


def test_your_own_room(tmp_path):
    room = ((1.0, 5.0, 0.0), (5.0, 8.0, 2.5))
    positions = [[1.2, 5.3, 1.0], [4.8, 5.2, 1.5], [4.7, 7.8, 0.9], [1.3, 7.7, 2.0]]
    (tmp_path / "list.csv").write_text(
        "name,x,y,z\n" + "".join(f"m{k},{x},{y},{z}\n" for k, (x, y, z) in enumerate(positions))
    )
    by_array = made("clean-rooms", room=room, microphones=positions)[0]
    by_file = made("clean-rooms", room=room, microphones=tmp_path / "list.csv")[0]
    assert by_array.room == room
    assert np.array_equal(by_array.microphones.positions, positions)
    assert np.array_equal(by_file.audio, by_array.audio)
    assert by_file.microphones.names == ("m0", "m1", "m2", "m3")


def test_your_own_sounds_by_their_speakers(tmp_path):
    (tmp_path / "dry").mkdir()
    tone = 0.4 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    for name in ("alice", "ivan"):  # one to train on, one to validate with
        soundfile.write(tmp_path / "dry" / f"{name}.wav", tone, 16_000)
    (tmp_path / "dry/index.csv").write_text("file,kind,speaker\nalice.wav,speech,alice\nivan.wav,speech,ivan\n")
    scenes = made(audio=tmp_path / "dry", part="valid")
    assert [each.speaker for each in scenes.simulated.sounds.recordings] == ["ivan"]
    spectrum = np.square(np.abs(np.fft.rfft(scenes[0].audio, axis=1))).sum(axis=0)
    assert spectrum.argmax() == 300


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"world": "cave"}, ConfigError, "no world is called 'cave'"),
        ({"scenes": 0}, ConfigError, "wanted 1 or more"),
        ({"seed": -1}, ConfigError, "a seed of 0 or more"),
        ({"part": "train"}, ConfigError, "built-in sounds have no parts"),
        ({"audio": "nowhere"}, AudioFileError, "no audio file in nowhere"),
        ({"faults": ["rusty:1"]}, SceneError, "KIND one of dead"),
        ({"room": ((0.0, 0.0, 0.0), (5.0, 4.0, 3.0))}, ConfigError, "where do they stand in it"),
        ({"microphones": [[1, 1, 1]]}, ConfigError, "stand in a --room"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_mistakes_are_one_sentence(options, error, message):
    with pytest.raises(error, match=message):
        soundfix.simulate(**{"changes": SHORT} | options)


def test_what_would_do_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="share_faulty=1 breaks them all"):
        made(faults=["dead:1"]).write(tmp_path / "s", shards=True)
    with pytest.raises(ConfigError, match="belong to --shards"):
        made().write(tmp_path / "s", workers=2)
    with pytest.raises(ConfigError, match="belong to --shards"):
        made().write(tmp_path / "s", engine="ray")
    with pytest.raises(ConfigError, match="'rey': wanted local or ray"):
        made().write(tmp_path / "s", shards=True, engine="rey")
    assert not (tmp_path / "s").exists()


def test_the_truth_is_written(tmp_path):
    scene = made()[0]
    made().write(tmp_path)
    assert json.loads((tmp_path / "truth.json").read_text())["sources_m"] == scene.truth.sources.tolist()


def test_the_request_is_what_the_call_makes():
    request = module.SimulateRequest(world="luvira-twin", scenes=2, seed=5, changes=SHORT)
    assert np.array_equal(module.run(request)[1].audio, made(scenes=2, seed=5)[1].audio)
