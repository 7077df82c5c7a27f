"""A recording with a dead microphone, and where it was located."""

from dataclasses import replace

import pytest

import soundfix
from helpers.plain import PLAIN
from soundfix.testing import contract_scene


@pytest.fixture(scope="module")
def scene():
    """1.2 s of noise from one point, heard by eight microphones, of which mic4 is dead."""
    whole = contract_scene(8, seconds=1.2)
    audio = whole.audio.copy()
    audio[3] = 0
    return replace(whole, audio=audio)


@pytest.fixture(scope="module")
def located(scene):
    return soundfix.locate(scene.audio, scene.sample_rate, scene.microphones, **PLAIN)
