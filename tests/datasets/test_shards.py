"""Sets on disk: the same bytes however they came to be, and what is damaged is named and harms nothing else."""

import errno
import fcntl
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from helpers import TESTS
from soundfix.datasets import writing
from soundfix.datasets.manifest import read_manifest
from soundfix.datasets.members import decode, encode
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.errors import ConfigError, DatasetError, OutputError
from soundfix.microphones import Microphones
from soundfix.scene import Scene, Track, Truth
from soundfix.simulation.faults import Fault, break_scene
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import RANDOM_ROOMS, draw_world

WORLD = replace(
    RANDOM_ROOMS, duration_s=0.25, image_order=1, sources=(1, 2), microphones=(4, 8), share_moving=0.3, share_faulty=0.5
)
COUNT, A_SHARD = 22, 5


class Hiss:
    """Sounds in no time."""

    kinds = ("hiss",)

    def draw(self, duration_s, rng, shares=None):
        return rng.standard_normal(round(duration_s * 16_000)).astype(np.float32)

    def describe(self):
        return {"hiss": True}


def simulated(**changes):
    return Simulated(**({"world": WORLD, "sounds": Hiss(), "seed": 7, "count": COUNT} | changes))


def write(folder, scenes=None, **options):
    return write_set(folder, scenes or simulated(), **({"scenes_a_shard": A_SHARD} | options))


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A set written by one process, without interruption. Not to be changed: `copy` may be."""
    folder = tmp_path_factory.mktemp("sets") / "whole"
    write(folder)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def assert_same(one, other):
    """Everything but the sound is equal to the last bit; the sound to the rounding to 16 bits."""
    full_scale = np.nan_to_num(np.abs(other.audio)).max(axis=1, keepdims=True)
    assert np.array_equal(np.isnan(one.audio), np.isnan(other.audio))
    assert (np.nan_to_num(np.abs(one.audio - other.audio)) <= 0.51 * full_scale / 32_767).all()
    for name in ("sample_rate", "room", "speed_of_sound_m_s", "temperature_c", "start_s"):
        assert getattr(one, name) == getattr(other, name), name
    assert np.array_equal(one.is_trusted, other.is_trusted)
    for name in ("positions", "is_known", "names", "sigma_m", "offset_s", "drift_ppm", "files", "channels"):
        assert np.array_equal(getattr(one.microphones, name), getattr(other.microphones, name)), name
    assert_same_truth(one.truth, other.truth)


def assert_same_truth(one, other):
    for name in ("rt60_s", "snr_db", "faults", "speed_of_sound_m_s"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("sources", "positions", "gains_db"):
        mine, others = getattr(one, name), getattr(other, name)
        assert (mine is None) == (others is None), name
        assert mine is None or np.array_equal(mine, others, equal_nan=True), name
    assert (one.track is None) == (other.track is None)
    if one.track:
        assert np.array_equal(one.track.times_s, other.track.times_s)
        assert np.array_equal(one.track.places, other.track.places, equal_nan=True)


def test_the_shards_hold_the_simulated_scenes(whole):
    shards, scenes = Shards(whole), simulated()
    assert len(shards) == len(scenes) == COUNT
    assert shards.name == "whole"
    for k in (21, 3, *range(COUNT)):
        assert_same(shards[k], scenes[k])
    assert {fault.split(":")[0] for k in range(COUNT) for fault in shards[k].truth.faults} > {"dead", "nan"}


@pytest.mark.parametrize("clip", [-1, COUNT])
def test_beyond_the_last_scene(whole, clip):
    with pytest.raises(IndexError):
        Shards(whole)[clip]
    with pytest.raises(IndexError):
        simulated()[clip]


def test_simulated_scenes_are_their_number():
    """Whatever was asked for before; another seed is another scene."""
    scenes = simulated()
    first, _, again = scenes[4], scenes[2], scenes[4]
    assert np.array_equal(first.audio, again.audio, equal_nan=True)
    assert np.array_equal(first.audio, simulated(count=5)[4].audio, equal_nan=True)
    assert not np.array_equal(first.truth.sources, simulated(seed=8)[4].truth.sources)
    direct = draw_world(WORLD, Hiss(), np.random.default_rng([7, 4]))
    assert np.array_equal(first.audio, direct.audio, equal_nan=True)


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_the_same_bytes_from_any_number_of_workers(whole, tmp_path, workers):
    write(tmp_path / "set", workers=workers)
    assert bytes_of(tmp_path / "set") == bytes_of(whole)


def test_the_same_bytes_after_an_interruption(whole, copy):
    """One shard gone, one cut, one with a flipped bit, one never begun, one half written: all made again, no other."""
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["shards"]["000000.tar"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    (copy / "000000.tar").rename(copy / "000000.tar.part")
    (copy / ".soundfix-0123456789abcdef.part").touch()
    os.truncate(copy / "000001.tar", 1000)
    flip(copy / "000002.tar", 5000)
    (copy / "000003.tar").unlink()
    kept = (copy / "000004.tar").stat()
    steps = []
    write(copy, workers=2, progress=steps.append)
    assert bytes_of(copy) == bytes_of(whole)
    assert (copy / "000004.tar").stat().st_mtime_ns == kept.st_mtime_ns
    assert steps[0] == 2
    assert sum(steps) == COUNT


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_shards import write
write(Path({folder!r}), workers={workers})
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_is_continued(whole, tmp_path, workers):
    """SIGKILL to the process that leads, as soon as one shard is finished; its workers end by themselves."""
    folder = tmp_path / "set"
    code = KILLED.format(tests=str(TESTS), folder=str(folder), workers=workers)
    with subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"OMP_NUM_THREADS": "1"}) as process:
        wait_for(lambda: finished_shards(folder) or process.poll() is not None)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert 0 < finished_shards(folder) < 5
    with pytest.raises(DatasetError, match=r"is not finished: \d of 5 shards are there; give the command"):
        Shards(folder)
    write(folder, workers=2)
    assert bytes_of(folder) == bytes_of(whole)


def wait_for(condition, patience_s=60):
    until = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


def finished_shards(folder):
    return len(read_manifest(folder).shards) if (folder / "manifest.json").exists() else 0


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"seed": 8}, {}, "seed is 7 in it, and 8 was asked for"),
        ({"count": 23}, {}, "scenes is 22 in it, and 23 was asked for"),
        ({"world": replace(WORLD, rt60_s=(0.1, 0.2))}, {}, r"world.rt60_s is \[0.0, 1.0\] in it, and \[0.1, 0.2\] was"),
        ({}, {"scenes_a_shard": 6}, "scenes_a_shard is 5 in it"),
        ({"sounds": "other"}, {}, "sounds.hiss is True in it, and False was asked for"),
    ],
)
def test_another_set_is_not_mixed_in(whole, copy, changes, options, message):
    if "sounds" in changes:
        changes = {"sounds": OtherSounds()}
    with pytest.raises(OutputError, match=message):
        write(copy, simulated(**changes), **options)
    assert bytes_of(copy) == bytes_of(whole)


class OtherSounds(Hiss):
    def describe(self):
        return {"hiss": False}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("code", "cause"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk is read-only")]
)
def test_a_full_disk_loses_nothing(whole, tmp_path, monkeypatch, workers, code, cause):
    """The second shard of any worker does not get onto the disk."""
    calls = []

    def fsync(handle):
        calls.append(handle)
        if len(calls) > 1:
            raise OSError(code, os.strerror(code))

    with monkeypatch.context() as context:
        context.setattr(writing, "os", type("os", (), vars(os) | {"fsync": staticmethod(fsync)}))
        with pytest.raises(OutputError, match=f"cannot write in .*: {cause}; finished shards are kept"):
            write(tmp_path / "set", workers=workers)
    assert 0 < finished_shards(tmp_path / "set") <= workers
    assert not list((tmp_path / "set").glob("*.part"))
    write(tmp_path / "set", workers=workers)
    assert bytes_of(tmp_path / "set") == bytes_of(whole)


def test_no_folder_can_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write in .*file"):
        write(tmp_path / "file" / "set")


def test_a_killed_worker_is_told(tmp_path, monkeypatch):
    leader = os.getpid()

    def die(self, clip):
        assert os.getpid() != leader
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Simulated, "__getitem__", die)
    with pytest.raises(OutputError, match="a worker ended without a word"):
        write(tmp_path / "set", workers=2)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_scene_arrives_as_it_is(tmp_path, workers):
    scenes = simulated(world=replace(WORLD, sound_shares={"birds": 1.0}), sounds=BuiltInSounds())
    with pytest.raises(ConfigError, match="no sound of kind 'birds' here"):
        write(tmp_path / "set", scenes, workers=workers)


def test_two_runs_in_one_folder_take_turns(copy, monkeypatch):
    monkeypatch.setattr(writing, "PATIENCE_S", 0.1)
    handle = os.open(copy, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another process is writing in"):
            write(copy)
    finally:
        os.close(handle)
    write(copy)


def test_progress_counts_scenes(tmp_path):
    steps = []
    write(tmp_path / "set", workers=2, progress=steps.append)
    assert steps[0] == 0
    assert sorted(steps[1:]) == [2, 5, 5, 5, 5]


def test_the_layout_is_webdataset_s(whole):
    """Any tar and WAV reader: samples share a name, headers hold no time and no owner, floats are exact."""
    with tarfile.open(whole / "000001.tar") as archive:
        members = archive.getmembers()
        content = {member.name: archive.extractfile(member).read() for member in members}
    assert [member.name for member in members] == [
        f"{k:06d}.{suffix}" for k in range(5, 10) for suffix in ("wav", "json")
    ]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}
    samples, rate = soundfile.read(io.BytesIO(content["000007.wav"]), dtype="int16")
    described = json.loads(content["000007.json"])
    scene = simulated()[7]
    assert rate == 16_000
    assert samples.shape == scene.audio.shape[::-1]
    assert described["truth"]["sources"] == scene.truth.sources.tolist()
    assert described["full_scale"] == pytest.approx(np.abs(scene.audio).max(axis=1))


def test_the_manifest_says_what_it_was_made_from(whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["format"] == "soundfix shards 1"
    assert manifest["world"]["rt60_s"] == [0.0, 1.0]
    assert (manifest["seed"], manifest["scenes"], manifest["scenes_a_shard"]) == (7, COUNT, A_SHARD)
    assert manifest["sounds"] == {"hiss": True}
    assert list(manifest["shards"]) == [f"00000{n}.tar" for n in range(5)]
    assert manifest["shards"]["000004.tar"]["scenes"] == 2
    assert manifest["shards"]["000001.tar"]["bytes"] == (whole / "000001.tar").stat().st_size


def test_shards_go_to_other_processes(whole):
    """A loader's workers get a copy, before or after the first scene was read."""
    shards = Shards(whole)
    assert_same(pickle.loads(pickle.dumps(shards))[6], shards[6])
    assert_same(pickle.loads(pickle.dumps(shards))[6], shards[6])


