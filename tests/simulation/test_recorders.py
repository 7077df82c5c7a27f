"""Recorders: each does to the sound what its name says, to each channel by itself, and nothing more."""

import numpy as np
import pytest

from soundfix.simulation import recorders
from soundfix.simulation.recorders import CLIPPED_AT, DRIFT_PPM, JITTER_S, LEVELS, RECORDERS, coloured

RATE, COUNT = 16_000.0, 16_000
SEEDS = range(4)


def sounds(seed=0, *, low_pass=4):
    """Two different channels, dull enough to be delayed by fractions of a sample."""
    noise = np.random.default_rng(100 + seed).standard_normal((2, COUNT + low_pass))
    dull = sum(noise[:, k : k + COUNT] for k in range(low_pass)) / low_pass
    return (0.5 * dull / np.abs(dull).max()).astype(np.float32)


def kept(kind, audio, seed=0):
    return RECORDERS[kind](audio, rate=RATE, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("kind", RECORDERS)
def test_all_keep_the_shape_and_obey_the_seed(kind):
    one, same, other = (kept(kind, sounds(), seed) for seed in (1, 1, 2))
    assert one.shape == (2, COUNT)
    assert one.dtype == np.float32
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    with_a_silent_one = sounds() * np.array([[1.0], [0.0]], np.float32)
    silent = kept(kind, with_a_silent_one)[1]
    assert np.abs(silent).max() < 1e-3 * np.abs(with_a_silent_one).max()


def response(seed, peaks_db):
    click = np.zeros((1, COUNT))
    click[0, 0] = 1.0
    heard = coloured(click, peaks_db=peaks_db, rate=RATE, rng=np.random.default_rng(seed))[0]
    return np.fft.rfftfreq(COUNT, 1 / RATE), heard


@pytest.mark.parametrize("seed", range(8))
def test_a_response_is_cut_at_both_ends_and_as_uneven_as_told_between(seed):
    """Two to four peaks of up to 8 dB may add up; without any, there are the corners alone."""
    frequency, heard = response(seed, 8.0)
    _, plain = response(seed, 0.0)
    level_db, plain_db = (20 * np.log10(np.abs(np.fft.rfft(each)) + 1e-12) for each in (heard, plain))
    middle = (frequency > 700) & (frequency < 3000)
    assert np.abs(plain_db[middle]).max() < 1.5
    assert plain_db[frequency < 5].max() < -10
    assert plain_db[-1] < -6
    assert 0.5 < np.abs(level_db - plain_db)[1:-1].max() <= 4 * 8.0


def test_a_response_is_causal_and_its_phase_least():
    """Log magnitude and phase belong together (a Hilbert pair): most of the energy comes at once."""
    for seed in SEEDS:
        _, heard = response(seed, 8.0)
        assert np.square(heard[:40]).sum() > 0.9 * np.square(heard).sum()
        assert np.abs(heard).argmax() == 0


def test_every_channel_has_a_response_of_its_own():
    click = np.zeros((2, 512))
    click[:, 0] = 1.0
    one, other = coloured(click, peaks_db=8.0, rate=RATE, rng=np.random.default_rng(0))
    assert not np.allclose(one, other, atol=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_gain_control_makes_the_quiet_louder_by_itself(seed):
    """A channel that is 20 dB quieter in its second half is less so then; the loud half is as it was, to some dB."""
    audio = sounds()
    audio[0, COUNT // 2 :] *= 0.1
    even = kept("agc", audio, seed)
    before, after = (
        np.std(each[0, 2000 : COUNT // 2]) / np.std(each[0, COUNT // 2 + 6000 :]) for each in (audio, even)
    )
    assert before == pytest.approx(10, rel=0.1)
    assert after < 0.65 * before
    assert after > 1.1
    assert (even * audio >= 0).all()


@pytest.mark.parametrize("kind", ["mp3", "opus"])
@pytest.mark.parametrize("seed", SEEDS)
def test_codecs_change_a_sound_a_little_and_move_it_the_same_way_in_all_channels(kind, seed):
    audio = sounds(seed)
    coded = kept(kind, np.stack([audio[0], 0.3 * audio[0]]), seed)
    lags = []
    for channel in coded:
        cross = np.fft.irfft(np.fft.rfft(channel, 2 * COUNT) * np.fft.rfft(audio[0], 2 * COUNT).conj())
        lags.append(int(cross.argmax()))
    assert lags[0] == lags[1]
    assert abs((lags[0] + COUNT) % (2 * COUNT) - COUNT) < 40
    whole = np.roll(coded[0], -lags[0])[200:-200]
    assert 0.8 < np.corrcoef(whole, audio[0, 200:-200])[0, 1] < 0.99999
    assert np.std(coded[1]) == pytest.approx(0.3 * np.std(coded[0]), rel=0.1)


def delay_at(heard, audio, first, length):
    """Samples by which a part is early, to a fraction: the slope of its phase."""
    window = np.hanning(length)
    part, there = (np.fft.rfft(each[first : first + length] * window) for each in (heard, audio))
    frequency = 2 * np.pi * np.arange(len(part)) / length
    used = slice(length // 64, length // 8)
    turn = np.angle(part * there.conj())[used]
    weight = np.abs(there[used]) ** 2
    return (weight * turn) @ frequency[used] / (weight @ frequency[used] ** 2)


def test_clocks_are_off_and_wander_no_more_than_told():
    seconds, off, drift = COUNT / RATE, [], []
    for seed in range(12):
        audio = sounds(seed)
        for channel, heard in zip(audio, kept("jitter", audio, seed), strict=True):
            starts = np.linspace(500, COUNT - 2548, 7).astype(int)
            delays = np.array([delay_at(heard, channel, first, 2048) for first in starts])
            slope, _ = np.polyfit(starts + 1024, delays, 1)
            off.append(np.mean(delays) / RATE)
            drift.append(slope * 1e6)
    assert np.abs(off).max() < JITTER_S / 2 * 1.1
    assert np.ptp(off) > JITTER_S / 2
    assert np.abs(drift).max() < DRIFT_PPM * 1.3
    assert np.ptp(drift) > DRIFT_PPM
    assert seconds == 1


def test_each_channel_is_clipped_at_a_rail_of_its_own():
    for seed in SEEDS:
        audio = sounds(seed)
        cut = kept("clipped", audio, seed)
        rails = np.abs(cut).max(axis=1) / np.abs(audio).max(axis=1)
        inside = np.abs(audio) < np.abs(cut).max(axis=1, keepdims=True)
        assert ((rails >= CLIPPED_AT[0] - 1e-6) & (rails <= CLIPPED_AT[1] + 1e-6)).all()
        assert rails[0] != rails[1]
        assert np.array_equal(cut[inside], audio[inside])


def test_eight_bits_are_256_levels_or_fewer():
    for seed in SEEDS:
        audio = sounds(seed)
        rough = kept("8-bit", audio, seed)
        for channel, before in zip(rough, audio, strict=True):
            levels = np.unique(channel)
            steps = np.diff(levels)
            assert LEVELS / 4 - 1 <= np.round(np.abs(levels).max() / steps.min()) <= LEVELS
            assert np.abs(channel - before).max() <= 0.51 * steps.min()


def test_recorders_have_names():
    assert tuple(RECORDERS) == ("agc", "mp3", "opus", "jitter", "clipped", "8-bit")
    assert recorders.coloured not in RECORDERS.values()
