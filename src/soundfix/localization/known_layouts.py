"""A familiar array: who has no position stands where nobody else does, of an array that the network was trained with.

A network that was trained with few arrays remembers them (NetworkConfig.arrays, in the coordinates of their scenes). Where
all known microphones stand at places of one of these, the places that are left, s, are free for the others. What one window
says of microphone m's distance from the source x (range_shell.py) speaks for place s by

    B_ms = p(|s - x| heard) / p(|s - x| before)

and with no two microphones at one place, the probability of "m is at a(m), for all m" is

    P(a) ~ prod_m  (1 - NEW) B_ma(m) / free      or NEW, where a(m) is elsewhere, as if nothing were remembered

Of several arrays that fit each counts by the sum of its own ways. Where there are too many ways nothing is recognized.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Estimate, Finding, MicrophoneReport, Radii, Shell
from soundfix.localization.microphone_status import with_shell
from soundfix.localization.range_shell import TAILS, geometric_median, quantiles, radius_deviation
from soundfix.microphones import Microphones
from soundfix.physics import distances

NEW = 0.05  # that a microphone stands elsewhere
SAME_M = 0.1  # listed positions are off by centimetres
NEAR_M = 0.05  # of a radius
TINY = 1e-12
LIKELY = 0.5  # where more than half of the weight is at one point, it is the geometric median
FEWEST = 3  # known positions, to be sure of an array
MOST_ARRAYS, MOST_WAYS = 8, 200_000  # remembered; to distribute the microphones
Array = Float[np.ndarray, "_ 3"]


def distinct(arrays: Sequence[Array]) -> list[Array]:
    """The arrays that differ; none, where there are too many to be learned by heart."""
    found: list[Array] = []
    for array in arrays:
        if not any(
            array.shape == other.shape and np.linalg.norm(array - other, axis=1).max() < SAME_M for other in found
        ):
            found.append(array)
        if len(found) > MOST_ARRAYS:
            return []
    return found


def free_places(array: Array, microphones: Microphones) -> Array | None:
    """Of an array that all known positions belong to; None of any other."""
    known = microphones.positions[microphones.is_known]
    if len(known) < FEWEST:
        return None
    gaps = distances(known, array)
    nearest = gaps.argmin(axis=1)
    is_familiar = gaps.min(axis=1).max() < SAME_M and len(set(nearest.tolist())) == len(known)
    return np.delete(array, nearest, axis=0) if is_familiar else None


def assign_to_layout(estimate: Estimate, microphones: Microphones, arrays: Sequence[Array]) -> Estimate:
    """The estimate, with microphones of unknown position at the free places of a familiar array, as probable as they are."""
    left = [free for array in arrays if (free := free_places(array, microphones)) is not None and len(free)]
    sought = [m for m, report in enumerate(estimate.microphones) if report.shell or report.guess]
    if not left or not sought or max((len(free) + 1) ** len(sought) for free in left) > MOST_WAYS:
        return estimate
    shells = [_shell_of(estimate.microphones[m]) for m in sought]
    places, shares = _merged(
        left, [assignment_marginals(np.array([gains(shell, free) for shell in shells])) for free in left]
    )
    reports = list(estimate.microphones)
    for m, shell, share in zip(sought, shells, shares, strict=True):
        reports[m] = _replaced(reports[m], among(shell, places, share))
    return _told(replace(estimate, microphones=tuple(reports)))


def gains(shell: Shell, free: Array) -> Float[np.ndarray, "place"]:
    """B of every free place: how much likelier its radius is for what was heard."""
    radius_m = distances(shell.centre_m, free)
    is_near = np.abs(radius_m[:, None] - shell.radii.radii_m) < NEAR_M
    heard, before = is_near @ shell.radii.heard, is_near @ shell.radii.before
    return np.divide(heard, before, out=np.zeros_like(heard), where=before > 0)


def assignment_marginals(gains: Float[np.ndarray, "mic place"]) -> Float[np.ndarray, "mic choice"]:
    """The sum of P(a), up to a constant, over all a with this microphone at this place, or at none (the last)."""
    count, places = gains.shape
    each = np.column_stack([(1 - NEW) / places * gains, np.full(count, NEW)])
    every = np.array(list(product(range(places + 1), repeat=count)))
    is_at = every[:, :, None] == np.arange(places + 1)
    weights = np.take_along_axis(each, every.T, axis=1).prod(axis=0) * (is_at[:, :, :-1].sum(axis=1) <= 1).all(axis=1)
    return np.einsum("w,wmc->mc", weights, is_at)


def _merged(left: list[Array], sums: list[Float[np.ndarray, "mic _"]]) -> tuple[Array, Float[np.ndarray, "mic choice"]]:
    """The free places of all arrays, each once, and the probabilities of every microphone at them, and elsewhere."""
    places = np.vstack(left)
    first = (distances(places, places) < SAME_M).argmax(axis=1)  # the first that is the same
    at = np.hstack([each[:, :-1] for each in sums]) @ (first[:, None] == np.arange(len(places)))
    elsewhere = sum(each[:, -1:] for each in sums)
    is_first = first == np.arange(len(places))
    shares = np.hstack([at[:, is_first], elsewhere])
    return places[is_first], shares / shares.sum(axis=1, keepdims=True)


def among(shell: Shell, free: Array, share: Float[np.ndarray, "choice"]) -> Shell:
    """The shell, where the microphone is at these free places with these probabilities, or anywhere on it with the last."""
    radii, elsewhere = shell.radii, share[-1]
    heard = elsewhere * radii.heard + share[:-1] @ _about(distances(shell.centre_m, free), radii)
    points, weights = np.vstack([free, shell.place_m]), np.append(share[:-1], elsewhere)
    best, is_likely = int(share[:-1].argmax()), bool(share[:-1].max() > LIKELY)
    place_m = free[best] if is_likely else geometric_median(points, weights)
    low_m, middle_m, high_m = quantiles(radii.radii_m, heard, np.array(TAILS)).tolist()
    return replace(
        shell,
        radius_m=middle_m,
        sigma_m=radius_deviation(radii.radii_m, heard),
        radius90_m=(low_m, high_m),
        place_m=place_m,
        expected_error_m=float(weights @ distances(place_m, points) + elsewhere * shell.expected_error_m),
        radii=radii._replace(heard=heard),
        knows="radius and array",
        probability=float(share[best]) if is_likely else None,
    )


def _about(radius_m: Float[np.ndarray, "place"], radii: Radii) -> Float[np.ndarray, "place radius"]:
    """Probabilities of the distance from the source, of a microphone at a place so far from where the source seems to be."""
    density = np.exp(-0.5 * np.square((radii.radii_m - radius_m[:, None]) / radii.error_m)) + TINY
    return density / density.sum(axis=1, keepdims=True)


def _shell_of(report: MicrophoneReport) -> Shell:
    shell = report.shell or report.guess
    assert shell is not None
    return shell


def _replaced(report: MicrophoneReport, shell: Shell) -> MicrophoneReport:
    return with_shell(report, shell) if report.shell else replace(report, guess=shell)


def _told(estimate: Estimate) -> Estimate:
    """In the place of "radius only", what is known now."""
    known = {
        f"radius_only:{report.name}": Finding(
            f"familiar_array:{report.name}", f"{report.name}: position unknown; {remembered(report.shell)}", False
        )
        for report in estimate.microphones
        if report.shell
    }
    return replace(estimate, findings=tuple(known.get(finding.code, finding) for finding in estimate.findings))


def remembered(shell: Shell) -> str:
    """Where a microphone of a familiar array stands."""
    if shell.probability is None:
        return "at a free place of the array that the network knows, or elsewhere: one window does not tell which"
    x, y, z = shell.place_m
    return f"at ({x:.2f}, {y:.2f}, {z:.2f}) m with {shell.probability:.0%}, a free place of the array that the network knows"