def test_a_cut_shard_is_named_and_the_others_can_be_read(copy):
    os.truncate(copy / "000001.tar", 70_000)
    shards = Shards(copy)
    for clip in (5, 9):
        with pytest.raises(DatasetError, match=r"000001.tar: 70000 bytes, wanted \d+: was it cut"):
            shards[clip]
    assert_same(shards[4], simulated()[4])
    assert_same(shards[10], simulated()[10])
    assert list(shards.verify()) == ["000001.tar"]


def test_a_missing_shard_is_named(copy):
    (copy / "000003.tar").unlink()
    with pytest.raises(DatasetError, match=r"000003.tar: cannot be read \(No such file"):
        Shards(copy)[15]


def test_a_flipped_bit_is_found_by_verify(copy):
    assert Shards(copy).verify() == {}
    flip(copy / "000002.tar", 20_000)
    damage = Shards(copy).verify()
    assert list(damage) == ["000002.tar"]
    assert "SHA-256 differs" in damage["000002.tar"]


@pytest.mark.parametrize("place", [0, 512 + 2, 512 + 22])
def test_damaged_headers_are_told_with_shard_and_scene(copy, place):
    """The tar header of the first member, its RIFF header, its number of channels."""
    flip(copy / "000002.tar", place)
    with pytest.raises(DatasetError, match=r"000002.tar, scene 10: .*was the file changed or cut\?"):
        Shards(copy)[10]
    assert_same(Shards(copy)[9], simulated()[9])


