"""What these tests share."""

from dataclasses import replace

import pytest
import soundfile

from helpers.faults import RATE
from soundfix.files.microphones import write_microphones
from soundfix.testing import contract_scene


@pytest.fixture
def folder(tmp_path):
    """A file a microphone, and their list."""
    scene = contract_scene(seconds=1.0)
    for name, samples in zip(scene.microphones.names, scene.audio, strict=True):
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE, subtype="FLOAT")
    files = tuple(f"{name}.wav" for name in scene.microphones.names)
    write_microphones(tmp_path / "mics.csv", replace(scene.microphones, files=files))
    return tmp_path
