"""Several sources at once, counted: which places fill the cells of a window, and how probable is each?

    peaks     of the whole window and of short pieces           (piece_peaks.py)
    explain   which of them together fill the cells, one by one (mixture.py)
    count     until the next is less likely than not            (below)
    refine    each on the cells that are its own                (cells.py, modes.py)

The first place that explains nothing of its own still gains something: reflections, chance. What a place gains beside those
before it, and how much more than the next after it, tells a source from such leavings; a logistic regression on mixtures
of one to four training sounds, in the twin and in random rooms, gives the probability (EXPERIMENTS.md, 26 November 2026).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.localization.cells import BAND_HZ, Cells, cells_of
from soundfix.localization.evidence import Evidence
from soundfix.localization.mixture import Mixture, mixture_of
from soundfix.localization.modes import Mode, polish
from soundfix.localization.piece_peaks import candidates
from soundfix.scene import Scene

MOST_SOURCES = 5
APART_M = 0.3
LIKELY = 0.5


class Sound(NamedTuple):
    """What the cells are made of: white sound (M, T) of the microphones that are located with, at a rate (Hz)."""

    white: Float[np.ndarray, "mic time"]
    rate: float


class Mixed(NamedTuple):
    """One of several sources: its place (m) and how probable it is, and the evidence of the cells that are its own."""

    mode: Mode
    evidence: Evidence


def mixed_sources(scene: Scene, sound: Sound, box: Float[np.ndarray, "2 3"]) -> list[Mixed]:
    """The sources of a window (of microphones that are located with alone), the one that explains most first.

    The first is taken for granted: whether there is any is for others to say.
    """
    places = candidates(scene, sound.white, sound.rate, box)
    if not len(places):
        return []
    cells = cells_of(sound.white, sound.rate, scene.microphones.positions, scene.speed, band_of(scene))
    mixture = mixture_of(cells.coherence(places), places, APART_M)
    chosen = mixture.chosen(MOST_SOURCES + 1)
    probability = probabilities(gains_of(mixture, chosen))
    count = 1 + int(np.argmin(np.append(probability[1:MOST_SOURCES] > LIKELY, False)))
    chosen = mixture.exchanged(chosen[:count])
    own = mixture.posterior(chosen)
    return [
        _refined(cells, places[place], share, probability[number], box)
        for number, (place, share) in enumerate(zip(chosen, own, strict=True))
    ]


def gains_of(mixture: Mixture, chosen: Sequence[int]) -> Float[np.ndarray, "place"]:
    """What each gains beside those before it."""
    return np.array([mixture.gains(list(chosen[:number]))[place] for number, place in enumerate(chosen)])


def probabilities(gains: Float[np.ndarray, "place"]) -> Float[np.ndarray, "place"]:
    """That each is a source; the last one has no next to be compared with, and is none."""
    raise NotImplementedError


def band_of(scene: Scene) -> tuple[float, float]:
    """The frequencies (Hz) whose cells are looked at: of those that are listened to, those that tell places apart."""
    low, high = scene.band_hz or BAND_HZ
    return max(low, BAND_HZ[0]), min(high, BAND_HZ[1])


def _refined(cells: Cells, place: np.ndarray, share: np.ndarray, probability: float, box: np.ndarray) -> Mixed:
    evidence = cells.evidence(place, share, physics.pair_indices(len(cells.positions)))
    mode = polish(evidence, place[None], box)[0]
    return Mixed(replace(mode, probability=float(probability)), evidence)
