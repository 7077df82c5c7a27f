"""Quantiles of what regions are made of, and lengths that transform quickly: all that locating needs of SciPy.

A runtime that is to be small does without its 140 MB. Exact to rounding; tests compare with SciPy.
"""

from functools import lru_cache
from math import exp, lgamma, log, log1p
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Num

STEPS = 200  # more than any of these series and searches takes
NEAR = 1e-16  # relative, of what is added up
FOUND = 1e-14  # relative, of what is sought


def chi_square(degrees: Num[np.ndarray, "*batch"], probability: float) -> Float[np.ndarray, "*batch"]:
    """Below which a chi-square variable of so many degrees (0.5 to 10) stays with this probability."""
    half = np.ravel(degrees).astype(float) / 2
    log_gamma = np.vectorize(lgamma, otypes=[float])(half)
    x = (
        half * (1 - 1 / (9 * half) + NormalDist().inv_cdf(probability) / (3 * np.sqrt(half))) ** 3
    )  # Wilson and Hilferty, 1931
    for _ in range(STEPS):
        density = np.exp((half - 1) * np.log(x) - x - log_gamma)
        step = (_below(half, x, log_gamma) - probability) / density
        x = np.maximum(x - step, x / 2)
        if np.all(np.abs(step) <= FOUND * x):
            break
    return (2 * x).reshape(degrees.shape)


def _below(
    half: Float[np.ndarray, "*batch"], x: Float[np.ndarray, "*batch"], log_gamma: Float[np.ndarray, "*batch"]
) -> Float[np.ndarray, "*batch"]:
    """The incomplete gamma function P(half, x), by its series."""
    term = 1 / half
    total, number = term.copy(), 0
    while number < STEPS and np.any(term > NEAR * total):
        number += 1
        term = term * x / (half + number)
        total = total + term
    return total * np.exp(half * np.log(x) - x - log_gamma)


@lru_cache(maxsize=256)
def fisher(above: int, below: float, probability: float) -> float:
    """Below which Fisher's F of so many degrees above and below the line stays with this probability."""
    low, high = -80.0, 80.0  # its logarithm
    for _ in range(STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _fisher_below(above, below, middle) < probability else (low, middle)
    return exp((low + high) / 2)


def _fisher_below(above: int, below: float, log_f: float) -> float:
    """Probability that F is below exp(log_f): the incomplete beta function of a f / (a f + b)."""
    a, b, odds = above / 2, below / 2, exp(log_f) * above / below
    share, rest = odds / (1 + odds), 1 / (1 + odds)
    scale = a * log(share) + b * (-log1p(odds)) + lgamma(a + b) - lgamma(a) - lgamma(b)
    if share < (a + 1) / (a + b + 2):
        return exp(scale) * _fraction(a, b, share) / a
    return 1 - exp(scale) * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _apart(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, STEPS):
        for top in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _apart(1 + top * d), _apart(1 + top / c)
            value *= d * c
        if abs(d * c - 1) <= NEAR:
            break
    return value


def _apart(value: float) -> float:
    """From 0, which would be divided by."""
    return value if abs(value) > 1e-300 else 1e-300


def normal(probabilities: Float[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch"]:
    """Below which a normal variable of deviation 1 stays with these probabilities."""
    return np.vectorize(NormalDist().inv_cdf, otypes=[float])(probabilities)


@lru_cache(maxsize=256)
def fast_length(samples: int) -> int:
    """The shortest length from here on that has no prime factor but 2, 3 and 5: its transform is quick."""
    best = 1 << max(0, samples - 1).bit_length()
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            length = threes << max(0, -(-samples // threes) - 1).bit_length()
            best = min(best, length) if length >= samples else best
            threes *= 3
        fives *= 5
    return best
