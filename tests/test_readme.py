"""The README and the pages tell the truth: their Python runs as it stands, beside a recording of the name they give it."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from helpers import TESTS
from helpers.pages import WHOLE
from soundfix.files.scenes import write_scene
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world

README = TESTS.parent / "README.md"
SOURCES = TESTS.parent / "src"
PAGES = [README, *(page for page in sorted((TESTS.parent / "docs").rglob("*.md")) if page.name not in WHOLE)]
TAKE = replace(LUVIRA_TWIN, duration_s=2.0, rt60_s=(0.3, 0.3), snr_db=(30.0, 30.0), sound_shares={"voice": 1.0})
WALK = replace(TAKE, duration_s=10.0, share_moving=1.0, roams=True)
SMALLEST, LARGEST = 5000, 6200  # bytes of a README that is read to its end


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


CODE = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(blocks(page), start=1)
]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """take.wav of someone who stands, walk.wav of someone who walks, and mics.csv, the eleven microphones of both."""
    folder = tmp_path_factory.mktemp("recordings")
    for world, sound in ((TAKE, "take.wav"), (WALK, "walk.wav")):
        write_scene(folder, draw_world(world, BuiltInSounds(), np.random.default_rng(1)))
        (folder / "scene.wav").rename(folder / sound)
    (folder / "microphones.csv").rename(folder / "mics.csv")
    (folder / "truth.json").unlink()
    return folder


def test_the_readme_shows_code():
    assert blocks(README)


def test_the_readme_is_short():
    assert SMALLEST <= README.stat().st_size <= LARGEST


@pytest.mark.parametrize("code", CODE)
def test_the_code_runs_as_it_is(recordings, tmp_path, code):
    """By another Python, in a folder that holds these recordings alone; from one page each block stands for itself."""
    for path in recordings.iterdir():
        (tmp_path / path.name).symlink_to(path)
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(SOURCES)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, env=env
    )
    assert done.returncode == 0, done.stderr
