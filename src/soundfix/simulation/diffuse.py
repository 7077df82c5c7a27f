"""Noise that comes from everywhere alike: spherically isotropic, as ventilation and far crowds are in a live room.

Two microphones d apart hear it with coherence sinc(2 f d / c), where sinc(x) = sin(pi x) / (pi x). It is made as in Habets,
Cohen and Gannot, J. Acoust. Soc. Am. 124 (2008): in every bin of a short-time spectrum, independent noises are mixed by a
square root (Cholesky) of the matrix of coherences. Its power falls by 3 dB an octave. Axes: M microphones, F bins.
"""

import numpy as np
from jaxtyping import Float
from scipy.fft import irfft

FRAME = 512  # samples; at 16 kHz a bin is 31 Hz
FULL_FROM_HZ = 50.0  # below this the spectrum is level
LEAST_EIGENVALUE = 1e-6  # of noise of its own at each microphone, without which coherences near 1 have no root


def diffuse_noise(
    microphones: Float[np.ndarray, "mic 3"],
    count: int,
    *,
    speed_m_s: float,
    sample_rate: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "mic {count}"]:
    """float32, of equal power at all microphones; its level means nothing."""
    frequencies_hz = np.fft.rfftfreq(FRAME, 1 / sample_rate)
    frames = -(-count // (FRAME // 2)) + 1
    shape = (len(frequencies_hz), len(microphones), 2 * frames)  # real and imaginary parts side by side
    mixed = mixing(microphones, frequencies_hz, speed_m_s) @ rng.standard_normal(shape, dtype=np.float32)
    mixed *= np.sqrt(FULL_FROM_HZ / np.maximum(frequencies_hz, FULL_FROM_HZ)).astype(np.float32)[:, None, None]
    spectra = np.ascontiguousarray(np.moveaxis(mixed.view(np.complex64), 0, -1))
    return _overlapped(irfft(spectra, FRAME, axis=-1))[:, FRAME // 2 : FRAME // 2 + count]


def mixing(
    microphones: Float[np.ndarray, "mic 3"], frequencies_hz: Float[np.ndarray, "freq"], speed_m_s: float
) -> Float[np.ndarray, "freq mic mic"]:
    """What turns independent noises into coherent ones, a matrix a frequency."""
    gaps_m = np.linalg.norm(microphones[:, None] - microphones[None], axis=-1)
    coherence = np.sinc(2 * frequencies_hz[:, None, None] * gaps_m / speed_m_s)
    root = np.linalg.cholesky(coherence + LEAST_EIGENVALUE * np.eye(len(microphones)))
    return root.astype(np.float32)


def _overlapped(frames: Float[np.ndarray, "mic frame sample"]) -> Float[np.ndarray, "mic time"]:
    """Independent frames half over each other; the squares of the window add up to 1."""
    window = np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME).astype(np.float32)
    halves = (frames * window).reshape(*frames.shape[:2], 2, FRAME // 2)
    sound = np.pad(halves[:, :, 0], ((0, 0), (0, 1), (0, 0)))
    sound[:, 1:] += halves[:, :, 1]
    return sound.reshape(len(frames), -1)
