"""The words of `soundfix evaluate`."""

from dataclasses import replace

import pytest

from helpers.evaluation import ASKED
from helpers.locata import write_recording
from soundfix.datasets.benchmark import Wanted
from soundfix.errors import ConfigError
from soundfix.evaluation.request import run
from soundfix.evaluation.run import Method, Plan
from soundfix.testing import contract_scene


def test_methods_with_weights_and_labels(tmp_path):
    assert Method.parsed("srp-phat") == Method(name="srp-phat", label="srp-phat")
    (tmp_path / "w").write_bytes(b"weights")
    mine = Method.parsed(f"mine:three-stream={tmp_path / 'w'}")
    assert (mine.label, mine.name, mine.checkpoint) == ("mine", "three-stream", tmp_path / "w")
    own = [Method.parsed(text) for text in ("a.b:Mine", "label:a.b:Mine", f"l:three-stream={tmp_path / 'w'}")]
    assert [(each.name, each.label) for each in own] == [
        ("a.b:Mine", "Mine"),
        ("a.b:Mine", "label"),
        ("three-stream", "l"),
    ]
    assert mine.describe()["checkpoint"].startswith("9a129038")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": "srp-phat,srp-phat"}, "two have one name; give labels"),
        ({"windows": "0.5,long"}, "--windows '0.5,long': wanted numbers"),
        ({"subsets": "best"}, "subsets 'best': wanted first, spread, random"),
        ({"unknown": "7"}, "7 unknown and 0 none of 6"),
    ],
)
def test_words_that_are_wrong(changes, message):
    with pytest.raises(ConfigError, match=message):
        replace(ASKED, **changes).plan()


def test_longer_windows_have_longer_clips():
    assert replace(ASKED, windows="0.5,1.5").plan().wanted.clip_s == 3.0
    assert Plan(dataset="luvira-twin", methods=(), wanted=Wanted()).wanted.clip_s == 2.0


def test_an_array_that_is_too_small_for_what_is_asked_is_named(tmp_path):
    scene = contract_scene(5, seconds=2.1)
    write_recording(tmp_path / "set", scene.audio.T, 16_000, scene.microphones.positions, {"a": (3.9, 1.8, 1.3)})
    small = replace(ASKED, dataset=str(tmp_path / "set"), microphones="7", clips=1, audio=())
    with pytest.raises(ConfigError, match="has --microphones 7: wanted fewer"):
        run(small, tmp_path / "out", progress=lambda _: None)
