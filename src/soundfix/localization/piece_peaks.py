"""Where somebody may be: the peaks of a window and of short pieces of it.

In a quarter of a second one of several talkers is often the loudest, or alone. So the peaks of all pieces hold places that
the whole window hides. Each is heard twice: as it is, whitened piece by piece, and as a method lets it through, by its mask.
Axes: M microphones, T samples, P pairs, K places.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

from soundfix import physics
from soundfix.localization.correlate import Correlator
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode, find_modes
from soundfix.localization.pairs import choose_pairs
from soundfix.scene import Scene
from soundfix.signal import gcc

PIECE_S, OVERLAP = 0.25, 2
PEAKS, PEAKS_OF_WHOLE, MOST = 8, 24, 150
SAME_M = 0.15  # places nearer than this are one candidate
FINER = 4  # lags a sample, of white sound

Box = Float[np.ndarray, "2 3"]


def candidates(
    scene: Scene,
    white: Float[np.ndarray, "mic time"],
    rate: float,
    box: Box,
    known: Sequence[Float[np.ndarray, "3"]] = (),
) -> Float[np.ndarray, "place 3"]:
    """The best distinct places (m) of the whole window, or, beside those that are known, of its pieces.

    white: what a method lets through of the same sound, white, at this rate (Hz).
    """
    pairs = pairs_of(len(scene.microphones))
    modes: list[Mode] = []
    for start_s, length_s, most in (
        pieces(scene.duration_s) if len(known) else [(0.0, scene.duration_s, PEAKS_OF_WHOLE)]
    ):
        first, count = (round(each * scene.sample_rate) for each in (start_s, length_s))
        part = scene.part(first, count)
        modes += peaks_of(Correlator()(np.array(part.audio), part, pairs), box, most)
        let_through = white[:, round(start_s * rate) : round((start_s + length_s) * rate)]
        modes += peaks_of(white_evidence(let_through, rate, scene, pairs), box, most)
    return distinct(modes, MOST, known)


def pairs_of(count: int) -> Int[np.ndarray, "pair 2"]:
    """Those of so many microphones that are correlated."""
    return choose_pairs(np.ones(count, dtype=bool))[0]


def pieces(duration_s: float) -> Iterator[tuple[float, float, int]]:
    """Start and length (s) of every piece, and how many of its peaks are looked at; none of a window that is one itself."""
    for number in range(round(OVERLAP * (duration_s / PIECE_S - 1)) + 1 if duration_s > PIECE_S else 0):
        yield number * PIECE_S / OVERLAP, PIECE_S, PEAKS


def peaks_of(evidence: Evidence, box: Box, most: int) -> list[Mode]:
    """Their scores in standard errors of the mean, so that pieces can be compared; none of silence."""
    error = evidence.deviation / len(evidence.pairs) ** 0.5
    if not evidence.values.any() or not error > 0:
        return []
    return [
        Mode(position=mode.position, score=mode.score / error) for mode in find_modes(evidence, box, most=most)[:most]
    ]


def distinct(
    modes: Sequence[Mode], most: int, known: Sequence[Float[np.ndarray, "3"]] = ()
) -> Float[np.ndarray, "place 3"]:
    """The best places, none of them near a better one, or one that is known."""
    left = np.array([mode.position for mode in sorted(modes, key=lambda each: -each.score)]).reshape(-1, 3)
    left = left[(physics.distances(left, np.array(known).reshape(-1, 3)) > SAME_M).all(axis=1)]
    kept: list[np.ndarray] = []
    while len(left) and len(kept) < most:
        kept.append(left[0])
        left = left[physics.distances(left, left[:1])[:, 0] > SAME_M]
    return np.array(kept).reshape(-1, 3)


def white_evidence(
    white: Float[np.ndarray, "mic time"], rate: float, scene: Scene, pairs: Int[np.ndarray, "pair 2"]
) -> Evidence:
    """The correlation of sound that is white already, as far as the delays of this array go."""
    positions = scene.microphones.positions
    max_lag = min(white.shape[1] - 1, int(scene.microphones.width_m / scene.speed * rate) + 2)
    spectra = gcc.padded_spectra(white, pad=max_lag)
    spectra = gcc.to_unit_power(spectra, np.ones(spectra.shape[-1], dtype=np.float32))
    curves = gcc.correlate(spectra, pairs, max_lag=max_lag, bins=spectra.shape[-1])
    step_m = scene.speed / (rate * FINER)
    return Evidence(pairs=pairs, values=gcc.upsample(curves, FINER), step_m=step_m, positions=positions)
