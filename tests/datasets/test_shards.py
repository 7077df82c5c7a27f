"""Sets on disk: the same bytes however they came to be, and what is damaged is named and harms nothing else."""

import io
import json
import os
import pickle
import re
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from helpers.sets import COUNT, WORLD, assert_same, flip, simulated, write
from soundfix.datasets.shards import Shards
from soundfix.errors import DatasetError, SoundfixError
from soundfix.simulation.roughness import Roughness


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


def test_info_tells_what_a_set_holds_and_what_of_it_is_damaged(copy, command):
    status, said, _ = command("info", copy)
    assert status == 0
    assert re.search(r": \d+ scenes in 5 shards, 0 of them damaged\n$", said)
    flip(copy / "000002.tar", 20_000)
    first, second = command("info", copy)[1].splitlines()
    assert first.endswith("1 of them damaged")
    assert second.startswith("  000002.tar: its bytes are not those that were written")


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


ROUGH = replace(WORLD, duration_s=0.25, roughness=Roughness(share=1.0, hum_db=(-10.0, 0.0), recorders=("8-bit",)))


def test_a_manifest_says_how_rough_a_world_is(tmp_path):
    """In JSON, and a set is gone on with only where it is the same."""
    scenes = simulated(world=ROUGH, count=2)
    write(tmp_path / "rough", scenes)
    told = json.loads((tmp_path / "rough" / "manifest.json").read_text())["world"]["roughness"]
    assert told["hum_db"] == [-10.0, 0.0]
    assert told["recorders"] == ["8-bit"]
    assert told["fan_db"] is None
    assert_same(Shards(tmp_path / "rough")[1], scenes[1])
    write(tmp_path / "rough", scenes)
    other = simulated(world=replace(ROUGH, roughness=replace(ROUGH.roughness, share=0.5)), count=2)
    with pytest.raises(SoundfixError, match=r"world.roughness.share is 1.0 in it, and 0.5 was asked for"):
        write(tmp_path / "rough", other)
