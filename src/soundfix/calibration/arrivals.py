"""When each microphone heard a moment's sound: one arrival each, on which the curves of the most pairs agree.

No position is needed. A pair's curve has several peaks, of which the direct sound's is one; the delays of all pairs are
differences of as many arrivals as there are microphones, a_i - a_j, and chance peaks are not. From the peaks with one
microphone a first guess; then every microphone in turn hears where most of its peaks with the others would have it. The
microphone to start from is the one whose guess the most peaks support.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from soundfix import robust
from soundfix.signal.summit import summit

PEAKS = 3  # of a curve
APART_M = 0.08  # between two peaks of a curve
NEAR_M = 0.06  # delays this near to each other are the same
TALLEST = 20.0  # deviations: what is taller is not more certain
ROUNDS = 4
STARTS = 5  # microphones to start from: those with the tallest peaks


class MomentArrivals(NamedTuple):
    """path_m: arrivals times the speed of sound, 0 on average; partners: with how many others' curves each agrees."""

    path_m: Float[np.ndarray, "mic"]
    partners: Int[np.ndarray, "mic"]


class Peaks(NamedTuple):
    """Of pairs as a matrix: [i, j, k] is a_i - a_j (m) by the k-th peak, and its height in deviations, 0 where none is."""

    path_m: Float[np.ndarray, "mic mic peak"]
    height: Float[np.ndarray, "mic mic peak"]


def arrivals(
    curves: Float[np.ndarray, "pair lag"], pairs: Int[np.ndarray, "pair 2"], step_m: float, *, microphones: int
) -> MomentArrivals:
    """From the pairs' curves over path differences spaced by step_m, 0 in the middle."""
    peaks = highest_peaks(curves, pairs, step_m, microphones=microphones)
    firsts = np.argsort(-peaks.height[..., 0].sum(axis=1))[:STARTS]
    guesses = [_settled(peaks, int(first)) for first in firsts]
    path_m = max(guesses, key=lambda path_m: _support(peaks, path_m).sum())
    return MomentArrivals(path_m, (_support(peaks, path_m) > 0).sum(axis=1))


def highest_peaks(
    curves: Float[np.ndarray, "pair lag"], pairs: Int[np.ndarray, "pair 2"], step_m: float, *, microphones: int
) -> Peaks:
    """The PEAKS highest of each curve, between lags by a parabola."""
    rows, middle, beside = np.arange(len(curves)), curves.shape[1] // 2, int(APART_M / step_m)
    left = curves / robust.deviation(curves)
    path_m, height = np.zeros((2, microphones, microphones, PEAKS))
    for k in range(PEAKS):
        top = left[:, 1:-1].argmax(axis=1) + 1
        path_m[pairs[:, 0], pairs[:, 1], k] = (top + summit(curves, top) - middle) * step_m
        height[pairs[:, 0], pairs[:, 1], k] = np.clip(left[rows, top], 0, TALLEST)
        near = np.abs(np.arange(curves.shape[1]) - top[:, None]) <= beside
        left = np.where(near, -np.inf, left)
    return Peaks(path_m - path_m.transpose(1, 0, 2), height + height.transpose(1, 0, 2))


def _settled(peaks: Peaks, first: int) -> Float[np.ndarray, "mic"]:
    """Arrivals as the peaks with `first` have them, then each where most of its peaks with the others would have it."""
    path_m = peaks.path_m[:, first, 0].copy()
    for _ in range(ROUNDS):
        before = path_m.copy()
        for m in range(len(path_m)):
            path_m[m] = _most_voted((path_m[:, None] + peaks.path_m[m]).ravel(), peaks.height[m].ravel())
        path_m -= path_m.mean()
        if np.abs(path_m - before + before.mean()).max() < NEAR_M / 50:
            break
    return path_m


def _most_voted(places_m: Float[np.ndarray, "vote"], weight: Float[np.ndarray, "vote"]) -> float:
    """The mean of the votes round the place with the most of them."""
    votes = np.exp(-2 * np.square((places_m[:, None] - places_m) / NEAR_M)) @ weight
    near = weight * (np.abs(places_m - places_m[votes.argmax()]) < NEAR_M)
    return float(near @ places_m / max(near.sum(), 1e-9))


def _support(peaks: Peaks, path_m: Float[np.ndarray, "mic"]) -> Float[np.ndarray, "mic mic"]:
    """How tall a peak the curve of each pair has where these arrivals want one."""
    off_m = path_m[:, None, None] - path_m[None, :, None] - peaks.path_m
    return np.where(np.abs(off_m) < NEAR_M, peaks.height, 0.0).max(axis=2)
