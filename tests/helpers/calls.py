"""A field of stations and calls in it, made by formula; and the table that lists them."""

import numpy as np

from soundfix import physics
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.scene import Scene

RATE, SPEED_M_S = 16_000.0, 343.0
NAMES = ("n1", "n2", "n3", "n4", "n5", "n6", "n7", "far")
STATIONS = np.array(
    [[0, 0, 1], [40, 3, 4], [42, 38, 1], [2, 41, 5], [21, 18, 8], [18, 44, 2], [44, 20, 7], [150, 160, 3]], dtype=float
)
PLACES = {1.5: np.array([15.0, 12.0, 3.0]), 4.0: np.array([30.0, 27.0, 6.0])}  # by when the calls begin
BANDS_HZ = {1.5: (2000.0, 4000.0), 4.0: (4500.0, 7000.0)}
LASTS_S, SECONDS = 0.3, 6.0
RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation\n"


def calls(seed=7):
    """Noise, and in it two calls, each in its own band, from its own place; the far station hears next to nothing."""
    rng = np.random.default_rng(seed)
    audio = 0.005 * rng.standard_normal((len(STATIONS), int(SECONDS * RATE)))
    for start_s, place in PLACES.items():
        audio += _heard(_call(rng, BANDS_HZ[start_s]), start_s, place, audio.shape[1])
    return Scene(
        audio=audio.astype(np.float32), sample_rate=RATE, speed_of_sound_m_s=SPEED_M_S,
        microphones=Microphones(positions=STATIONS, names=NAMES),
    )  # fmt: skip


def raven_table(*, bands=True):
    """Both calls, as a selection table."""
    low_high = [f"{low:g}\t{high:g}" if bands else "\t" for low, high in BANDS_HZ.values()]
    rows = [f"{n}\tSpectrogram 1\t1\t{start}\t{start + LASTS_S}" for n, start in enumerate(PLACES, 1)]
    return RAVEN + "".join(
        f"{row}\t{band}\tcall {n}\n" for n, (row, band) in enumerate(zip(rows, low_high, strict=True))
    )


def written(folder, *, table=None):
    """A folder with scene.wav, microphones.csv and events.txt."""
    write_scene(folder, calls())
    (folder / "events.txt").write_text(raven_table() if table is None else table)
    return folder


def _call(rng, band_hz):
    samples = int(LASTS_S * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(samples) * np.hanning(samples))
    frequency = np.fft.rfftfreq(samples, 1 / RATE)
    return np.fft.irfft(spectrum * ((frequency > band_hz[0]) & (frequency < band_hz[1])), samples)


def _heard(call, start_s, place, samples):
    """Delayed exactly, in the frequency domain, and 1 / distance loud."""
    ranges = physics.distances(place, STATIONS)
    late_s = start_s + (ranges - ranges.min()) / SPEED_M_S
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * samples, 1 / RATE) * late_s[:, None])
    return np.fft.irfft(np.fft.rfft(call, 2 * samples) * turn)[:, :samples] / ranges[:, None]
