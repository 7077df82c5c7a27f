"""Where a microphone of unknown position may stand, by one window: on a shell round the source. Nothing more is known.

The pair of this microphone and one that stands at r_j says  rho - |x - r_j|,  where rho is its distance from the source x.
Moved by what is known of the others, all its curves are one over rho:

    z(rho) = mean_j l_mj(rho - |x - r_j|)        in its own robust standard deviations

No layout is preferred: the microphone may stand anywhere in the room, or without one round the others. So

    p(rho) ~ A(rho) exp(SURENESS z(rho))         A: area of the sphere of radius rho round x, within the room

A source that is at one of several places x_k with probabilities P_k gives sum_k P_k p_k(rho); what is left to none of them
leaves the whole room, as does a curve without a peak, by its A(rho). An error e of x moves rho by mean_j u_j . e (u_j: unit
vectors from the r_j to x): p is blurred by that, for the covariance of the source, and by DELAY_SIGMA_M.

The place given is the one with the least expected distance from all places on the shell within the room (their geometric
median: Weiszfeld, 1937). It is no position: its own expected error, metres, stands beside it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix import physics, robust
from soundfix.estimate import Radii, Shell
from soundfix.localization.aligned import curves_of
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.scene import free_axes, is_within

SURENESS = 2.5  # set so that 90 % intervals hold 90 %: validation speakers, the twin, 0.128 s (EXPERIMENTS.md)
BLUR_REACH = 4.0  # standard deviations
DELAY_SIGMA_M = 0.01  # half a sample at 16 kHz
STEP_M, MOST_STEPS = 0.01, 50_000  # of rho; a large place gets wider steps
LEAST_ODDS = 0.01  # of a place of the source, to be looked at
BEYOND_THIN_M = 1.3  # a source of known height says nothing of microphones: as far as floor and ceiling usually are
TAILS = (0.05, 0.5, 0.95)
DIRECTIONS, AREAS, QUANTILES, ROOM_POINTS, ROUNDS = 256, 120, 12, 8, 20


class _Candidate(NamedTuple):
    """A place of the source, its probability, and the density of rho if it is there (adding up to 1)."""

    place_m: Float[np.ndarray, "3"]
    odds: float
    density: Float[np.ndarray, "radius"]


def shell(
    m: int,
    positions: Float[np.ndarray, "mic 3"],
    consensus: Consensus,
    covariance_m2: Float[np.ndarray, "3 3"],
    box: Float[np.ndarray, "2 3"],
) -> Shell | None:
    """Of microphone m, given the covariance of the source; None where it has no pair with any that was kept."""
    evidence, known = _curves_of(m, positions, consensus)
    if not len(known):
        return None
    box, centre_m = _roomy(box), consensus.modes[0].position
    radii_m = _radii(centre_m, box)
    candidates = list(_candidates(consensus, evidence, known, radii_m, box))
    if not candidates:
        return None
    nowhere, before = max(0.0, 1 - sum(each.odds for each in candidates)), _share(areas(centre_m, radii_m, box))
    density = sum(each.odds * each.density for each in candidates) + nowhere * before
    error_m = _error_m(centre_m, known, covariance_m2)
    blurred = _blurred(density, error_m / radii_m[1])
    points, weights = _places(candidates, nowhere, radii_m, box)
    place_m = geometric_median(points, weights)
    low_m, radius_m, high_m = quantiles(radii_m, blurred, np.array(TAILS)).tolist()
    return Shell(
        centre_m=centre_m,
        radius_m=radius_m,
        sigma_m=radius_deviation(radii_m, blurred),
        radius90_m=(low_m, high_m),
        place_m=place_m,
        expected_error_m=float(weights @ physics.distances(place_m, points)),
        radii=Radii(radii_m=radii_m, heard=_share(blurred), before=before, error_m=error_m),
    )


def curve(
    evidence: Evidence, known: Float[np.ndarray, "pair 3"], place_m: Float[np.ndarray, "3"],
    radii_m: Float[np.ndarray, "radius"],
) -> Float[np.ndarray, "radius"]:  # fmt: skip
    """z(rho) of a source at this place; 0 beyond what the curves reach. known: the other microphone of every pair."""
    lags_m = radii_m[:, None] - physics.distances(place_m, known)
    z = evidence.at(lags_m).mean(axis=1)
    is_reached = (np.abs(lags_m) <= evidence.reach_m).all(axis=1)
    if not is_reached.any():
        return np.zeros_like(radii_m)
    heard = z[is_reached]
    return np.where(is_reached, (z - np.median(heard)) / robust.deviation(heard), 0.0)


def areas(
    place_m: Float[np.ndarray, "3"], radii_m: Float[np.ndarray, "radius"], box: Float[np.ndarray, "2 3"]
) -> Float[np.ndarray, "radius"]:
    """A(rho) up to a constant: the share of a sphere's directions that end within the box, times rho²."""
    some_m = np.linspace(0, radii_m[-1], AREAS)
    ends = place_m + some_m[:, None, None] * sphere_directions()
    return np.interp(radii_m, some_m, is_within(ends, box).mean(axis=1) * some_m**2)


