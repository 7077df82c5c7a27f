"""The network in onnxruntime: it says what PyTorch's says, where PyTorch cannot be imported too."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.kept_answers import windows
from soundfix.errors import CheckpointError
from soundfix.localization.preparation import prepare
from soundfix.methods.network_evidence import forward
from soundfix.networks import checkpoint, onnx_runtime
from soundfix.networks.exported import DESCRIPTION, PACKAGED, digest_of

COUNT = 6
BLOCKED = """
import sys
for name in ("torch", "scipy", "numba", "safetensors", "huggingface_hub"):
    sys.modules[name] = None
import json, numpy as np, soundfix
from importlib import util
found = util.find_spec
util.find_spec = lambda name, *more: None if name == "torch" else found(name, *more)
scenes = np.load(sys.argv[1])
rooms = json.loads(sys.argv[2])
said = []
for k, room in enumerate(rooms):
    microphones = soundfix.Microphones(positions=scenes[f"positions{k}"])
    scene = soundfix.Scene(audio=scenes[f"audio{k}"], sample_rate=16_000.0, microphones=microphones, room=room)
    estimate = soundfix.load().locate(scene)
    said.append([estimate.verdict, [source.position_m.tolist() for source in estimate.sources]])
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def scenes():
    return list(windows(COUNT))


@pytest.fixture(scope="module")
def network():
    return onnx_runtime.load(PACKAGED)


def test_it_says_what_pytorch_says(scenes, network):
    usual = checkpoint.load(checkpoint.PACKAGED)
    for scene in scenes[:4]:
        prepared = prepare(scene)
        heard = prepared.audio, prepared.scene, prepared.pairs
        own, other = forward(network, *heard), forward(usual, *heard)
        for name in ("sources_m", "microphones_m", "sound", "coherence", "weights", "attention"):
            assert np.allclose(getattr(own, name), getattr(other, name).numpy(), atol=5e-3), name
        for name in ("curves", "plain", "partial", "gates", "is_placed", "passed"):
            here, there = (getattr(each.likelihoods, name) for each in (own, other))
            assert np.allclose(here, there.numpy(), atol=5e-3 * float(abs(there.numpy() * 1).max())), name
        assert float(own.likelihoods.sharpness) == pytest.approx(float(other.likelihoods.sharpness))
        assert own.likelihoods.lags_a_second == other.likelihoods.lags_a_second
    assert float(network.error_m) == pytest.approx(float(usual.error_m))
    assert network.frame == usual.frame
    assert network.arrays == usual.arrays


def test_rumble_louder_than_the_sound(scenes, network):
    """It is cut before masks and the encoder listen, as with PyTorch."""
    prepared = prepare(scenes[0])
    hum = np.sin(2 * np.pi * 80 * np.arange(prepared.audio.shape[1]) / 16_000).astype(np.float32)
    heard = prepared.audio + 2 * np.abs(prepared.audio).max() * hum, prepared.scene, prepared.pairs
    own, usual = (forward(each, *heard).likelihoods for each in (network, checkpoint.load(checkpoint.PACKAGED)))
    assert np.allclose(own.gates, usual.gates.numpy(), atol=1e-3)
    assert np.allclose(own.curves, usual.curves.numpy(), atol=1e-3 * float(usual.curves.abs().max()))


def test_a_silent_and_an_unknown_microphone(scenes):
    audio, positions = scenes[0].audio.copy(), scenes[0].microphones.border_positions().copy()
    audio[2], positions[4] = 0, np.nan
    scene = replace(scenes[0], audio=audio, microphones=replace(scenes[0].microphones, positions=positions))
    own, usual = (soundfix.load(**told).locate(scene) for told in ({"checkpoint": PACKAGED}, {}))
    assert [each.status for each in own.microphones] == [each.status for each in usual.microphones]
    assert np.linalg.norm(own.sources[0].position_m - usual.sources[0].position_m) < 0.01


def test_where_pytorch_cannot_be_imported_places_are_the_same_to_a_centimetre(scenes, tmp_path):
    arrays = {}
    for k, scene in enumerate(scenes):
        arrays |= {f"audio{k}": scene.audio, f"positions{k}": scene.microphones.border_positions()}
    np.savez(tmp_path / "scenes.npz", **arrays)
    rooms = json.dumps([None if s.room is None else np.asarray(s.room).tolist() for s in scenes])
    run = [sys.executable, "-W", "ignore", "-c", BLOCKED, str(tmp_path / "scenes.npz"), rooms]
    said = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
    for scene, (verdict, places) in zip(scenes, said, strict=True):
        microphones = soundfix.Microphones(positions=scene.microphones.border_positions())
        plain = soundfix.Scene(audio=scene.audio, sample_rate=16_000.0, microphones=microphones, room=scene.room)
        usual = soundfix.load().locate(plain)
        assert verdict == usual.verdict
        assert len(places) == len(usual.sources)
        for place, source in zip(places, usual.sources, strict=True):
            assert np.linalg.norm(place - source.position_m) < 0.01


def test_a_graph_of_another_kind_is_an_error_of_ours(tmp_path):
    told = json.loads((PACKAGED / DESCRIPTION).read_text())
    for name in told["files"]:
        (tmp_path / name).write_bytes((PACKAGED / name).read_bytes())
    (tmp_path / "mask.onnx").write_bytes(b"no graph")
    told["files"]["mask.onnx"] = digest_of(tmp_path / "mask.onnx")
    (tmp_path / DESCRIPTION).write_text(json.dumps(told))
    with pytest.raises(CheckpointError, match="is it damaged, or of another kind"):
        onnx_runtime.load(tmp_path)