def test_a_shard_cut_after_opening(copy):
    shards = Shards(copy)
    assert shards[5]
    os.truncate(copy / "000001.tar", 5000)
    with pytest.raises(DatasetError, match=r"000001.tar, scene 9"):
        shards[9]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no manifest.json; is it the right folder"),
        ("{", "is no manifest of shards"),
        ("[1, 2]", "its format is 'list', wanted 'soundfix shards 1'"),
        ('{"format": "soundfix shards 9"}', "its format is 'soundfix shards 9', wanted"),
        ('{"format": "soundfix shards 1"}', "is no manifest of shards: .*Field required"),
    ],
)
def test_manifests_that_cannot_be(copy, text, message):
    (copy / "manifest.json").unlink()
    if text is not None:
        (copy / "manifest.json").write_text(text)
        with pytest.raises(DatasetError, match=message):
            write(copy)
    with pytest.raises(DatasetError, match=message):
        Shards(copy)


def everything():
    """A scene with something in every field."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 5, (3, 3))
    microphones = Microphones(
        positions=np.vstack([positions, [[np.nan] * 3]]),
        names=("a", "b ü", "c", "d"),
        sigma_m=np.array([0.1, 1 / 3, 0.0, 1e-17]),
        offset_s=rng.standard_normal(4) / 1000,
        drift_ppm=rng.standard_normal(4),
        files=("x.wav",) * 4,
        channels=(4, 3, 2, 1),
    )
    track = Track(times_s=np.array([0.0, 1 / 3]), places=np.array([[[1.0, 2, 3]], [[np.nan] * 3]]))
    truth = Truth(
        sources=np.array([[0.1, 0.2, 1 / 3], [np.nan] * 3]), rt60_s=0.1 + 0.2, snr_db=-1e-300, faults=("dead:a",),
        track=track, positions=rng.uniform(0, 5, (4, 3)), speed_of_sound_m_s=341.7, gains_db=rng.standard_normal(4),
    )  # fmt: skip
    audio = 10.0 ** np.array([[0], [-4], [2], [-30]]) * rng.standard_normal((4, 4000))
    return Scene(
        audio=audio.astype(np.float32), sample_rate=44_100.0, microphones=microphones, temperature_c=21.3, start_s=1.7,
        room=((0.0, -1 / 3, 0.0), (5.0, 5.0, 0.0)), is_trusted=np.array([True, False, True, True]), truth=truth,
    )  # fmt: skip


def test_everything_of_a_scene_survives():
    """Channels 60 dB apart keep the same precision."""
    scene = everything()
    broken = break_scene(
        scene, [Fault("nan", "a"), Fault("nan", "c", 0.5), Fault("dead", "b ü")], np.random.default_rng(1)
    )
    assert_same(decode(*encode(scene)), scene)
    assert_same(decode(*encode(broken)), broken)


@pytest.mark.parametrize("bare", [{"truth": None}, {"room": None, "temperature_c": None}])
def test_scenes_with_less(bare):
    scene = replace(everything(), **bare)
    read = decode(*encode(scene))
    assert (read.truth is None) == (scene.truth is None)
    assert read.room == scene.room
    assert np.array_equal(read.microphones.positions, scene.microphones.positions)


def test_a_channel_without_one_number():
    scene = replace(everything(), audio=np.vstack([np.full((1, 4000), np.nan), np.ones((3, 4000))]))
    assert np.array_equal(decode(*encode(scene)).audio, scene.audio, equal_nan=True)


def test_a_rate_that_wav_cannot_say():
    with pytest.raises(DatasetError, match=r"a sample rate of 44100.5 Hz, wanted whole Hz"):
        encode(replace(everything(), sample_rate=44_100.5))


@pytest.mark.parametrize(
    "damage", [{"full_scale": [1.0]}, {"microphones": None}, {"lost": [[9, 0, 1]]}, {"room": [[0]]}]
)
def test_json_that_cannot_be(damage):
    wav, described = encode(everything())
    with pytest.raises(DatasetError, match=r"^no scene"):
        decode(wav, json.dumps(json.loads(described) | damage).encode())
    with pytest.raises(DatasetError, match=r"^no scene"):
        decode(wav[: len(wav) // 2], described)
