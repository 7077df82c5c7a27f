"""Arrivals again, now that some of the layout is known: what the pairs' curves say where it expects something.

Without positions a moment's arrivals are those on which the most peaks agree (arrivals.py). With the positions and clocks of
microphones that are trusted, a moment's source is where their curves add up to the most, as in SRP-PHAT, and everybody's
arrival where its curves with the trusted ones do: near where it is expected, or anywhere, if it is not trusted itself.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix import physics, robust
from soundfix.calibration.bundle import Layout
from soundfix.calibration.initial_guess import sample_box
from soundfix.localization.aligned import curves_of, sum_about
from soundfix.localization.lookup import mean_nearest
from soundfix.signal.summit import summit

PLACES = 6000  # looked through, on curves widened to FIRST_REACH_M
KEPT_FIRST, KEPT, AROUND = 60, 40, 12  # the best of them; places round each that are tried
FIRST_REACH_M = 0.25
STEPS_M = ((0.25, 0.1), (0.1, 0.04), (0.04, 0.015), (0.015, 0.0))  # how far round, and to what the curves are widened
TALLEST, BEYOND = 15.0, 0.05  # deviations: what is taller is hardly more certain, but its top is one
NEAR_M = 0.12  # of where a trusted microphone expects the sound
LEAST_HEIGHT = 2.0  # deviations, on average over the partners, below which nothing was heard


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """values: of all pairs at all moments, half precision, 0 in the middle of the lags and about 0; 0 of who is unheard."""

    values: Float[np.ndarray, "moment pair lag"]
    pairs: Int[np.ndarray, "pair 2"]
    step_m: float

    def at(self, is_kept: Bool[np.ndarray, "moment"]) -> "Curves":
        return Curves(values=self.values[is_kept], pairs=self.pairs, step_m=self.step_m)


def reestimate(
    curves: Curves,
    layout: Layout,
    times_s: Float[np.ndarray, "moment"],
    trusted: Bool[np.ndarray, "mic"],
    box: Float[np.ndarray, "2 3"],
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "moment mic"], Float[np.ndarray, "moment 3"]]:
    """Arrivals (path by the nominal speed of sound, NaN where there is none) and sources. In the box."""
    first = sample_box(box, PLACES, rng)
    heard = []
    for moment, time_s in zip(curves.values, times_s, strict=True):
        ears = _MomentSearch(_in_deviations(moment), curves, layout, float(time_s), trusted)
        place = ears.best_place(first, rng)
        heard.append((ears.arrivals(place), place))
    paths, places = zip(*heard, strict=True)
    return np.array(paths), np.array(places)


def _in_deviations(values: Float[np.ndarray, "pair lag"]) -> Float[np.ndarray, "pair lag"]:
    whole = values.astype(np.float32)
    heard = whole[np.any(whole, axis=1)]
    height = (whole / float(robust.deviation(heard, about=0.0, dtype=np.float64))).clip(0.0)
    return np.minimum(height, TALLEST + BEYOND * (height - TALLEST))


def widened(values: Float[np.ndarray, "pair lag"], lags: int) -> Float[np.ndarray, "pair lag"]:
    """The largest value within so many lags to both sides: maxima of two neighbours, of two of these, ..."""
    wide, size, span = np.pad(values, ((0, 0), (lags, lags)), mode="edge"), 2 * lags + 1, 1
    while span < size:
        step = min(span, size - span)
        wide, span = np.maximum(wide[:, :-step], wide[:, step:]), span + step
    return wide


class _MomentSearch:
    """One moment's curves, and what the layout expects of them."""

    def __init__(
        self, values: np.ndarray, curves: Curves, layout: Layout, time_s: float, trusted: Bool[np.ndarray, "mic"]
    ) -> None:
        self.values, self.pairs, self.step_m, self.layout, self.trusted = (
            values,
            curves.pairs,
            curves.step_m,
            layout,
            trusted,
        )
        self.late_m = layout.late_m(np.array([time_s]))[0]
        self.known = np.flatnonzero(trusted[self.pairs].all(axis=1))

    def expected(self, places: Float[np.ndarray, "place 3"]) -> Float[np.ndarray, "place mic"]:
        """When each microphone hears a sound from there, as path by the nominal speed of sound."""
        return (physics.distances(places, self.layout.positions) + self.late_m) / self.layout.kappa

    def best_place(self, places: Float[np.ndarray, "place 3"], rng: np.random.Generator) -> Float[np.ndarray, "3"]:
        """Where the trusted microphones' curves add up to the most, coarse to fine."""
        places = places[np.argsort(-self._score(places, FIRST_REACH_M))[:KEPT_FIRST]]
        for round_m, reach_m in STEPS_M:
            near = places[:, None] + round_m * rng.standard_normal((len(places), AROUND, 3))
            places = np.concatenate([places, near.reshape(-1, 3)])
            places = places[np.argsort(-self._score(places, reach_m))[:KEPT]]
        best: np.ndarray = places[0]
        return best

    def _score(self, places: Float[np.ndarray, "place 3"], reach_m: float) -> Float[np.ndarray, "place"]:
        values = widened(self.values[self.known], int(reach_m / self.step_m))
        lags = np.ascontiguousarray((self.expected(places) / self.step_m).T, dtype=np.float32)
        return mean_nearest(values, self.pairs[self.known], lags)

    def arrivals(self, place: Float[np.ndarray, "3"]) -> Float[np.ndarray, "mic"]:
        """Each microphone's: where its curves with the trusted ones add up to the most."""
        expected = self.expected(place[None])[0]
        return np.array([self._arrival(m, expected) for m in range(len(expected))])

    def _arrival(self, m: int, expected: Float[np.ndarray, "mic"]) -> float:
        """NaN where nothing stands out."""
        curves, partners = curves_of(m, self.values, self.pairs, self.trusted)
        centre = expected[m] if self.trusted[m] else float(np.mean(expected[partners]))
        half = int(NEAR_M / self.step_m) if self.trusted[m] else self.values.shape[1] // 4
        lags = np.rint((centre - expected[partners]) / self.step_m).astype(int)
        profile, _ = sum_about(curves, lags, half)
        top = int(profile.argmax())
        if profile[top] < LEAST_HEIGHT * max(len(partners), 1):
            return np.nan
        exact = top + float(summit(profile[None], np.array([top]))[0])
        return float(centre + (exact - half) * self.step_m)
