"""Short-time Fourier transform and its inverse, of arrays of either kind: periodic Hann window, zeros beyond the ends.

Axes: T samples, F bins, frames every `hop` samples; the first is centred on the first sample.
"""

import numpy as np
from jaxtyping import Complex, Float

from soundfix.signal.arrays import Array, hann, namespace, padded, stretches


def stft(audio: Float[Array, "*batch time"], size: int, hop: int) -> Complex[Array, "*batch freq frame"]:
    """Spectra of frames of `size` samples."""
    if isinstance(audio, np.ndarray):
        frames = stretches(padded(audio, size // 2, size // 2), size, hop)
        return np.swapaxes(np.fft.rfft(frames * hann(size, audio)), -1, -2)
    window, flat = hann(size, audio), audio.flatten(0, -2)
    spectra = namespace(audio).stft(flat, size, hop, window=window, pad_mode="constant", return_complex=True)
    return spectra.unflatten(0, audio.shape[:-1])


def unstft(spectra: Complex[Array, "*batch freq frame"], hop: int, *, samples: int) -> Float[Array, "*batch time"]:
    """The sound of which these are the spectra, as nearly as there is one: overlapping frames are added up (Griffin and
    Lim, 1984)."""
    size = 2 * (spectra.shape[-2] - 1)
    window = hann(size, spectra)
    if not isinstance(spectra, np.ndarray):
        flat = namespace(spectra).istft(spectra.flatten(0, -3), size, hop, window=window, length=samples)
        return flat.unflatten(0, spectra.shape[:-2])
    frames = np.fft.irfft(np.swapaxes(spectra, -1, -2), n=size) * window
    total = _overlapped(frames, hop)
    weight = _overlapped(np.broadcast_to(np.square(window), frames.shape[-2:]), hop)
    return (total[..., size // 2 :] / weight[size // 2 :].clip(np.finfo(weight.dtype).tiny))[..., :samples]


def _overlapped(frames: Float[np.ndarray, "*batch frame sample"], hop: int) -> Float[np.ndarray, "*batch time"]:
    """Their sum, each `hop` samples after the one before; the last whole."""
    count, size = frames.shape[-2:]
    total = np.zeros((*frames.shape[:-2], (count - 1) * hop + size), dtype=frames.dtype)
    for number in range(count):
        total[..., number * hop : number * hop + size] += frames[..., number, :]
    return total
