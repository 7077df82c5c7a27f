"""The manifest says what a set was made from, and one that cannot be is refused."""

import json

import pytest

from helpers.sets import A_SHARD, COUNT, write
from soundfix.datasets.shards import Shards
from soundfix.errors import DatasetError


def test_the_manifest_says_what_it_was_made_from(whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["format"] == "soundfix shards 1"
    assert manifest["world"]["rt60_s"] == [0.0, 1.0]
    assert (manifest["seed"], manifest["scenes"], manifest["scenes_a_shard"]) == (7, COUNT, A_SHARD)
    assert manifest["sounds"] == {"hiss": True}
    assert list(manifest["shards"]) == [f"00000{n}.tar" for n in range(5)]
    assert manifest["shards"]["000004.tar"]["scenes"] == 2
    assert manifest["shards"]["000001.tar"]["bytes"] == (whole / "000001.tar").stat().st_size


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
