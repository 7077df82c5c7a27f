"""The demo: someone walks and talks among eleven microphones, two of them broken; located from files, with a picture."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from soundfix.api.locate import locate
from soundfix.estimate import Estimate
from soundfix.files.scenes import write_scene
from soundfix.report.summary import summary_lines
from soundfix.report.text import describe
from soundfix.scene import Scene
from soundfix.simulation.faults import break_scene, parse_fault
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world

SEED = 11
WALK = replace(LUVIRA_TWIN, duration_s=8.0, share_moving=1.0, moving_m_s=(0.5, 0.7), sound_shares={"voice": 1.0})
FAULTS = ("dead:mic4", "late:mic9:0.006")


def run(folder: Path) -> Iterator[str]:
    """Make the recording in `folder`, locate it, draw it; yields what to print."""
    scene = make_scene(folder)
    yield f"someone walks and talks among 11 microphones; mic4 is dead, mic9 is 6 ms late: {folder}/scene.wav"

    heard = locate(
        folder / "scene.wav", microphones=folder / "microphones.csv", room=scene.room, speed_of_sound_m_s=scene.speed
    )
    yield from map(describe, heard.estimates)
    yield from summary_lines(heard.summary)

    errors = [error_m(scene, estimate) for estimate in heard.estimates if estimate.sources]
    yield f"median error {100 * np.median(errors):.1f} cm"
    for name in ("scene.png", "scene.html"):
        heard.plot(folder / name)
        yield f"drawn: {folder / name}"


def make_scene(folder: Path) -> Scene:
    """The demo's scene, written to the folder."""
    rng = np.random.default_rng(SEED)
    whole = draw_world(WALK, BuiltInSounds(), rng)
    scene = break_scene(whole, [parse_fault(text) for text in FAULTS], rng)
    write_scene(folder, scene)
    return scene


def error_m(scene: Scene, estimate: Estimate) -> float:
    """How far the first place is from where the talker was in the middle of the window."""
    assert scene.truth is not None
    assert scene.truth.track is not None
    there = scene.truth.track.at((estimate.start_s + estimate.end_s) / 2)[0]
    return float(np.linalg.norm(estimate.sources[0].position_m - there))
