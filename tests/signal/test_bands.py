"""Which band microphones share, and that band alone."""

from itertools import pairwise

import numpy as np
import pytest

from helpers.bands import HIGH_HZ, RATE, shared_sound
from soundfix.signal.bands import bands_above, coherent_band, shared_height, within_band

REACH_S = 0.05


def test_the_band_that_all_share_is_found(rng):
    """To half an octave."""
    low, high = coherent_band([shared_sound(rng, HIGH_HZ)], RATE, reach_s=REACH_S)
    assert HIGH_HZ[0] / 1.42 < low <= HIGH_HZ[0]
    assert HIGH_HZ[1] <= high < HIGH_HZ[1] * 1.42


def test_one_stretch_of_many_is_enough(rng):
    noise = 0.1 * rng.standard_normal((6, 24_000))
    assert coherent_band([noise], RATE, reach_s=REACH_S) is None
    assert coherent_band([noise, shared_sound(rng, HIGH_HZ), noise], RATE, reach_s=REACH_S) is not None


def test_sound_in_the_usual_band_is_listened_to_as_ever(rng):
    both = shared_sound(rng, HIGH_HZ) + shared_sound(rng, (300.0, 6000.0))
    assert coherent_band([both], RATE, reach_s=REACH_S) is None
    assert (
        coherent_band([shared_sound(rng, HIGH_HZ), shared_sound(rng, (300.0, 6000.0))], RATE, reach_s=REACH_S) is None
    )


def test_rumble_that_all_share_does_not_hide_it(rng):
    both = shared_sound(rng, HIGH_HZ) + 10 * shared_sound(rng, (20.0, 60.0), noise=0.0)
    assert coherent_band([both], RATE, reach_s=REACH_S) is not None


def test_what_comes_by_wire_is_no_sound(rng):
    alike = shared_sound(rng, HIGH_HZ, noise=0.0)
    own = 0.01 * rng.standard_normal(alike.shape)
    assert coherent_band([np.repeat(alike[:1], len(alike), axis=0) + own], RATE, reach_s=REACH_S) is None


def test_what_is_no_sound_is_left_out(rng):
    broken = shared_sound(rng, HIGH_HZ)
    broken[1], broken[2, 100:200], broken[3] = 0.0, np.nan, broken[3] + 0.9
    assert coherent_band([broken], RATE, reach_s=REACH_S) == coherent_band(
        [shared_sound(rng, HIGH_HZ)], RATE, reach_s=REACH_S
    )
    assert coherent_band([np.zeros((6, 24_000))], RATE, reach_s=REACH_S) is None
    assert coherent_band([broken[:1]], RATE, reach_s=REACH_S) is None
    assert coherent_band([], RATE, reach_s=REACH_S) is None


@pytest.mark.parametrize(("rate", "count"), [(16_000.0, 0), (32_000.0, 2), (48_000.0, 3), (384_000.0, 9)])
def test_half_octaves_fill_what_is_above_the_usual_band(rate, count):
    bands = bands_above(rate)
    assert len(bands) == count
    edges = [low for low, _ in bands] + [high for _, high in bands[-1:]]
    assert edges == sorted(edges)
    assert not bands or (edges[0], edges[-1]) == (7500.0, pytest.approx(7500 * rate / 16_000))
    assert all(low_high[1] == after[0] for low_high, after in pairwise(bands))


def test_height_is_that_of_the_sound_in_the_band_alone(rng):
    sound = shared_sound(rng, HIGH_HZ)
    assert shared_height(sound, RATE, (22_000.0, 38_000.0), reach_s=REACH_S) > 5
    assert shared_height(sound, RATE, (100.0, 7900.0), reach_s=REACH_S) < 1.2


def test_what_is_outside_the_band_is_cut():
    time_s = np.arange(9600) / RATE
    tones = {f: np.sin(2 * np.pi * f * time_s) for f in (1000, 20_000, 30_000, 39_000, 42_000)}
    cut = within_band(np.stack([tones[30_000] + tones[1000] + tones[42_000], tones[20_000]]), RATE, HIGH_HZ)
    assert cut.dtype == np.float32
    assert np.allclose(cut[0], tones[30_000], atol=1e-3)
    assert np.allclose(cut[1], tones[20_000], atol=1e-3)
    assert np.allclose(within_band(tones[39_000][None], RATE, HIGH_HZ)[0], tones[39_000], atol=1e-3)
    assert np.allclose(within_band(tones[1000][None], RATE, (0.0, 40_000.0))[0], tones[1000], atol=1e-3)


@pytest.mark.parametrize("reach_s", [0.01, 0.05, 1.0])
def test_chance_is_one_whatever_band_and_reach(rng, reach_s):
    noise = rng.standard_normal((6, 24_000))
    heights = [shared_height(noise, RATE, band, reach_s=reach_s) for band in [(100.0, 7900.0), *bands_above(RATE)]]
    assert all(0.85 < height < 1.3 for height in heights)


def test_a_delay_beyond_reach_is_not_seen(rng):
    late = shared_sound(rng, HIGH_HZ, seconds=0.5)
    late = np.stack([np.roll(channel, 2000 * m) for m, channel in enumerate(late)])
    assert shared_height(late, RATE, HIGH_HZ, reach_s=0.015) < 1.2
    assert shared_height(late, RATE, HIGH_HZ, reach_s=0.12) > 2.4


def test_faint_sound_in_the_usual_band_is_enough(rng):
    """10 dB below the noise."""
    faint = shared_sound(rng, (300.0, 6000.0), noise=3.0)
    assert 1.3 < shared_height(faint, RATE, (100.0, 7900.0), reach_s=REACH_S) < 9
    assert coherent_band([shared_sound(rng, HIGH_HZ, noise=0.0) + 0.1 * faint], RATE, reach_s=REACH_S) is None
