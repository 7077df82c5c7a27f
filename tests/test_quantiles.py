"""Quantiles and quick lengths, as SciPy has them."""

import numpy as np
import pytest
from scipy import special
from scipy.fft import next_fast_len

from soundfix import quantiles


@pytest.mark.parametrize("probability", [0.5, 0.9, 0.99])
def test_chi_square_is_scipys(probability):
    degrees = np.linspace(0.5, 10, 77).reshape(7, 11)
    wanted = 2 * special.gammaincinv(degrees / 2, probability)
    assert np.allclose(quantiles.chi_square(degrees, probability), wanted, rtol=1e-12)


@pytest.mark.parametrize("above", [1, 2, 3, 6])
@pytest.mark.parametrize("below", [0.5, 1.0, 2.5, 7.3, 40.0, 1000.0])
def test_fisher_is_scipys(above, below):
    for probability in (0.1, 0.5, 0.9):
        wanted = special.fdtri(above, below, probability)
        assert quantiles.fisher(above, below, probability) == pytest.approx(wanted, rel=1e-9)


def test_normal_is_scipys():
    probabilities = np.linspace(0.001, 0.999, 60).reshape(3, 20)
    assert np.allclose(quantiles.normal(probabilities), special.ndtri(probabilities), atol=1e-14)


def test_quick_lengths_are_scipys():
    lengths = [*range(1, 3000), 8191, 16_001, 65_537, 999_983]
    assert [quantiles.fast_length(n) for n in lengths] == [next_fast_len(n, real=True) for n in lengths]
