"""Surveys of arrays and of recordings."""

from dataclasses import replace

import numpy as np

from soundfix import physics
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.simulation.faults import break_scene
from soundfix.survey.survey import survey

ROOM = ((0.0, 0.0, 0.0), (6.0, 6.0, 3.0))
CORNERS = np.array([[x, y, z] for x in (0.5, 5.5) for y in (0.5, 5.5) for z in (0.3, 2.7)])
RATE = 16_000.0


def only(positions, **options):
    """The survey of a layout, without a recording."""
    return survey(Microphones(positions=np.array(positions, dtype=float)), **({"room": ROOM, "windows": []} | options))


def graded(windows, *faults, rng):
    broken = [break_scene(window, faults, rng) for window in windows]
    return survey(windows[0].microphones, room=ROOM, windows=iter(broken))


def heard_windows(rng):
    """Noise from a source at one place, with independent noise 20 dB below it: eight windows of 0.25 s."""
    total, source = int(2 * RATE), np.array([2.0, 3.5, 1.2])
    delays = np.rint(physics.distances(source, CORNERS) / 343.2 * RATE).astype(int)
    sound = rng.standard_normal(total + delays.max())
    heard = np.stack([sound[delays.max() - delay :][:total] for delay in delays])
    audio = (0.1 * (heard + 0.1 * rng.standard_normal(heard.shape))).astype(np.float32)
    scene = Scene(audio=audio, sample_rate=RATE, microphones=Microphones(positions=CORNERS), room=ROOM)
    return [replace(scene, audio=part, start_s=0.25 * k) for k, part in enumerate(np.split(audio, 8, axis=1))]
