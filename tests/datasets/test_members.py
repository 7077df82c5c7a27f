"""A scene as a WAV and a JSON: everything survives, to the rounding to 16 bits."""

import json
from dataclasses import replace

import numpy as np
import pytest

from helpers.sets import assert_same
from soundfix.datasets.members import decode, encode
from soundfix.errors import DatasetError
from soundfix.microphones import Microphones
from soundfix.scene import Scene, Track, Truth
from soundfix.simulation.faults import Fault, break_scene


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
