"""Writing a set: the same bytes from any number of workers, after kills and full disks."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from helpers import TESTS
from helpers.disks import taken
from helpers.sets import COUNT, WORLD, Deadly, Hiss, flip, simulated, write
from soundfix.datasets import writing
from soundfix.datasets.manifest import read_manifest
from soundfix.datasets.shards import Shards
from soundfix.engines.local import Local
from soundfix.errors import ConfigError, DatasetError, OutputError
from soundfix.simulation.soundbank import BuiltInSounds


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_bytes_from_any_number_of_workers(whole, tmp_path, workers):
    """And progress counts scenes."""
    steps = []
    write(tmp_path / "set", engine=Local(workers), progress=steps.append)
    assert bytes_of(tmp_path / "set") == bytes_of(whole)
    assert steps[0] == 0
    assert sorted(steps[1:]) == [2, 5, 5, 5, 5]


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
    write(copy, progress=steps.append)
    assert bytes_of(copy) == bytes_of(whole)
    assert (copy / "000004.tar").stat().st_mtime_ns == kept.st_mtime_ns
    assert steps[0] == 2
    assert sum(steps) == COUNT


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from helpers.sets import write
from soundfix.engines.local import Local
write(Path({folder!r}), engine=Local({workers}))
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
    write(folder)
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


@pytest.mark.parametrize(
    ("code", "cause"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk is read-only")]
)
def test_a_full_disk_loses_nothing(whole, tmp_path, monkeypatch, code, cause):
    """The second shard does not get onto the disk."""
    calls = []

    def fsync(handle):
        calls.append(handle)
        if len(calls) > 1:
            raise OSError(code, os.strerror(code))

    with monkeypatch.context() as context:
        context.setattr(writing, "os", type("os", (), vars(os) | {"fsync": staticmethod(fsync)}))
        with pytest.raises(OutputError, match=f"cannot write in .*: {cause}; finished shards are kept"):
            write(tmp_path / "set")
    assert finished_shards(tmp_path / "set") == 1
    assert not list((tmp_path / "set").glob("*.part"))
    write(tmp_path / "set")
    assert bytes_of(tmp_path / "set") == bytes_of(whole)


def test_no_folder_can_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write .*file"):
        write(tmp_path / "file" / "set")


def test_a_killed_worker_loses_nothing(whole, tmp_path):
    scenes = Deadly(**vars(simulated()), marker=tmp_path / "killed")
    write(tmp_path / "set", scenes, engine=Local(2))
    assert scenes.marker.exists()
    assert bytes_of(tmp_path / "set") == bytes_of(whole)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_scene_arrives_as_it_is(tmp_path, workers):
    scenes = simulated(world=replace(WORLD, sound_shares={"birds": 1.0}), sounds=BuiltInSounds())
    with pytest.raises(ConfigError, match="no sound of kind 'birds' here"):
        write(tmp_path / "set", scenes, engine=Local(workers))


def test_two_runs_in_one_folder_take_turns(copy, monkeypatch):
    with taken(copy, monkeypatch):
        write(copy)
    write(copy)
