"""Why does a microphone hear what it hears? The simplest explanation that fits, when the sources are known.

At W moments sources at x_w sounded, and the microphone heard each from h_w metres away, its clock's lateness among them:

    h_w = |x_w - r| + o + q t_w        r: where it stands, o: its offset, q: its drift (metres of path, and per second)

As listed; a clock that is late, then one that drifts too; another place; both. A less simple one must explain more. A list
is measured by hand: up to NEAR of its standard errors off along each axis is as listed.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from soundfix.calibration.initial_guess import places_from

AGREES_M = 0.1  # a misfit this small is no fault
SCALE_M = AGREES_M / 3  # a misfit that counts half
GAIN_SHARE = 0.15  # of what was heard, that a less simple explanation must explain more
LEAST_FOR_LINE = 3
NEAR = 3.0  # standard errors of the list


@dataclass(frozen=True, kw_only=True, eq=False)
class PullHistory:
    """range_m: h, NaN where nothing was heard, of sources at places at times_s."""

    range_m: Float[np.ndarray, "moment"]
    places: Float[np.ndarray, "moment 3"]
    times_s: Float[np.ndarray, "moment"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FaultHypothesis:
    """Position, offset, drift; which of them are not as listed; the share of what was heard that they explain, and its cost.

    sigma_m: the standard error of a listed position along each axis.
    """

    position_m: Float[np.ndarray, "3"]
    sigma_m: float = 0.0
    offset_m: float = 0.0
    drift_m_s: float = 0.0
    is_elsewhere: bool = False
    is_late: bool = False
    drifts: bool = False
    share: float = 0.0
    cost: float = np.inf


def simplest_fit(
    heard: PullHistory, listed: FaultHypothesis, box: Float[np.ndarray, "2 3"], rng: np.random.Generator
) -> FaultHypothesis:
    """The simplest that fits; listed: what the list says, with a position of NaN where it says none. In the box."""
    best = _fitted(_candidates(listed)[0], heard, box, rng)
    for each in _candidates(listed)[1:]:
        if best.share >= 1 - GAIN_SHARE:
            break
        tried = _fitted(each, heard, box, rng)
        best = tried if tried.share > best.share + GAIN_SHARE else best
    return best


def _candidates(listed: FaultHypothesis) -> list[FaultHypothesis]:
    """Simplest first."""
    elsewhere = replace(listed, position_m=np.full(3, np.nan), is_elsewhere=True)
    others = [elsewhere, replace(elsewhere, is_late=True)]
    if np.isnan(listed.position_m).any():
        return others
    return [listed, replace(listed, is_late=True), replace(listed, is_late=True, drifts=True), *others]


def _fitted(
    each: FaultHypothesis, heard: PullHistory, box: Float[np.ndarray, "2 3"], rng: np.random.Generator
) -> FaultHypothesis:
    """With its own unknowns as they fit best, and the share that it then explains."""
    if each.is_elsewhere:
        guesses = places_from(heard.range_m - each.offset_m, heard.places, box, rng, is_late=each.is_late)
        tried = [replace(each, position_m=place, offset_m=each.offset_m + offset) for place, offset in guesses]
        return min((_polished(one, heard) for one in tried), key=lambda one: one.cost)
    off = heard.range_m - np.linalg.norm(heard.places - each.position_m, axis=1)
    if each.drifts:
        offset, drift = _line(heard.times_s, off)
        each = replace(each, offset_m=offset, drift_m_s=drift)
    elif each.is_late:
        each = replace(each, offset_m=_mode(off))
    return _polished(each, heard)


def _polished(each: FaultHypothesis, heard: PullHistory) -> FaultHypothesis:
    """Downhill from there; a listed position no further than the list may be off."""
    from scipy.optimize import least_squares

    is_heard = np.isfinite(heard.range_m)
    range_m, places, times_s = (values[is_heard] for values in (heard.range_m, heard.places, heard.times_s))
    mask = np.array([each.is_elsewhere or each.sigma_m > 0] * 3 + [each.is_late, each.drifts])
    x = np.array([*each.position_m, each.offset_m, each.drift_m_s])
    reach = np.array([np.inf if each.is_elsewhere else NEAR * each.sigma_m] * 3 + [np.inf] * 2)[mask]

    def off(free: Float[np.ndarray, "free"]) -> Float[np.ndarray, "heard"]:
        full = x.copy()
        full[mask] = free
        return range_m - np.linalg.norm(places - full[:3], axis=1) - full[3] - full[4] * times_s

    if mask.any():
        bounds = (x[mask] - reach, x[mask] + reach)
        x[mask] = least_squares(off, x[mask], loss="cauchy", f_scale=SCALE_M, x_scale="jac", bounds=bounds).x
    left = off(x[mask])
    share, cost = float(np.mean(np.abs(left) < AGREES_M)), float(np.mean(np.log1p(np.square(left / SCALE_M))))
    return replace(each, position_m=x[:3], offset_m=float(x[3]), drift_m_s=float(x[4]), share=share, cost=cost)


def _mode(values: Float[np.ndarray, "moment"]) -> float:
    """Where most of them are."""
    values = values[np.isfinite(values)]
    votes = (np.abs(values[:, None] - values) < AGREES_M).sum(axis=1)
    return float(np.median(values[np.abs(values - values[votes.argmax()]) < AGREES_M]))


def _line(times_s: Float[np.ndarray, "moment"], values: Float[np.ndarray, "moment"]) -> tuple[float, float]:
    """Offset and slope by Theil and Sen: the median slope of all pairs."""
    from scipy.stats import theilslopes

    is_heard = np.isfinite(values)
    if is_heard.sum() < LEAST_FOR_LINE:
        return _mode(values), 0.0
    slope, offset, *_ = theilslopes(values[is_heard], times_s[is_heard])
    return float(offset), float(slope)
