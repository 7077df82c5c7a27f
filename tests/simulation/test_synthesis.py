"""Sounds by formula: all kinds have length, peak and seed; each sounds as its description says."""

import numpy as np
import pytest

from soundfix.simulation import synthesis
from soundfix.simulation.sounds import PEAK
from soundfix.simulation.synthesis import SYNTHESIZED, TOP

RATE = 16_000.0
KINDS = pytest.mark.parametrize("kind", SYNTHESIZED)


def made(kind, seed, *, seconds=2.0, rate=RATE):
    return SYNTHESIZED[kind](seconds, sample_rate=rate, rng=np.random.default_rng(seed))


def share(sound, low_hz, high_hz, rate=RATE):
    """Of the power, what lies in the band."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency_hz = np.fft.rfftfreq(len(sound), 1 / rate)
    return power[(frequency_hz >= low_hz) & (frequency_hz < high_hz)].sum() / power.sum()


def rises(sound, *, block_s=0.01):
    """Blocks at least 10 dB above that before, and not quiet."""
    block = round(block_s * RATE)
    power = np.square(sound[: len(sound) // block * block].reshape(-1, block)).mean(axis=1)
    return int(((power[1:] > 10 * power[:-1]) & (power[1:] > 0.01 * power.max())).sum())


@KINDS
@pytest.mark.parametrize(("seconds", "rate"), [(0.55, 16_000.0), (2.3, 16_000.0), (0.7, 8_000.0), (0.7, 44_100.0)])
def test_length_type_and_peak(kind, seconds, rate):
    for seed in range(5):
        sound = made(kind, seed, seconds=seconds, rate=rate)
        assert len(sound) == round(seconds * rate)
        assert sound.dtype == np.float32
        assert np.abs(sound).max() == pytest.approx(PEAK)


@KINDS
def test_the_generator_decides_every_sample(kind):
    one, same, other = (made(kind, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["chirps", "birds", "insects", "sirens", "tones", "claps"])
@pytest.mark.parametrize("rate", [8_000.0, 16_000.0])
def test_nothing_is_made_above_what_the_rate_can_hold(kind, rate):
    """What would be above folds back to anywhere; below half the rate and above TOP there is hardly anything."""
    for seed in range(5):
        assert share(made(kind, seed, rate=rate), TOP * rate * 1.06, rate, rate) < 0.02


@pytest.mark.parametrize(
    ("kind", "low_hz", "high_hz", "least"),
    [
        ("birds", 1400, 8000, 0.99),
        ("insects", 1500, 8000, 0.9),
        ("sirens", 300, 8000, 0.99),
        ("chirps", 150, 8000, 0.98),
        ("tones", 100, 8000, 0.95),
        ("steps", 50, 500, 0.5),
    ],
)
def test_every_kind_is_in_its_band(kind, low_hz, high_hz, least):
    for seed in range(5):
        assert share(made(kind, seed), low_hz, high_hz) > least


def test_a_pulse_comes_again_and_again():
    """The second is the first, at another level; they are 20-50 ms long and 0.2-0.5 s apart."""
    for seed in range(6):
        sound = made("pulses", seed, seconds=3.0)
        there = np.flatnonzero(np.abs(sound) > 1e-6)
        first = there[0]
        gap = there[np.flatnonzero(np.diff(there) > 0.1 * RATE)[0] + 1] - first
        pulse = sound[first : first + round(0.06 * RATE)]
        again = sound[first + gap : first + gap + len(pulse)]
        assert 0.19 * RATE < gap < 0.51 * RATE
        assert pulse @ again > 0.999 * np.linalg.norm(pulse) * np.linalg.norm(again)
        assert 0.015 * RATE < np.flatnonzero(np.abs(pulse) > 1e-6)[-1] < 0.051 * RATE


@pytest.mark.parametrize(("kind", "low", "high"), [("claps", 6, 21), ("steps", 4, 16), ("pulses", 5, 16)])
def test_what_is_struck_rises_a_few_times_a_second(kind, low, high):
    counts = [rises(made(kind, seed, seconds=3.0)) for seed in range(6)]
    assert low <= np.median(counts) <= high


def test_a_clap_decays_within_a_quarter_of_a_second():
    """Half a second from a rise on, most of its power is in the first 0.1 s."""
    for seed in range(5):
        clap = synthesis._decaying_noise(np.random.default_rng(seed), RATE, (500.0, 4000.0), 0.02)
        early = np.square(clap[: round(0.05 * RATE)]).sum()
        assert early > 0.95 * np.square(clap).sum()


def test_each_is_at_its_own_level_and_none_far_below_the_loudest(rng):
    """Samples that are 1 each, as the level leaves them: not all alike, none below QUIETEST_DB, none early."""
    one = np.ones(4)
    sound = synthesis._strung(20.0, RATE, rng, lambda rng, rate: one, (0.1, 0.2))
    levels = sound[np.abs(sound) > 1e-9][::4] / PEAK
    assert 100 < len(levels) < 200
    assert levels.min() > 10 ** (synthesis.QUIETEST_DB / 20) * 0.99
    assert levels.min() < 0.4
    assert np.flatnonzero(sound)[0] <= 0.1 * RATE


def test_a_siren_wails_with_harmonics():
    """Its lowest partial is not one frequency: no narrow band holds most of it."""
    for seed in range(4):
        sound = made("sirens", seed, seconds=6.0)
        power = np.abs(np.fft.rfft(sound)) ** 2
        bands = power[: len(power) // 80 * 80].reshape(80, -1).sum(axis=1)
        assert bands.max() < 0.6 * power.sum()
        assert share(sound, 1900, 8000) > 0.01


def test_an_engine_never_fires_twice_alike():
    """Strokes of a fixed rate would give lines; the wander spreads them: two halves are not the same sound."""
    for seed in range(4):
        one, other = np.split(made("engines", seed, seconds=2.0), 2)
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.5


def test_an_end_swells_and_fades():
    swell = synthesis._swell(100, 0.1)
    assert np.array_equal(swell, swell[::-1])
    assert (np.diff(swell[:10]) > 0).all()
    assert (swell[10:90] == 1).all()
    assert swell[0] < 0.01


def test_a_band_that_the_rate_cannot_hold_is_what_there_is_of_it():
    assert synthesis._within((1500.0, 8000.0), RATE) == (1500, TOP * RATE)
    assert synthesis._within((5000.0, 8000.0), 8000.0) == (1800.0, 3600.0)
