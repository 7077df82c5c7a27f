"""`soundfix simulate`: a scene, many, a set; and a run that is refused leaves nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from helpers.command import assert_refused, names_in
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN


def test_simulate_is_its_seed(tmp_path, command):
    for name, seed in (("one", 4), ("same", 4), ("other", 5)):
        command("simulate", tmp_path / name, "--seed", seed, "--set", "duration_s=0.3")
    one, same, other = (soundfile.read(tmp_path / n / "scene.wav")[0] for n in ("one", "same", "other"))
    assert np.array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)
    for file in ("microphones.csv", "truth.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "same" / file).read_bytes()


def test_simulate_counts_and_lasts(tmp_path, command):
    """--scenes makes numbered folders, each another scene; duration_s is the length."""
    _, said, _ = command("simulate", tmp_path / "many", "--scenes", 3, "--set", "duration_s=0.4")
    assert said == f"3 scenes of clean-rooms in {tmp_path}/many\n"
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == ["0000", "0001", "0002"]
    assert soundfile.info(tmp_path / "many/0001/scene.wav").frames == 6400
    rooms = {(tmp_path / "many" / name / "truth.json").read_text() for name in ("0000", "0001", "0002")}
    assert len(rooms) == 3


def test_simulate_world_and_faults(tmp_path, command):
    words = ["simulate", tmp_path / "s", "--world", "luvira-twin", "--set", "duration_s=0.3"]
    command(*words, "--fault", "dead:3", "--fault", "unknown:mic4")
    audio, _ = soundfile.read(tmp_path / "s/scene.wav")
    assert audio.shape == (4800, 11)
    assert np.flatnonzero(~audio.any(axis=0)).tolist() == [2]
    assert (tmp_path / "s/microphones.csv").read_text().splitlines()[4].startswith("mic4,,,")
    assert json.loads((tmp_path / "s/truth.json").read_text())["faults"] == ["dead:mic3", "unknown:mic4"]


def test_simulate_plays_a_folder(tmp_path, command):
    (tmp_path / "dry").mkdir()
    tone = 0.4 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    soundfile.write(tmp_path / "dry/tone.wav", tone, 16_000)
    command("simulate", tmp_path / "s", "--audio", tmp_path / "dry", "--set", "duration_s=0.5")
    audio, _ = soundfile.read(tmp_path / "s/scene.wav")
    assert np.square(np.abs(np.fft.rfft(audio, axis=0))).sum(axis=1).argmax() == 500


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--world", "cave"], "no world is called 'cave'; there are clean-rooms, random-rooms, rough-rooms"),
        (["--fault", "dead"], "KIND one of dead, cut, noisy"),
        (["--fault", "rusty:1"], "KIND one of dead, cut, noisy"),
        (["--fault", "dead:99"], "no microphone '99'"),
        (["--audio", "nowhere"], "no audio file in nowhere"),
    ],
)
def test_simulate_refuses_and_leaves_nothing(tmp_path, command, options, message):
    assert_refused(command("simulate", tmp_path / "s", "--set", "duration_s=0.3", *options), message)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("options", [["--seed", -1], ["--scenes", 0], ["--workers", 0]])
def test_simulate_numbers_out_of_range(tmp_path, command, options):
    status, _, complaint = command("simulate", tmp_path / "s", *options)
    assert status == 2
    assert "Invalid value" in complaint
    assert names_in(tmp_path) == []


def test_simulate_onto_a_file(tmp_path, command):
    (tmp_path / "s").touch()
    assert_refused(command("simulate", tmp_path / "s", "--set", "duration_s=0.3"), "cannot make the folder")


SMALL = ("--shards", "--world", "luvira-twin", "--scenes", 5, "--set", "duration_s=0.3", "--set", "image_order=1")


def test_simulate_makes_a_set(tmp_path, command):
    """As many scenes as asked for, of this world, with these settings; scene by scene those of the world in Python."""
    words = ["simulate", tmp_path / "set", *SMALL, "--seed", 3, "--workers", 2, "--set", "snr_db=[40, 41]"]
    assert command(*words) == (0, f"5 scenes of luvira-twin in {tmp_path}/set\n", "")
    assert names_in(tmp_path / "set") == ["000000.tar", "manifest.json"]
    shards = Shards(tmp_path / "set")
    world = replace(LUVIRA_TWIN, duration_s=0.3, image_order=1, snr_db=(40.0, 41.0))
    simulated = Simulated(world=world, sounds=BuiltInSounds(), seed=3, count=5)
    assert len(shards) == 5
    for k in range(5):
        assert shards[k].audio == pytest.approx(simulated[k].audio, abs=2e-5)
        assert shards[k].truth.snr_db == simulated[k].truth.snr_db


def test_simulate_ones_own_room(tmp_path, command):
    (tmp_path / "mics.csv").write_text("name,x,y,z\na,1.2,5.3,1\nb,4.8,5.2,1.5\nc,4.7,7.8,0.9\nd,1.3,7.7,2\n")
    words = ["--room", "1,5,0,5,8,2.5", "-m", tmp_path / "mics.csv", "--set", "duration_s=0.3", "--fault", "dead:c"]
    assert command("simulate", tmp_path / "s", *words)[0] == 0
    truth = json.loads((tmp_path / "s/truth.json").read_text())
    assert truth["room_m"] == [[1, 5, 0], [5, 8, 2.5]]
    assert (tmp_path / "s/microphones.csv").read_text().splitlines()[1].startswith("a,1.2,5.3,1")
    assert 5.5 <= truth["sources_m"][0][1] <= 7.5


def test_simulate_goes_on_with_a_set(tmp_path, command):
    words = ["simulate", tmp_path / "set", *SMALL]
    first = command(*words)
    before = (tmp_path / "set/000000.tar").read_bytes()
    (tmp_path / "set/000000.tar").unlink()
    assert command(*words) == first
    assert (tmp_path / "set/000000.tar").read_bytes() == before
    assert_refused(command(*words, "--seed", 1), "holds another set: seed is 0 in it, and 1 was asked for")
    assert_refused(command(*words, "--set", "peak=[0.2,0.3]"), "world.peak is [0.1, 0.9] in it, and [0.2, 0.3] was")


def test_a_set_of_recordings_knows_their_part(tmp_path, command, rng):
    """alice is one to train on, ivan to validate with; each in a folder of his own."""
    for name in ("alice", "ivan"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "a.wav", 0.1 * rng.standard_normal(16_000), 16_000)
        (tmp_path / name / "index.csv").write_text(f"file,kind,speaker\na.wav,speech,{name}\n")
    folders = ["--audio", tmp_path / "alice", "--audio", tmp_path / "ivan"]
    command("simulate", tmp_path / "set", *SMALL, *folders, "--part", "valid")
    assert Shards(tmp_path / "set").manifest.sounds["speakers"] == {"speech": 1}
    assert Shards(tmp_path / "set").manifest.sounds["part"] == "valid"
    refused = command("simulate", tmp_path / "other", *SMALL, *folders, "--part", "test")
    assert_refused(refused, "none of the 2 speakers in these folders belongs to part 'test'")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--world", "luvira-twin", "--set", "rt60=[0.2,0.3]"], "has no setting 'rt60'; did you mean 'rt60_s'?"),
        (
            ["--world", "luvira-twin", "--set", "rt60_s=0.2"],
            "rt60_s is 0.2; input should be a valid tuple, such as (0.2,",
        ),
        (["--world", "luvira-twin", "--set", "rt60_s=[0.9,0.2]"], "wanted 0 to 3, the lower first"),
        (["--world", "luvira-twin", "--part", "train"], "built-in sounds have no parts; give --audio too"),
        (["--shards", "--fault", "dead:1"], "--set share_faulty=1 breaks them all"),
        (["--workers", "2"], "--workers, --engine and --address belong to --shards"),
        (["--microphones", "list.csv"], "--microphones stand in a --room: give it too"),
        (["--room", "0,0,0,5,4,3"], "--room without --microphones: where do they stand in it"),
    ],
)
def test_simulate_refuses_what_would_do_nothing(tmp_path, command, options, message):
    assert_refused(command("simulate", tmp_path / "s", *options), message)
    assert names_in(tmp_path) == []
