"""Impulse responses of a shoebox room by the image method (Allen and Berkley, J. Acoust. Soc. Am. 65, 1979).

Mirrored in its walls, a source becomes a lattice of images. Each is heard as an impulse of amplitude b^r / d after d / c:
d is its distance, r how often its sound met a wall, b = sqrt(1 - absorption) what a wall leaves of it. Impulses lie between
samples: on a grid FINER times as fine, each shared by the two points beside it, then low-passed.

A talker does not speak in all directions alike: a share p(f) of the sound goes everywhere, 1 - p(f) like the cosine of the
angle to where he faces. So there are two patterns, omnidirectional and figure of eight, for whoever mixes them.
Lengths in metres, speed_m_s in m/s. Axes: I images, M microphones.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import firwin

FINER = 8  # grid points a sample: mirror spectra of the grid lie 47 dB down at the highest frequency, more below
TAPS = 81  # of the low-pass, in samples
CUTOFF = 0.97  # of half the sample rate
NEAREST_M = 0.01  # a microphone in the source hears it as if so far away


def impulse_responses(
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
    """Of an omnidirectional source and, where it faces somewhere (a unit vector), of a figure of eight.

    The lowest corner of the room is 0. order: images whose sound met more walls are left out.
    """
    cells = lattice(order)
    places = images(source, size_m, cells)
    left = np.sqrt(1 - absorption) ** np.abs(cells).sum(axis=1)
    towards = [microphone - places for microphone in microphones]
    distances = [np.maximum(np.sqrt(np.einsum("ik,ik->i", each, each)), NEAREST_M) for each in towards]
    delays = [distance * (sample_rate / speed_m_s) for distance in distances]
    patterns = [[left / distance for distance in distances]]
    if facing is not None:
        leaving = facing * (1 - 2 * (cells % 2))  # the sound left as often mirrored as its image is
        cosines = [np.einsum("ik,ik->i", each, leaving) / d for each, d in zip(towards, distances, strict=True)]
        patterns.append([amplitude * cosine for amplitude, cosine in zip(patterns[0], cosines, strict=True)])
    return np.stack([impulses(delays, amplitudes) for amplitudes in patterns])


def images(
    source: Float[np.ndarray, "3"], size_m: Float[np.ndarray, "3"], cells: Int[np.ndarray, "image 3"]
) -> Float[np.ndarray, "image 3"]:
    """Where the images in these cells of the lattice are."""
    return np.where(cells % 2 == 0, cells * size_m + source, (cells + 1) * size_m - source)


@lru_cache(maxsize=24)
def lattice(order: int) -> Int[np.ndarray, "image 3"]:
    """(a, b, c) of every image whose sound met |a| + |b| + |c| <= order walls."""
    steps = np.arange(-order, order + 1, dtype=np.int16)
    walls = sum(np.abs(np.meshgrid(steps, steps, steps, indexing="ij")))
    cells = (np.argwhere(walls <= order) - order).astype(np.int16)
    cells.setflags(write=False)
    return cells


def order_within(distance_m: float, size_m: Float[np.ndarray, "3"]) -> int:
    """The least order that holds every image nearer than this, give or take a room: the octahedron round that sphere."""
    return int(np.ceil(distance_m * np.sqrt(np.sum(1 / np.square(size_m)))))


def impulses(
    delays: list[Float[np.ndarray, "image"]], amplitudes: list[Float[np.ndarray, "image"]]
) -> Float[np.ndarray, "row tap"]:
    """Sums of band-limited impulses, each delayed by so many samples; what rings before sample 0 is cut off."""
    length = int(max(row.max() for row in delays)) + TAPS // 2 + 2
    padded = next_fast_len(length + TAPS // 2, real=True)
    fine = [_on_grid(FINER * row, each, FINER * padded) for row, each in zip(delays, amplitudes, strict=True)]
    spectra = rfft(np.stack(fine), axis=1)[:, : padded // 2 + 1] * _low_pass(padded)
    return irfft(spectra, padded, axis=1)[:, :length]


def _on_grid(
    places: Float[np.ndarray, "image"], amplitudes: Float[np.ndarray, "image"], length: int
) -> Float[np.ndarray, "fine"]:
    below = places.astype(np.intp)
    right = amplitudes * (places - below)
    return np.bincount(np.concatenate([below, below + 1]), np.concatenate([amplitudes - right, right]), length)


@lru_cache(maxsize=24)
def _low_pass(padded: int) -> Float[np.ndarray, "freq"]:
    """Its response (zero phase), divided by what sharing an impulse between two points takes away."""
    taps = np.roll(np.pad(firwin(TAPS, CUTOFF), (0, padded - TAPS)), -(TAPS // 2))
    sharing = np.sinc(np.arange(padded // 2 + 1) / (FINER * padded)) ** 2
    return rfft(taps).real / sharing
