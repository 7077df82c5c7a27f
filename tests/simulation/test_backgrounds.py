"""What else is on a recording: where it lies in frequency, and who hears it when."""

import numpy as np
import pytest

from soundfix.physics import pair_indices
from soundfix.simulation.backgrounds import UNLIKE_DB, fan, hum, interference, rumble

RATE, COUNT = 16_000.0, 16_000
PLACES = np.array([[0.0, 0, 1], [0.3, 0, 1], [4, 3, 1], [0, 3, 2.0]])
SEEDS = range(8)


def spectrum(sound):
    return np.fft.rfftfreq(sound.shape[-1], 1 / RATE), np.abs(np.fft.rfft(sound)) ** 2


def rng_of(seed):
    return np.random.default_rng(seed)


def rumbles(seed):
    return rumble(PLACES, COUNT, speed_m_s=343.0, rate=RATE, rng=rng_of(seed))


MAKERS = {
    "rumble": rumbles,
    "hum": lambda seed: hum(4, COUNT, rate=RATE, rng=rng_of(seed)),
    "interference": lambda seed: interference(4, COUNT, rate=RATE, rng=rng_of(seed)),
    "fan": lambda seed: fan(COUNT, rate=RATE, rng=rng_of(seed))[None],
}


@pytest.mark.parametrize("kind", MAKERS)
def test_all_are_of_power_one_and_decided_by_the_seed(kind):
    one, same, other = (MAKERS[kind](seed) for seed in (1, 1, 2))
    assert one.shape[1] == COUNT
    assert np.mean(np.square(one)) == pytest.approx(1, rel=1e-4)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["rumble", "hum", "interference"])
def test_microphones_do_not_hear_it_equally_loud(kind):
    levels_db = np.array([10 * np.log10(np.mean(np.square(MAKERS[kind](seed)), axis=1)) for seed in range(30)])
    spread_db = np.ptp(levels_db, axis=1)
    assert spread_db.max() < 2 * UNLIKE_DB + 1
    assert np.median(spread_db) > UNLIKE_DB / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_rumble_is_low(seed):
    frequency, power = spectrum(rumbles(seed))
    assert power[:, frequency < 450].sum() > 0.9 * power.sum()


def test_rumble_is_coherent_or_not():
    """At two microphones 0.3 m apart, below 100 Hz: a sinc of 0.95 or more, or strangers' noise."""
    coherences = []
    for seed in range(20):
        frequency, _ = spectrum(rumbles(seed))
        low = np.fft.rfft(rumbles(seed))[:2, (frequency > 5) & (frequency < 60)]
        coherences.append(np.abs(np.vdot(low[0], low[1])) / np.linalg.norm(low[0]) / np.linalg.norm(low[1]))
    alike = np.array(coherences) > 0.8
    assert 5 <= alike.sum() <= 15
    assert np.array(coherences)[~alike].max() < 0.5


def lines_of(seed):
    """Frequencies (Hz) of a hum that stand out, to 0.1 Hz."""
    frequency, power = spectrum(hum(1, 10 * COUNT, rate=RATE, rng=rng_of(seed))[0] * np.hanning(10 * COUNT))
    is_top = (power[1:-1] > power[:-2]) & (power[1:-1] > power[2:])
    return frequency[1:-1][is_top & (power[1:-1] > 1e-3 * power.max())]


def test_hum_is_the_mains_and_its_harmonics():
    """Every line is a multiple of 50 or of 60 Hz, hardly off; both mains occur, and three lines or more."""
    bases = []
    for seed in range(12):
        lines = lines_of(seed)
        off = {base: np.abs(lines / base - np.round(lines / base)) / (lines / base) for base in (50, 60)}
        fits = [base for base in (50, 60) if off[base].max() < 0.006]
        assert len(fits) == 1
        bases += fits
        assert len(set(np.round(lines / fits[0]))) >= 3
    assert set(bases) == {50, 60}


@pytest.mark.parametrize("seed", SEEDS)
def test_hum_is_in_phase_at_all_microphones(seed):
    sound = MAKERS["hum"](seed)
    gains = sound @ sound[0] / (sound[0] @ sound[0])
    assert (gains > 0).all()
    assert sound == pytest.approx(gains[:, None] * sound[0], abs=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_interference_has_no_delay_in_any_pair(seed):
    sound = interference(4, COUNT, rate=RATE, rng=rng_of(seed))
    for i, j in pair_indices(4):
        cross = np.fft.irfft(np.fft.rfft(sound[i], 2 * COUNT) * np.fft.rfft(sound[j], 2 * COUNT).conj())
        assert cross.argmax() == 0
        assert cross[0] == pytest.approx(np.linalg.norm(sound[i]) * np.linalg.norm(sound[j]), rel=1e-4)


def test_interference_comes_in_bursts_in_some():
    silent = np.array([(np.abs(MAKERS["interference"](seed)[0]) < 1e-9).mean() for seed in range(40)])
    assert 4 <= (silent > 0.2).sum() <= 22
    assert (silent == 0).sum() >= 18


def test_a_fan_hisses_without_a_pause_and_falls_with_frequency():
    for seed in SEEDS:
        sound = fan(COUNT, rate=RATE, rng=rng_of(seed))
        frequency, power = spectrum(sound)
        blocks = np.square(sound.reshape(20, -1)).mean(axis=1)
        assert blocks.min() > 0.3 * blocks.max()
        assert power[frequency < 2000].mean() > 2 * power[frequency > 6000].mean()
