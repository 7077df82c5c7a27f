"""Recordings to locate in: a folder of files, a live room, and the open."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from helpers.faults import RATE
from helpers.scenes import anechoic_scene, drawn
from helpers.session import CORNERS, SOURCE
from soundfix.files.microphones import write_microphones
from soundfix.simulation.worlds import LUVIRA_TWIN
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


@pytest.fixture(scope="session")
def studio():
    """2 s in the LuViRA studio's twin: T60 0.4 s, 15 dB."""
    return drawn(LUVIRA_TWIN, np.random.default_rng(1), rt60_s=(0.4, 0.4), snr_db=(15.0, 15.0))


@pytest.fixture(scope="session")
def outdoors():
    """2 s of noise among seven microphones, without any echo: quick to locate to a millimetre."""
    return anechoic_scene(CORNERS, SOURCE, np.random.default_rng(20_505), seconds=2.0)
