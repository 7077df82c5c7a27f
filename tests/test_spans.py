"""Windows of a recording: cases solved by hand."""

import numpy as np
import pytest

from soundfix.errors import SceneError
from soundfix.spans import in_samples, spans

RATE = 16_000.0


def of(total, window, hop, *, rate=10.0):
    """Lengths and starts in samples of a tenth of a second."""
    return list(spans(total, rate, window_s=window / rate, hop_s=hop / rate))


@pytest.mark.parametrize(
    ("total", "window", "hop", "found"),
    [
        (20, 5, 5, [(0, 5), (5, 10), (10, 15), (15, 20)]),
        (12, 5, 5, [(0, 5), (5, 10)]),  # 2 of 5 are left: less than half
        (13, 5, 5, [(0, 5), (5, 10), (10, 13)]),
        (10, 4, 4, [(0, 4), (4, 8), (8, 10)]),  # exactly half
        (10, 4, 2, [(0, 4), (2, 6), (4, 8), (6, 10)]),
        (9, 4, 2, [(0, 4), (2, 6), (4, 8)]),  # what an earlier window has heard is not left
        (11, 4, 6, [(0, 4), (6, 10)]),
        (14, 4, 6, [(0, 4), (6, 10), (12, 14)]),  # skipped sound does not count
        (13, 4, 6, [(0, 4), (6, 10)]),
        (3, 5, 5, [(0, 3)]),
        (1, 5, 5, [(0, 1)]),
        (5, 5, 90, [(0, 5)]),
    ],
)
def test_what_fits_and_what_is_left(total, window, hop, found):
    assert of(total, window, hop) == found


def test_starts_do_not_drift_in_a_minute():
    """0.0333 s is 532.8 samples: rounded once, the last of a minute's windows would begin 22 ms late."""
    starts, stops = np.transpose(of(60 * 16_000, 0.1 * RATE, 0.0333 * RATE, rate=RATE))
    assert len(starts) == 1799
    assert starts[:3].tolist() == [0, 533, 1066]
    assert starts[-1] == round(1798 * 532.8)
    assert np.abs(starts - 532.8 * np.arange(1799)).max() <= 0.5
    assert set(stops - starts) == {1600}


@pytest.mark.parametrize("length_s", [0.0, -1.0, float("nan"), float("inf"), 0.09])
def test_less_than_a_sample_is_refused_by_name(length_s):
    for name, options in (("window_s", {"hop_s": 1.0}), ("hop_s", {"window_s": 1.0})):
        with pytest.raises(SceneError, match=rf"{name} is {length_s} s, wanted at least one sample \(0\.1 s\)"):
            list(spans(100, 10.0, **options, **{name: length_s}))


def test_lengths_are_rounded():
    assert (in_samples(0.1, 10.0, "x"), in_samples(0.26, 10.0, "x")) == (1, 3)
