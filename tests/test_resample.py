"""From one rate to another: sound keeps its pitch and place, and what is wild stays where it was."""

import numpy as np
import pytest
import soxr

from soundfix.resample import listening_rate, resampled, working_rate


def tone(rate, seconds=0.5):
    return np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize(("rate", "wanted"), [(48_000, 16_000), (44_100, 16_000), (8000, 16_000.0), (16_000, 11_025)])
def test_a_tone_is_the_same_tone(rate, wanted):
    heard = resampled(np.stack([tone(rate), 2 * tone(rate)]), rate, wanted)
    assert (heard.dtype, heard.flags.c_contiguous) == (np.float32, True)
    assert heard.shape[1] == pytest.approx(wanted / 2, abs=0.5)
    middle = slice(500, 5000)
    assert np.abs(heard[0, middle] - tone(wanted)[middle]).max() < 1e-3
    np.testing.assert_array_equal(heard, soxr.resample(np.stack([tone(rate), 2 * tone(rate)]).T, rate, wanted).T)


def test_the_own_rate_changes_nothing():
    audio = np.array([[0.0, np.nan, np.inf, 1e38]])
    assert resampled(audio, 16_000.0, 16_000) is audio


@pytest.mark.parametrize(("rate", "wanted"), [(8000, 8000.0), (15_999.5, 15_999.5), (16_000, 16_000.0), (96e3, 16e3)])
def test_a_lower_rate_is_kept(rate, wanted):
    assert working_rate(rate) == wanted


@pytest.mark.parametrize(
    ("rate", "wanted", "bad", "put_back"),
    [
        (48_000, 16_000, [300], [100]),
        (48_000, 16_000, [301], [100]),  # 100.33
        (48_000, 16_000, [302], [101]),  # 100.67
        (32_000, 16_000, [301], [151]),  # halves go up
        (48_000, 16_000, [899], []),  # nearest to sample 300, which is past the end
        (8000, 16_000, [100], [199, 200]),  # 99.5 and 100: of those that follow, 101 is nearest
        (8000, 16_000, [899], [1797, 1798]),  # nearest to 1799 is sample 900, past the end
    ],
)
@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_wild_is_put_back_at_the_nearest(rng, rate, wanted, bad, put_back, wild):
    audio = rng.standard_normal((2, 900)).astype(np.float32)
    audio[0, bad] = 0.0
    clean = resampled(audio, rate, wanted)
    audio[0, bad] = wild
    heard = resampled(audio, rate, wanted)
    assert np.flatnonzero(np.isnan(heard[0])).tolist() == put_back
    np.testing.assert_array_equal(np.delete(heard[0], put_back), np.delete(clean[0], put_back))
    np.testing.assert_array_equal(heard[1], clean[1])


def test_a_band_ends_where_the_usual_one_does():
    assert listening_rate(None) == listening_rate((100.0, 7500.0)) == 16_000.0
    assert listening_rate((35e3, 75e3)) == 160_000.0
    assert listening_rate((20.0, 187.5)) == 400.0
    assert working_rate(384e3, (35e3, 75e3)) == 160_000.0
    assert working_rate(150e3, (35e3, 71e3)) == 150_000.0
    assert working_rate(16e3, (20.0, 187.5)) == 400.0


def test_a_rate_hardly_above_that_of_a_band_is_kept_and_without_a_band_the_usual_one_is_taken():
    assert working_rate(16e3, (1500.0, 7100.0)) == 16_000.0
    assert working_rate(17.6e3, (100.0, 7500.0)) == 17_600.0
    assert working_rate(17.7e3, (100.0, 7500.0)) == working_rate(17e3) == 16_000.0
