"""Evidence and scenes made by formula, for tests."""

from dataclasses import replace

import numpy as np

from soundfix import physics
from soundfix.localization.evidence import Evidence
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import draw_world

STEP_M = 0.005
RATE = 16_000.0


def planted_evidence(positions, source, *, late_m=None, width_m=0.01, noise=0.0, rng=None, reach_m=20.0):
    """A bump at every pair's true range difference; microphone m hears `late_m[m]` metres too late."""
    pairs = physics.pair_indices(len(positions))
    arrivals = physics.distances(source, positions) + (0 if late_m is None else np.asarray(late_m))
    lags = np.arange(-round(reach_m / STEP_M), round(reach_m / STEP_M) + 1) * STEP_M
    centre = (arrivals[pairs[:, 0]] - arrivals[pairs[:, 1]])[:, None]
    values = np.exp(-0.5 * ((lags - centre) / width_m) ** 2)
    if noise:
        values = values + noise * rng.standard_normal(values.shape)
    return Evidence(pairs=pairs, values=values.astype(np.float32), step_m=STEP_M, positions=positions)


def anechoic_scene(positions, source, rng, *, seconds=0.5, snr_db=40.0, room=None, **microphones):
    """White noise from one point, delayed exactly (in the frequency domain) and 1 / distance loud."""
    samples = round(seconds * RATE)
    ranges = physics.distances(source, positions)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * samples, 1 / RATE) * ranges[:, None] / 343.0)
    heard = np.fft.irfft(np.fft.rfft(rng.standard_normal(2 * samples)) * turn)[:, samples // 2 : samples // 2 + samples]
    heard = heard / ranges[:, None]
    heard = heard + np.sqrt(np.mean(heard**2)) * 10 ** (-snr_db / 20) * rng.standard_normal(heard.shape)
    return Scene(
        audio=(0.1 * heard).astype(np.float32),
        sample_rate=RATE,
        microphones=Microphones(positions=positions, **microphones),
        room=room,
        speed_of_sound_m_s=343.0,
    )


def drawn(world, rng, **changes):
    """A scene of this world with these settings and built-in sounds."""
    return draw_world(replace(world, **changes), BuiltInSounds(), rng)
