"""A Scene as what networks take: at their scale (frame.py), known lateness taken out."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from soundfix.methods.frame import Frame
from soundfix.networks.model import Windows
from soundfix.resample import resampled
from soundfix.scene import Scene
from soundfix.search_region import told_place
from soundfix.signal import gcc


def to_windows(
    audio: Float[np.ndarray, "mic time"],
    scene: Scene,
    pairs: Int[np.ndarray, "pair 2"],
    *,
    frame: Frame,
) -> Windows:
    """One scene as a batch of one: 16 kHz and metres as the network has them, known lateness taken out.

    A microphone that is not trusted is one of unknown position to the network. Where the search region is a few centimetres
    wide, the network is told that the source is there.
    """
    microphones, is_heard = scene.microphones, np.zeros(len(scene.microphones), dtype=bool)
    is_heard[pairs] = True
    is_known = microphones.is_known & scene.is_trusted
    return Windows(
        audio=_at_network_rate(audio, scene, frame)[None],
        positions_m=torch.from_numpy(frame.inside(microphones.positions).astype(np.float32))[None],
        is_known=torch.from_numpy(is_known)[None],
        is_heard=torch.from_numpy(is_heard)[None],
        told_m=_told(scene, frame),
    )


def _told(scene: Scene, frame: Frame) -> Float[Tensor, "1 1 3"] | None:
    """Where the source is, if the search region says so."""
    place_m = told_place(scene.search)
    return None if place_m is None else torch.from_numpy(frame.inside(place_m).astype(np.float32))[None, None]


def _at_network_rate(audio: Float[np.ndarray, "mic time"], scene: Scene, frame: Frame) -> Float[Tensor, "mic sample"]:
    heard = torch.from_numpy(audio)
    if scene.lateness_s.any():
        longest = round(float(np.abs(scene.lateness_s).max()) * scene.sample_rate) + 1
        spectra = gcc.padded_spectra(heard, pad=longest)
        early = gcc.advance(spectra, scene.lateness_s, sample_rate=scene.sample_rate)
        heard = torch.fft.irfft(early)[:, : audio.shape[1]]
    return torch.from_numpy(resampled(heard.numpy(), scene.sample_rate, frame.rate_hz))
