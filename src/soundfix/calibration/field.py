"""Recorders in the field: what a few loud sounds tell of their clocks, and that they tell little of where they stand.

A handful of sounds (event_arrivals.py) and a list of positions good to a metre or so (clock_fit.py) tell clocks to a
millisecond or a few. They do not tell positions to better than the list does. So the list keeps its positions; a clock is
named where it is clearly off, and where its being off explains what is heard clearly better than its standing elsewhere, or
than nothing being wrong. What cannot be told is said to be unsure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool

from soundfix.calibration.bundle import Arrivals
from soundfix.calibration.clock_fit import Clocks, Prior, fit_clocks, refit
from soundfix.calibration.doubts import USUAL_AIR_M_S, spots_of
from soundfix.calibration.findings import Calibration, FindingKind, MicrophoneFinding
from soundfix.calibration.list_units import METRES
from soundfix.localization.arrival_errors import USUAL_M, USUAL_SHARE
from soundfix.microphones import Microphones
from soundfix.physics import NOMINAL_SPEED_M_S
from soundfix.threads import one_thread

USUAL_CLOCK_S = 1e-3  # of recorders that are set by satellites, where the list says nothing
FREE_CLOCK_S, FREE_DRIFT_PPM, NO_DRIFT_PPM = 0.1, 20.0, 0.01  # standard errors of clocks that run freely, and of others
REFERENCE_M = 1e-3  # standard error of the clock that the others are told by
ALIKE = 3.0  # nats: what costs no more than that beyond the best may be true instead
CLEAR = 3.0  # standard errors
ON_TIME_S = 5e-3  # a clock that is surely not off by more is on time
FEWEST_SOUNDS = 2  # of a recorder, that tell anything of it
FEWEST_SPOTS, SPOT_SHARE = 3, 0.05  # places that are no nearer to each other than this share of the array's width
EXPLAINED, AGREES = 0.7, 6.0  # share of arrivals that are as the solution has them, within so many standard errors
DECLARED_FREEDOM = 6.0  # what is known of the size of errors of positions is worth so many coordinates
FAR_M = 50.0  # standard error of a position that may be anywhere
TAIL = 3.0  # degrees of freedom of Student's t for positions: few are off by ten standard errors
WORSE = 1.3  # times what was told: positions that bad are taken for clocks
FITS = 0.93  # share of arrivals, of those who stand where they are listed, that are as the solution has them


@dataclass(frozen=True, kw_only=True, eq=False)
class _Case:
    """What is to be told apart. size: of errors of positions, against what was told. reference: whose clock is the time,
    where all run freely."""

    arrivals: Arrivals
    microphones: Microphones
    speed_m_s: float
    prior: Prior
    best: Clocks
    size: float
    reference: int | None

    @property
    def explained(self) -> Bool[np.ndarray, "sound mic"]:
        """Which arrivals are as the solution has them."""
        near: np.ndarray = np.abs(self.best.residual_m) < AGREES * self.arrivals.sigma_m
        return near


def tell_clocks(
    arrivals: Arrivals, microphones: Microphones, speed_m_s: float, *, clocks: Literal["common", "free"], seed: int = 0
) -> Calibration:
    """Of recorders of known positions, clocks set alike or running freely; arrivals are path at this speed of sound."""
    with one_thread():
        case = _case(arrivals, microphones, speed_m_s, clocks, seed)
        found = tuple(_finding(m, case) for m in range(len(microphones)))
    doubts = tuple(_doubts(case, found))
    if doubts:
        found = tuple(replace(each, finding="unsure") if each.finding == "on time" else each for each in found)
    return Calibration(
        microphones=_corrected(case, found, is_doubtful=bool(doubts)),
        repairs=found,
        sources=case.best.sources,
        times_s=arrivals.times_s,
        speed_m_s=speed_m_s * (1 + case.best.faster),
        speed_sigma_m_s=speed_m_s * case.best.faster_sigma,
        is_relative=False,
        doubts=doubts,
        unit=METRES,
        has_free_clocks=case.reference is not None,
        reference=None if case.reference is None else microphones.names[case.reference],
        tells_clocks_only=True,
        stand_m=None,
        stand_for=None,
    )


def _case(arrivals: Arrivals, microphones: Microphones, speed_m_s: float, clocks: str, seed: int) -> _Case:
    """The best solution."""
    reference = int(_is_heard_of(arrivals).argmax()) if clocks == "free" else None
    prior = _prior(microphones, speed_m_s, reference)
    best = fit_clocks(arrivals, prior, np.random.default_rng(seed))
    return _Case(
        arrivals=arrivals, microphones=microphones, speed_m_s=speed_m_s, prior=prior, best=best,
        size=_size(prior, best), reference=reference,
    )  # fmt: skip


def _is_heard_of(arrivals: Arrivals) -> Bool[np.ndarray, "mic"]:
    """Recorders that hear enough sounds."""
    return np.asarray(np.isfinite(arrivals.path_m).sum(axis=0) >= min(FEWEST_SOUNDS, len(arrivals.path_m)))


def _prior(microphones: Microphones, speed_m_s: float, reference: int | None) -> Prior:
    """Positions and clocks as good as the list says, or as they usually are."""
    usual_m = USUAL_M + USUAL_SHARE * microphones.width_m
    told_s = np.where(microphones.clock_sigma_s > 0, microphones.clock_sigma_s, USUAL_CLOCK_S)
    offset_m, drift_ppm = speed_m_s * told_s, np.full_like(told_s, NO_DRIFT_PPM)
    if reference is not None:
        is_reference = np.arange(len(told_s)) == reference
        offset_m = np.where(is_reference, REFERENCE_M, speed_m_s * FREE_CLOCK_S)
        drift_ppm = np.where(is_reference, NO_DRIFT_PPM, FREE_DRIFT_PPM)
    return Prior(
        positions=microphones.positions,
        sigma_m=np.where(microphones.sigma_m > 0, microphones.sigma_m, usual_m),
        offset_m=offset_m,
        drift_m_s=1e-6 * drift_ppm * speed_m_s,
        is_sparse=np.full(len(told_s), reference is None),
    )


def _size(prior: Prior, best: Clocks) -> float:
    """Of errors of positions, against what was told: by how far they were moved, of as many coordinates as were heard of
    (MacKay, Bayesian interpolation, 1992, sec. 4)."""
    moved = np.square((best.positions - prior.positions) / prior.sigma_m[:, None]).sum()
    heard_of = (1 - np.square(best.position_sigma_m / prior.sigma_m[:, None])).clip(0).sum()
    return float(np.sqrt(max(1.0, (moved + DECLARED_FREEDOM) / (heard_of + DECLARED_FREEDOM))))


def _finding(m: int, case: _Case) -> MicrophoneFinding:
    best, microphones, heard_m = case.best, case.microphones, case.best.residual_m[:, m]
    elsewhere = _elsewhere(m, case)
    instead_m = [_clock_instead(m, case), elsewhere.offset_m if elsewhere.gain > -ALIKE else best.offset_m[m]]
    sigma_m = float(np.linalg.norm([case.size * best.offset_sigma_m[m], *(instead_m - best.offset_m[m])]))
    return MicrophoneFinding(
        name=microphones.names[m],
        finding=_kind(m, case, sigma_m, elsewhere),
        position_m=microphones.positions[m],
        covariance_m2=np.eye(3) * float(microphones.sigma_m[m]) ** 2,
        moved_m=elsewhere.moved_m,
        offset_s=float(microphones.offset_s[m] + best.offset_m[m] / case.speed_m_s),
        offset_sigma_s=sigma_m / case.speed_m_s,
        drift_ppm=float(microphones.drift_ppm[m]),
        drift_sigma_ppm=0.0,
        before_m=None,
        after_m=float(np.nanmedian(np.abs(heard_m))) if np.isfinite(heard_m).any() else None,
    )


def _kind(m: int, case: _Case, sigma_m: float, elsewhere: "_Elsewhere") -> FindingKind:
    """What is clear."""
    off_m, heard = abs(float(case.best.offset_m[m])), np.isfinite(case.arrivals.path_m[:, m])
    if not heard.any():
        return "unheard"
    if not _is_heard_of(case.arrivals)[m] or case.explained[:, m].sum() < EXPLAINED * heard.sum():
        return "elsewhere" if elsewhere.gain > ALIKE else "unsure"
    if elsewhere.gain > ALIKE:
        return "elsewhere"
    usual_m = 0.0 if case.reference is not None else float(case.prior.offset_m[m])
    if off_m > CLEAR * np.hypot(sigma_m, usual_m):
        return "late"
    return "on time" if off_m + 2 * sigma_m < ON_TIME_S * case.speed_m_s else "unsure"


def _clock_instead(m: int, case: _Case) -> float:
    """The offset (m) that fits about as well: of a clock on time as if it were late, and of a late one as if it were not."""
    best, width_m = case.best, float(case.prior.offset_m[m])
    off_m = float(best.offset_m[m])
    if not case.prior.is_sparse[m]:
        return off_m
    told_m = width_m if abs(off_m) > CLEAR * width_m else case.speed_m_s * FREE_CLOCK_S
    other = refit(case.arrivals, case.prior.with_clock(m, told_m), best)
    other_m = float(other.offset_m[m])
    cost = other.cost - _gaussian(other_m / told_m) + _cauchy(other_m / width_m)
    return other_m if cost < best.cost + ALIKE else off_m


class _Elsewhere(NamedTuple):
    """What is gained (nats) where a recorder stands elsewhere, how far (m), and what its clock is off then (m)."""

    gain: float
    moved_m: float
    offset_m: float


def _elsewhere(m: int, case: _Case) -> _Elsewhere:
    best, prior, told_m = case.best, case.prior, float(case.prior.offset_m[m])
    anywhere = prior.with_place(m, FAR_M)
    other = refit(case.arrivals, anywhere.with_clock(m, told_m), best, is_far=True)
    moved_m, was_m = (float(np.linalg.norm(each.positions[m] - prior.positions[m])) for each in (other, best))
    cost = other.cost - _gaussian(moved_m / FAR_M) + _student(moved_m / prior.sigma_m[m])
    here = best.cost - _gaussian(was_m / prior.sigma_m[m]) + _student(was_m / prior.sigma_m[m])
    return _Elsewhere(here - cost, moved_m, float(other.offset_m[m]))


def _gaussian(sigmas: float) -> float:
    return sigmas**2 / 2


def _cauchy(sigmas: float) -> float:
    return float(np.log1p(sigmas**2 / 2))


def _student(sigmas: float) -> float:
    """Of a place in three dimensions."""
    return float((TAIL + 3) / 2 * np.log1p(sigmas**2 / TAIL))


def _doubts(case: _Case, found: tuple[MicrophoneFinding, ...]) -> Iterator[str]:
    """Why none of this may be so, in words."""
    speed_m_s, is_here = case.speed_m_s * (1 + case.best.faster), [each.finding != "elsewhere" for each in found]
    heard = np.isfinite(case.arrivals.path_m)[:, is_here]
    low, high = (each / NOMINAL_SPEED_M_S for each in USUAL_AIR_M_S)
    if not low < 1 + case.best.faster < high:
        yield f"a speed of sound of {speed_m_s:.0f} m/s fits best, {case.speed_m_s:.0f} was told or is usual"
    if (share := case.explained[:, is_here].sum() / max(heard.sum(), 1)) < FITS:
        yield f"only {100 * share:.0f} % of what was heard fits clocks and positions as good as the list's"
    spots = spots_of(case.best.sources, SPOT_SHARE * case.microphones.width_m)
    if spots < FEWEST_SPOTS:
        yield f"sounds came from {spots} places only, wanted {FEWEST_SPOTS} or more: one error of each recorder fits as well"
    if case.size > WORSE:
        yield (
            f"positions are off by {case.size:.1f} times what they were taken to be, or more: how good is the list? Its "
            "column sigma_m says so"
        )
    off = sum(each.finding in ("late", "elsewhere") for each in found)
    on_time = sum(each.finding == "on time" for each in found)
    if case.reference is None and off >= max(on_time, 1):
        yield (
            f"{off} of {len(found)} recorders are off and {on_time} are on time: a minority cannot say what time it is. Do "
            "all clocks run freely (--free-clocks)?"
        )


def _corrected(case: _Case, found: tuple[MicrophoneFinding, ...], *, is_doubtful: bool) -> Microphones:
    """The list with the clocks that were told, and how good all of it is: what may be otherwise is as unsure as that.

    In doubt it keeps the clocks as they were listed.
    """
    is_late, is_elsewhere, is_sure = (
        np.array([each.finding in kinds for each in found])
        for kinds in (("late",), ("elsewhere",), ("late", "on time", "unheard"))
    )
    is_told, is_sure = (is_it & (not is_doubtful) for is_it in (is_late, is_sure))
    offset_s, sigma_s = (np.array([getattr(each, name) for each in found]) for name in ("offset_s", "offset_sigma_s"))
    microphones, moved_m = case.microphones, np.array([each.moved_m for each in found])
    listed_s = np.where(microphones.clock_sigma_s > 0, microphones.clock_sigma_s, USUAL_CLOCK_S)
    reach_s = np.hypot(offset_s - microphones.offset_s, sigma_s)
    return replace(
        microphones,
        positions=microphones.border_positions(),
        sigma_m=np.where(is_elsewhere, np.maximum(moved_m, case.prior.sigma_m), case.prior.sigma_m),
        offset_s=np.where(is_told, offset_s, microphones.offset_s),
        clock_sigma_s=np.where(is_told, sigma_s, np.where(is_sure, listed_s, np.maximum(listed_s, reach_s))),
    )
