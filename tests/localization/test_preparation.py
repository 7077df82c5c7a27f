"""What is prepared to be listened to, and what is an abstention before anything is heard."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.localization import preparation
from soundfix.localization.abstention import Abstention
from soundfix.localization.preparation import fewest_microphones, prepare
from soundfix.testing import contract_scene

HEIGHT = ((0.0, 0.0, 1.3), (6.0, 5.0, 1.3))


def tone(scene):
    samples = np.arange(scene.audio.shape[1])
    return replace(scene, audio=np.sin(2 * np.pi * 0.03 * samples + np.arange(8.0)[:, None]).astype(np.float32))


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (lambda scene: replace(scene, audio=np.zeros_like(scene.audio)), "no_signal"),
        (lambda scene: scene.where(np.arange(8) < 3), "too_few_microphones"),
        (tone, "narrow_band"),
    ],
)
def test_what_ends_here(broken, code):
    with pytest.raises(Abstention) as nothing:
        prepare(broken(contract_scene()))
    assert nothing.value.why.code == code
    assert nothing.value.consensus is None


def test_a_coordinate_that_is_known_needs_no_microphone():
    scene = contract_scene()
    assert fewest_microphones(scene) == 4
    assert fewest_microphones(replace(scene, room=HEIGHT)) == 3
    nowhere = replace(scene.microphones, positions=np.full((8, 3), np.nan))
    assert fewest_microphones(replace(scene, microphones=nowhere, room=HEIGHT)) == 4


def test_who_is_not_heard_or_not_trusted_is_not_used():
    scene = contract_scene()
    audio, is_trusted = scene.audio.copy(), np.arange(8) != 5
    audio[2] = 0
    prepared = prepare(replace(scene, audio=audio, is_trusted=is_trusted))
    assert np.flatnonzero(~prepared.is_used).tolist() == [2, 5]
    assert 2 not in prepared.pairs
    assert 5 in prepared.pairs  # heard, though not located with
    assert prepared.findings == ()


def test_of_too_many_pairs_those_of_microphones_that_are_located_with_are_heard(monkeypatch):
    monkeypatch.setattr("soundfix.localization.pairs.MOST_PAIRS", 20)
    prepared = prepare(replace(contract_scene(), is_trusted=np.arange(8) != 5))
    assert 5 not in prepared.pairs
    assert [finding.code for finding in prepared.findings] == ["pairs_subsampled"]


def test_who_is_taken_out_later_has_no_weight():
    is_out = np.arange(8) == 3
    prepared = prepare(contract_scene()).without(is_out)
    assert not prepared.is_used[3]
    assert prepared.health.weight[3] == 0
    assert prepared.is_used.sum() == 7
    assert preparation.Prepared.audio.fget(prepared) is prepared.health.audio
