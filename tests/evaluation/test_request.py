"""The words of `soundfix evaluate`."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.evaluation import ASKED
from soundfix.datasets.benchmark import Wanted
from soundfix.errors import ConfigError
from soundfix.evaluation.request import run
from soundfix.evaluation.run import Method, Plan


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


def test_rooms_that_are_too_small_for_what_is_asked_are_named(tmp_path, rng):
    responses, places = rng.standard_normal((5, 400)), rng.uniform(0, 3, (5, 3))
    np.savez(
        tmp_path / "room.npz", rir=responses, mic_positions=places, source_position=np.ones(3), fs=16000.0, c=343.0
    )
    small = replace(ASKED, dataset="measured", root=tmp_path, microphones="7", clips=1)
    with pytest.raises(ConfigError, match="no array of measured has --microphones 7: wanted fewer"):
        run(small, tmp_path / "out", progress=lambda _: None)
