"""The demo: a room with a talker and two broken microphones, located from its files, with a picture."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from soundfix.catalog import load
from soundfix.faults import break_scene, parse_fault
from soundfix.files.audio import open_recording
from soundfix.files.microphones import arrange, read_microphones
from soundfix.files.scenes import write_scene
from soundfix.plots import plot_estimates
from soundfix.presets import draw_scene
from soundfix.recording import Session
from soundfix.scene import Scene
from soundfix.wording import describe, describe_microphones

SEED = 11
FAULTS = ("dead:mic4", "late:mic9:0.006")


def run(folder: Path) -> Iterator[str]:
    """Make the recording in `folder`, locate it, draw it; yields what to print."""
    scene = make_scene(folder)
    assert scene.truth is not None
    x, y, z = scene.truth.sources[0]
    yield f"a talker at ({x:.2f}, {y:.2f}, {z:.2f}) m, 11 microphones; mic4 is dead, mic9 is 6 ms late: {folder}/scene.wav"

    microphones = read_microphones(folder / "microphones.csv")
    recording = open_recording([folder / "scene.wav"])
    order, _ = arrange(recording.channels, microphones)
    session = Session(localizer=load(), microphones=microphones, room=scene.room, speed_of_sound_m_s=scene.speed)
    estimates = [session.hear(start, part[order], recording.sample_rate) for start, part in recording.windows(0.5, 0.5)]
    yield from map(describe, estimates)
    yield from describe_microphones(session.summary())

    errors = [np.linalg.norm(e.sources[0].position_m - scene.truth.sources[0]) for e in estimates if e.sources]
    yield f"median error {100 * np.median(errors):.1f} cm"
    for name in ("scene.png", "scene.html"):
        plot_estimates(estimates, microphones, scene.room, folder / name)
        yield f"drawn: {folder / name}"


def make_scene(folder: Path) -> Scene:
    """The demo's scene, written to the folder."""
    rng = np.random.default_rng(SEED)
    scene = break_scene(draw_scene("luvira", duration_s=3.0, rng=rng), [parse_fault(f) for f in FAULTS], rng)
    write_scene(folder, scene)
    return scene
