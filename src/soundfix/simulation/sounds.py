"""Dry sound: a voice, a melody and bursts of noise made by formula, and excerpts of recordings in a folder."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from soundfix.errors import AudioFileError
from soundfix.files.listing import AUDIO_SUFFIXES
from soundfix.gate import gate
from soundfix.resample import resampled

PEAK = 0.5
GATE_DB = 20.0  # stretches this far below the loudest one are silence
MOST_SAMPLES = 1 << 29  # of a file that is read whole: 2 GiB
GATE_BLOCK_S = 0.1
VOWELS_HZ = (
    (730.0, 1090.0, 2440.0, 3500.0),
    (270.0, 2290.0, 3010.0, 3600.0),
    (300.0, 870.0, 2240.0, 3300.0),
    (530.0, 1840.0, 2480.0, 3500.0),
)
FORMANT_WIDTH_HZ = 90.0


def voice(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Float[np.ndarray, "time"]:
    """Something like speech: syllables of a wandering pitch through vowel formants, hiss between them, pauses."""
    total = round(duration_s * sample_rate)
    pieces: list[np.ndarray] = []
    pitch_hz = rng.uniform(90, 220)
    while sum(map(len, pieces)) < total:
        pitch_hz *= rng.uniform(0.9, 1.1)
        pieces += [_hiss(rng, sample_rate), _vowel(pitch_hz, rng, sample_rate)]
        if rng.random() < 0.2:
            pieces.append(np.zeros(round(rng.uniform(0.05, 0.15) * sample_rate)))
    return scaled(np.concatenate(pieces)[:total])


def _vowel(pitch_hz: float, rng: np.random.Generator, sample_rate: float) -> np.ndarray:
    """A pulse train and a little breath through four formants, swelling and fading."""
    count = round(rng.uniform(0.1, 0.3) * sample_rate)
    phase = np.cumsum(pitch_hz * (1 + 0.05 * np.sin(np.linspace(0, 3, count))) / sample_rate)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    excitation = pulses + 0.01 * rng.standard_normal(count)
    formants = VOWELS_HZ[rng.integers(len(VOWELS_HZ))]
    sound = np.sum([resonance(excitation, f, sample_rate) for f in formants], axis=0)
    return scaled(sound) * np.hanning(count) ** 0.3


def _hiss(rng: np.random.Generator, sample_rate: float) -> np.ndarray:
    """A consonant: a short burst of high noise."""
    count = round(rng.uniform(0.03, 0.09) * sample_rate)
    high = butter(2, min(2500.0, 0.4 * sample_rate), "highpass", fs=sample_rate, output="sos")
    return 0.3 * scaled(sosfilt(high, rng.standard_normal(count))) * np.hanning(count)


def resonance(
    excitation: np.ndarray, frequency_hz: float, sample_rate: float, width_hz: float = FORMANT_WIDTH_HZ
) -> np.ndarray:
    """A two-pole resonator, so wide at half of its power."""
    radius = np.exp(-np.pi * width_hz / sample_rate)
    turn = 2 * np.pi * min(frequency_hz / sample_rate, 0.45)
    return lfilter([1 - radius], [1, -2 * radius * np.cos(turn), radius**2], excitation)


def melody(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Float[np.ndarray, "time"]:
    """Plucked notes of a pentatonic scale, a few a second, each with harmonics and a click of noise at its start."""
    total = round(duration_s * sample_rate)
    sound = np.zeros(total)
    start = 0
    while start < total:
        note = _note(220 * 2 ** (rng.choice([0, 2, 4, 7, 9, 12, 14, 16]) / 12), rng, sample_rate)
        span = min(len(note), total - start)
        sound[start : start + span] += note[:span]
        start += round(rng.uniform(0.12, 0.4) * sample_rate)
    return scaled(sound)


def _note(pitch_hz: float, rng: np.random.Generator, sample_rate: float) -> np.ndarray:
    time_s = np.arange(round(0.8 * sample_rate)) / sample_rate
    harmonics = np.arange(1, max(2, min(30, int(0.45 * sample_rate / pitch_hz))))
    tones = np.sin(2 * np.pi * pitch_hz * np.outer(harmonics, time_s)) / harmonics[:, None]
    decay = np.exp(-np.outer(3 + 0.5 * harmonics, time_s))
    return (tones * decay).sum(axis=0) + 0.5 * rng.standard_normal(len(time_s)) * np.exp(-time_s / 0.01)


def bursts(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Float[np.ndarray, "time"]:
    """Bursts of noise, each with its own colour and decay, as of claps, keys, paper and tools; a few a second."""
    total = round(duration_s * sample_rate)
    sound = np.zeros(total)
    start = 0
    while start < total:
        burst = _burst(rng, sample_rate)[: total - start]
        sound[start : start + len(burst)] += burst
        start += round(rng.uniform(0.05, 0.3) * sample_rate)
    return scaled(sound)


def _burst(rng: np.random.Generator, sample_rate: float) -> np.ndarray:
    time_s = np.arange(round(0.3 * sample_rate)) / sample_rate
    low_hz = rng.uniform(100, 2000)
    high_hz = min(low_hz * rng.uniform(2, 8), 0.45 * sample_rate)
    band = butter(2, [low_hz, high_hz], "bandpass", fs=sample_rate, output="sos")
    noise = sosfilt(band, rng.standard_normal(len(time_s)))
    return rng.uniform(0.3, 1.0) * scaled(noise) * np.exp(-time_s / rng.uniform(0.01, 0.1))


def scaled(sound: np.ndarray) -> Float[np.ndarray, "time"]:
    """float32, its largest sample PEAK."""
    return (PEAK * sound / (np.abs(sound).max() + 1e-12)).astype(np.float32)


def read_folder(folder: Path) -> list[Path]:
    """The audio files in a folder and its sub-folders, in the order of their names."""
    found = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not found:
        raise AudioFileError(f"no audio file in {folder}: wanted {', '.join(sorted(AUDIO_SUFFIXES))}")
    return found


@gate(AudioFileError)
def read_heard(path: Path, *, sample_rate: float) -> Float[np.ndarray, "time"]:
    """A whole recording, mono, resampled, silent parts taken out before.

    Raises AudioFileError where the file cannot be read, or holds no sound.
    """
    import soundfile

    try:
        claimed = soundfile.info(path)
        if claimed.frames * claimed.channels > MOST_SAMPLES:
            hours = claimed.duration / 3600
            raise AudioFileError(
                f"{path} claims {hours:.3g} h of sound, more than is read at once: is it damaged, or a whole season?"
            )
        samples, file_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioFileError(f"cannot read {path}: {getattr(error, 'error_string', error)}") from error
    heard = without_silence(samples.mean(axis=1), float(file_rate))
    if not len(heard) or not np.abs(heard).max():
        raise AudioFileError(
            f"{path} holds {len(samples) / file_rate:.3g} s and nothing to hear in any whole {GATE_BLOCK_S} s of it: "
            "is it silent, or too short?"
        )
    return resampled(heard[None], file_rate, sample_rate)[0]


def without_silence(samples: Float[np.ndarray, "time"], sample_rate: float) -> Float[np.ndarray, "heard"]:
    """Only the blocks of 0.1 s within 20 dB of the loudest; a sound shorter than one block whole."""
    block = min(round(GATE_BLOCK_S * sample_rate), max(len(samples), 1))
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    power = (blocks**2).mean(axis=1)
    return blocks[power > power.max(initial=0.0) * 10 ** (-GATE_DB / 10)].ravel()


def reverberate(
    sound: Float[np.ndarray, "time"], responses: Float[np.ndarray, "mic tap"]
) -> Float[np.ndarray, "mic time"]:
    """The sound as every microphone hears it: convolved with its impulse response, as long as the sound."""
    return fftconvolve(sound[None], responses, axes=1)[:, : len(sound)]
