"""A Scene as what networks take: at their scale (frame.py), known lateness taken out."""

import numpy as np
from jaxtyping import Float, Int

from soundfix.methods.frame import Frame
from soundfix.networks.windows import Windows
from soundfix.resample import resampled
from soundfix.scene import Scene
from soundfix.search_region import told_place
from soundfix.signal import gcc
from soundfix.signal.arrays import Array, namespace, of_kind, to_numpy


def to_windows(
    audio: Float[Array, "mic time"],
    scene: Scene,
    pairs: Int[np.ndarray, "pair 2"],
    *,
    frame: Frame,
) -> Windows:
    """One scene as a batch of one, of the kind of its audio: 16 kHz and metres as the network has them, known lateness
    taken out.

    A microphone that is not trusted is one of unknown position to the network. Where the search region is a few centimetres
    wide, the network is told that the source is there.
    """
    microphones, is_heard = scene.microphones, np.zeros(len(scene.microphones), dtype=bool)
    is_heard[pairs] = True
    is_known = microphones.is_known & scene.is_trusted
    return Windows(
        audio=_at_network_rate(audio, scene, frame)[None],
        positions_m=of_kind(frame.inside(microphones.positions).astype(np.float32), audio)[None],
        is_known=of_kind(is_known, audio)[None],
        is_heard=of_kind(is_heard, audio)[None],
        told_m=_told(scene, frame, audio),
    )


def _told(scene: Scene, frame: Frame, like: Array) -> Float[Array, "1 1 3"] | None:
    """Where the source is, if the search region says so."""
    place_m = told_place(scene.search)
    return None if place_m is None else of_kind(frame.inside(place_m).astype(np.float32), like)[None, None]


def _at_network_rate(audio: Float[Array, "mic time"], scene: Scene, frame: Frame) -> Float[Array, "mic sample"]:
    if scene.lateness_s.any():
        longest = round(float(np.abs(scene.lateness_s).max()) * scene.sample_rate) + 1
        spectra = gcc.padded_spectra(audio, pad=longest)
        early = gcc.advance(spectra, scene.lateness_s, sample_rate=scene.sample_rate)
        audio = namespace(audio).fft.irfft(early)[:, : audio.shape[1]]
    return of_kind(resampled(to_numpy(audio), scene.sample_rate, frame.rate_hz), audio)