def sphere_directions() -> Float[np.ndarray, "direction 3"]:
    """Unit vectors spread evenly over the sphere (Fibonacci's lattice)."""
    k = np.arange(DIRECTIONS) + 0.5
    up, turn = 1 - 2 * k / DIRECTIONS, np.pi * (1 + 5**0.5) * k
    across = np.sqrt(1 - up**2)
    return np.stack([across * np.cos(turn), across * np.sin(turn), up], axis=1)


def quantiles(
    radii_m: Float[np.ndarray, "radius"], density: Float[np.ndarray, "radius"], shares: Float[np.ndarray, "share"]
) -> Float[np.ndarray, "share"]:
    """The radii below which these shares of the density are."""
    return radii_m[np.searchsorted(np.cumsum(density) / density.sum(), shares).clip(max=len(radii_m) - 1)]


def geometric_median(
    points: Float[np.ndarray, "point 3"], weights: Float[np.ndarray, "point"]
) -> Float[np.ndarray, "3"]:
    """The place with the least weighted mean distance to the points; weights add up to 1."""
    place_m = weights @ points
    for _ in range(ROUNDS):
        pull = weights / np.maximum(physics.distances(place_m, points), 1e-6)
        place_m = pull @ points / pull.sum()
    return place_m


def _curves_of(
    m: int, positions: Float[np.ndarray, "mic 3"], consensus: Consensus
) -> tuple[Evidence, Float[np.ndarray, "pair 3"]]:
    """The curves of m with those kept, as if m came first in every pair, and where the others stand."""
    evidence = consensus.evidence
    values, others = curves_of(m, evidence.values, evidence.pairs, consensus.is_kept)
    return replace(evidence, pairs=np.stack([np.full_like(others, m), others], axis=1), values=values), positions[
        others
    ]


def _candidates(
    consensus: Consensus, evidence: Evidence, known: np.ndarray, radii_m: np.ndarray, box: np.ndarray
) -> Iterator[_Candidate]:
    """The places that are likely enough; without probabilities the first one is sure."""
    for k, mode in enumerate(consensus.modes):
        odds = float(k == 0) if mode.probability is None else mode.probability
        area = areas(mode.position, radii_m, box)
        if odds < LEAST_ODDS or not area.any():
            continue
        z = np.where(area > 0, curve(evidence, known, mode.position, radii_m), -np.inf)
        yield _Candidate(mode.position, odds, _share(area * np.exp(SURENESS * (z - z.max()))))


def _places(
    candidates: list[_Candidate], nowhere: float, radii_m: np.ndarray, box: np.ndarray
) -> tuple[Float[np.ndarray, "point 3"], Float[np.ndarray, "point"]]:
    """Places all over the shells within the room, and over the room; their weights add up to 1."""
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    found, odds = [_grid(box)], [nowhere]
    for each in candidates:
        for radius_m in quantiles(radii_m, each.density, shares):
            ends = each.place_m + radius_m * sphere_directions()
            found.append(ends[is_within(ends, box)])
            odds.append(each.odds / QUANTILES)
    weights = np.concatenate(
        [np.full(len(some), share / max(len(some), 1)) for some, share in zip(found, odds, strict=True)]
    )
    return np.concatenate(found), _share(weights)


def _grid(box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "point 3"]:
    """Places spread evenly over the box."""
    shares = (np.indices((ROOM_POINTS,) * 3).reshape(3, -1).T + 0.5) / ROOM_POINTS
    return box[0] + shares * (box[1] - box[0])


def _radii(centre_m: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "radius"]:
    """From 0 to the furthest corner of the box."""
    furthest_m = float(np.linalg.norm(np.abs(box - centre_m).max(axis=0)))
    return np.linspace(0, furthest_m, min(MOST_STEPS, int(furthest_m / STEP_M) + 2))


def _error_m(centre_m: np.ndarray, known: np.ndarray, covariance_m2: np.ndarray) -> float:
    unit = physics.directions(centre_m, known).mean(axis=0)
    return float(np.sqrt(DELAY_SIGMA_M**2 + unit @ covariance_m2 @ unit))


def radius_deviation(radii_m: np.ndarray, density: np.ndarray) -> float:
    """Standard deviation of the radius."""
    share = _share(density)
    return float(np.sqrt(share @ np.square(radii_m - share @ radii_m)))


def _roomy(box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "2 3"]:
    """The box; where it is thin, because the source's coordinate is known, wider."""
    beyond = ~free_axes(box) * BEYOND_THIN_M
    return np.stack([box[0] - beyond, box[1] + beyond])


def _share(values: np.ndarray) -> np.ndarray:
    return values / values.sum()


def _blurred(density: Float[np.ndarray, "radius"], sigma: float) -> Float[np.ndarray, "radius"]:
    """By a Gaussian of this standard deviation, in steps; nothing is beyond the ends."""
    reach = int(BLUR_REACH * sigma + 0.5)
    kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / max(sigma, 1e-12)))
    return np.convolve(np.pad(density, reach), kernel / kernel.sum(), mode="valid")
