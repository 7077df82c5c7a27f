"""A recording and a network on disk."""

import io

import pytest
import soundfile

from helpers.command import CORNERS, SOURCE
from helpers.networks import tiny
from helpers.scenes import anechoic_scene
from soundfix.cli import listening, send
from soundfix.files.scenes import write_scene
from soundfix.networks import checkpoint


@pytest.fixture
def take(tmp_path, rng):
    """A folder with scene.wav (1 s, anechoic, seven microphones) and microphones.csv."""
    write_scene(tmp_path / "take", anechoic_scene(CORNERS, SOURCE, rng, seconds=1.0))
    return tmp_path / "take"


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "net.safetensors"
    checkpoint.save(tiny(is_untrained=True), path)
    return path


@pytest.fixture
def pcm(take, monkeypatch):
    """The recording, raw on standard input."""
    sound, _ = soundfile.read(take / "scene.wav", dtype="float32")
    raw = io.BytesIO(sound.astype("<f4").tobytes())
    for module in (listening, send):
        monkeypatch.setattr(module, "stdin", lambda: raw)
    return ("--format", "f32le")
