"""Impulse responses of a shoebox room by the image method (Allen and Berkley, J. Acoust. Soc. Am. 65, 1979).

Mirrored in its walls, a source becomes a lattice of images. Each is heard as an impulse of amplitude b^r / d after d / c: d is
its distance, r how often its sound met a wall, b = sqrt(1 - absorption) what a wall leaves of it. Impulses are set
between samples: on a grid FINER times as fine, each shared by two neighbours, then low-passed with 81 taps.

A talker is directional: p(f) of the sound goes everywhere, 1 - p(f) like the cosine of the angle to where he looks. So
there are two responses, of an omnidirectional and of a figure-of-eight source at the same place, for whoever mixes them.
All lengths in metres, c in m/s, axes: I images, M microphones.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import firwin

FINER = 8  # grid points a sample: what is left of a grid point's mirror images lies 47 dB down
TAPS = 81  # of the low-pass, in samples
CUTOFF = 0.97  # of half the sample rate


def image_lattice(order: int) -> Int[np.ndarray, "image 3"]:
    """(a, b, c) of every image whose sound met |a| + |b| + |c| <= order walls."""
    return _lattice(order)


@lru_cache(maxsize=64)
def _lattice(order: int) -> Int[np.ndarray, "image 3"]:
    steps = np.arange(-order, order + 1)
    cells = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    kept = cells[np.abs(cells).sum(axis=1) <= order]
    kept.setflags(write=False)
    return kept


def images(
    source: Float[np.ndarray, "3"], size_m: Float[np.ndarray, "3"], lattice: Int[np.ndarray, "image 3"]
) -> Float[np.ndarray, "image 3"]:
    """Where the images are, the room's lowest corner being 0."""
    return np.where(lattice % 2 == 0, lattice * size_m + source, (lattice + 1) * size_m - source)


def responses(
    source: Float[np.ndarray, "3"],
    microphones: Float[np.ndarray, "mic 3"],
    *,
    size_m: Float[np.ndarray, "3"],
    absorption: float,
    order: int,
    speed_m_s: float,
    sample_rate: float,
    facing: Float[np.ndarray, "3"] | None = None,
) -> Float[np.ndarray, "pattern mic tap"]:
    """Of an omnidirectional source and, where it faces somewhere (a unit vector), of a figure-of-eight one."""
    lattice = _lattice(order)
    towards = microphones[:, None] - images(source, size_m, lattice)
    distance = np.maximum(np.linalg.norm(towards, axis=2), 1e-3)
    amplitude = np.sqrt(1 - absorption) ** np.abs(lattice).sum(axis=1) / distance
    amplitudes = [amplitude]
    if facing is not None:  # the sound left the source mirrored as often as its image is
        leaving = facing * (1 - 2 * (lattice % 2))
        amplitudes.append(amplitude * np.einsum("mik,ik->mi", towards, leaving) / distance)
    delays = distance * (sample_rate / speed_m_s)
    return np.stack([impulses(delays, each) for each in amplitudes])


def impulses(
    delays: Float[np.ndarray, "row image"], amplitudes: Float[np.ndarray, "row image"]
) -> Float[np.ndarray, "row tap"]:
    """A sum of band-limited impulses, delayed by so many samples (fractions too); what rings before sample 0 is cut off."""
    length = int(delays.max()) + TAPS // 2 + 2
    padded = next_fast_len(length + TAPS // 2, real=True)
    fine = np.stack([_on_grid(FINER * row, each, FINER * padded) for row, each in zip(delays, amplitudes, strict=True)])
    spectrum = rfft(fine, axis=1)[:, : padded // 2 + 1] * _low_pass(padded)
    return irfft(spectrum, padded, axis=1)[:, :length]


def _on_grid(
    places: Float[np.ndarray, "image"], amplitudes: Float[np.ndarray, "image"], length: int
) -> Float[np.ndarray, "fine"]:
    """Each impulse shared by the two grid points beside it."""
    below = places.astype(np.intp)
    right = amplitudes * (places - below)
    return np.bincount(np.concatenate([below, below + 1]), np.concatenate([amplitudes - right, right]), length)


@lru_cache(maxsize=64)
def _low_pass(padded: int) -> Float[np.ndarray, "freq"]:
    """Frequency response (zero phase) of the low-pass, and of what sharing an impulse between grid points took away."""
    taps = firwin(TAPS, CUTOFF)
    centred = np.roll(np.pad(taps, (0, padded - TAPS)), -(TAPS // 2))
    sharing = np.sinc(np.arange(padded // 2 + 1) / (FINER * padded)) ** 2
    return rfft(centred).real / sharing
