"""Is any of it so? What shows that a solution is wrong, though it is the best that was found.

Least squares always ends somewhere, and bends what is free until little misfit is left. Wrong ends show elsewhere: in air
that there is not, in a track that leaps to and fro or leaves the room, in moments and arrivals that no place explains, and
in a list of which nearly nothing is left. Of right solutions none of these is true (EXPERIMENTS.md has by how much).
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from soundfix.calibration.outcome import FEWEST_KNOWN, Outcome
from soundfix.physics import NOMINAL_SPEED_M_S, widest_m
from soundfix.scene import OUTDOORS_M, Room

USUAL_AIR_M_S = (331.0, 355.0)  # at 0 and 40 °C; as shares of what was told, of any other air, and of water
LEAST_PLACED = 0.5  # of the moments
LARGEST_MISFIT = 0.45  # cost of an arrival: of right solutions 0.1-0.3, of wrong ones 0.35-0.8
STRETCHED = 0.4  # reach of an array that was never crossed
LEAP_M, SOON_S, MOST_LEAPS = 1.0, 1.2, 0.03  # away and back within that time: nobody does; share of the moments
FEWEST_LEAPS = 3  # in a short recording one or two moments heard wrongly are that share
OUTSIDE_M, MOST_OUTSIDE = 0.3, 0.1  # beyond the walls; share of the moments
FEWEST_SPOTS, SPOT_SHARE = 6, 0.05  # places that are no nearer to each other than this share of the array's width


def reasons(outcome: Outcome, room: Room | None) -> tuple[str, ...]:
    """In words, one for each sign of a wrong solution."""
    return (*_air(outcome), *_fit(outcome), *_list(outcome), *_track(outcome, room), *_width(outcome))


def _air(outcome: Outcome) -> Iterator[str]:
    speed_m_s, kappa = outcome.speed_m_s * outcome.solution.layout.kappa, outcome.solution.layout.kappa
    low, high = (each / NOMINAL_SPEED_M_S for each in USUAL_AIR_M_S)
    if not low < kappa < high:
        yield (
            f"a speed of sound of {speed_m_s:.0f} m/s fits best, {outcome.speed_m_s:.0f} was told or is usual: something "
            "else is wrong"
        )


def _fit(outcome: Outcome) -> Iterator[str]:
    placed, moments = int(outcome.is_placed.sum()), len(outcome.is_placed)
    if placed < LEAST_PLACED * moments and outcome.is_heard.sum() > FEWEST_KNOWN:
        yield f"only {placed} of {moments} moments have a place on which enough microphones agree"
    if outcome.misfit > LARGEST_MISFIT:
        yield f"nothing fits all that was heard well: misfit {outcome.misfit:.2f}, wanted {LARGEST_MISFIT} or less"
    if outcome.is_shape and outcome.reach < STRETCHED:
        yield "the sound never crossed the array, as large as it came out"


def _list(outcome: Outcome) -> Iterator[str]:
    """Who is known by the others is known by FEWEST_KNOWN of them, or by nobody."""
    holds, known = int(outcome.holds.sum()), int(outcome.microphones.is_known.sum())
    if known >= FEWEST_KNOWN > holds and not outcome.has_free_clocks:
        yield f"only {holds} of {known} listed microphones are near where the list has them and on time"


def _track(outcome: Outcome, room: Room | None) -> Iterator[str]:
    places, positions = outcome.solution.layout.sources[outcome.is_placed], outcome.solution.layout.positions
    spots = spots_of(places, SPOT_SHARE * widest_m(positions))
    if spots < FEWEST_SPOTS:
        yield (
            f"the sound came from {spots} places only, wanted {FEWEST_SPOTS} or more all about the array: one more unknown "
            "of each microphone would fit as well"
        )
    leaps, soon = leaps_of(places, outcome.arrivals.times_s[outcome.is_placed])
    if leaps >= FEWEST_LEAPS and leaps > MOST_LEAPS * soon:
        yield f"the track leaps to and fro by metres, at {100 * leaps / soon:.0f} % of the moments"
    if room is not None and len(places):
        low, high = np.array(room)
        outside = float(((places < low - OUTSIDE_M) | (places > high + OUTSIDE_M)).any(axis=1).mean())
        if outside > MOST_OUTSIDE:
            yield f"the track leaves the room at {100 * outside:.0f} % of the moments"


def _width(outcome: Outcome) -> Iterator[str]:
    positions = outcome.solution.layout.positions
    if (width_m := widest_m(positions)) > OUTDOORS_M:
        yield (
            f"microphones are up to {width_m:.0f} m apart, and this was made for arrays of {OUTDOORS_M:.0f} m at most: of "
            "fewer moments, which are heard less well, it has called a wrong position good"
        )


def spots_of(places: Float[np.ndarray, "moment 3"], apart_m: float) -> int:
    """How many places there are of which none is nearer to another than this (m)."""
    left, spots = places, 0
    while len(left):
        left, spots = left[np.linalg.norm(left - left[0], axis=1) > apart_m], spots + 1
    return spots


def leaps_of(places: Float[np.ndarray, "moment 3"], times_s: Float[np.ndarray, "moment"]) -> tuple[int, int]:
    """How many moments are far from both their neighbours, which are near each other, of how many with neighbours soon."""
    between_m = np.linalg.norm(places[1:-1] - (places[2:] + places[:-2]) / 2, axis=1)
    is_soon = times_s[2:] - times_s[:-2] < SOON_S
    is_back = is_soon & (np.linalg.norm(places[2:] - places[:-2], axis=1) < LEAP_M)
    return int((is_back & (between_m > LEAP_M)).sum()), int(is_soon.sum())
