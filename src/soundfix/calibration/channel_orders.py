"""The orders that channels are known to come in, and which of them is the first that fits all that was heard.

Cables are exchanged in few ways: two of them, stereo pairs turned, odd channels before even ones, all backwards, all one
further. With each of these the rows of the list belong to other channels; an order is as good as the places x that fit best,

    mean over w, m of log(1 + (h_mw - b_w - |x_w - r_k(m)|)² / FINE_M²)

with h_mw what channel m heard of moment w (as path), r_k the rows of the list. A few moments of a sound that stands still
are enough, where there are more channels than unknowns: another order fits eight of them by chance once in ten thousand.
"""

from itertools import combinations, product

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.calibration.initial_guess import sample_box
from soundfix.robust import medians

Order = Int[np.ndarray, "mic"]
FINE_M = 0.05  # a misfit that counts half: of tapes, and of what was heard
FITS, WRONG = 0.55, 0.7  # misfits of an order that is right, and of a list that is not
FAR_BETTER, AS_WELL = 0.4, 0.05  # of the misfit as listed; more than the best one, and yet the same
FEWEST_SPARE = 3  # arrivals beyond the unknowns, below which some order fits by chance
SAME_M = 0.1  # moments that differ by less tell the same
MOST_PLACES, MOST_PAIRS = 12, 4  # looked at; neighbours that are turned in every way
PLACES, STARTS = 3000, 3  # looked through; the best of them, from which it goes downhill
SCALES_M, STEPS = (0.3, 0.1, FINE_M), 5  # so many steps with misfits of this size counting half


def sound_cards(count: int) -> list[Order]:
    """Neighbours turned, odd ones first and the way back, all backwards."""
    listed = np.arange(count)
    interleaved = np.concatenate([listed[::2], listed[1::2]])
    return [_pairs_turned(listed)[0], interleaved, np.argsort(interleaved), listed[::-1]]


def orders(count: int) -> list[Order]:
    """As listed, then all that are plausible, the likeliest first, each once."""
    listed = np.arange(count)
    rolled = [np.roll(listed, turn) for turn in (1, -1, *range(2, count - 1))]
    exchanged = [_exchanged(listed, [pair]) for pair in combinations(range(count), 2)]
    every = [listed, *_pairs_turned(listed), *sound_cards(count), *rolled, *exchanged]
    return [np.array(order) for order in dict.fromkeys(tuple(order.tolist()) for order in every)]


def _pairs_turned(listed: Order) -> list[Order]:
    """Neighbours (1 and 2, 3 and 4, ...) turned: all of them, then every choice of the first MOST_PAIRS."""
    pairs = [(k, k + 1) for k in range(0, len(listed) - 1, 2)]
    some = pairs[:MOST_PAIRS]
    chosen = [[pair for pair, is_turned in zip(some, turned, strict=True) if is_turned]
              for turned in product([False, True], repeat=len(some))]  # fmt: skip
    return [_exchanged(listed, each) for each in (pairs, *sorted(chosen, key=len))]


def _exchanged(listed: Order, pairs: list[tuple[int, int]]) -> Order:
    order = listed.copy()
    for one, other in pairs:
        order[[one, other]] = order[[other, one]]
    return order


def plain_order(
    path_m: Float[np.ndarray, "moment mic"],
    positions: Float[np.ndarray, "mic 3"],
    box: Float[np.ndarray, "2 3"],
    rng: np.random.Generator,
) -> Order | None:
    """Of every channel the row of the list that is its own. None where the list fits, or nothing does, or too little tells.

    path_m: when each heard each moment (m), NaN where it did not; positions: NaN rows, and who hears nothing, stay.
    """
    path_m = path_m[np.isfinite(path_m).any(axis=1)]
    movable = may_move(path_m, positions)
    heard = distinct(path_m[:, movable])
    if _spare(heard) < FEWEST_SPARE:
        return None
    places = sample_box(box, PLACES, rng)
    found, order = _first_that_fits(heard, positions[movable], places), np.arange(len(positions))
    if found is not None:
        order[movable] = np.flatnonzero(movable)[found]
    return None if found is None else order


def may_move(path_m: Float[np.ndarray, "moment mic"], positions: Float[np.ndarray, "mic 3"]) -> Bool[np.ndarray, "mic"]:
    """Channels that hear anything, and whose row has a position."""
    placed: np.ndarray = np.isfinite(positions).all(axis=1) & np.isfinite(path_m).any(axis=0)
    return placed


def _first_that_fits(heard: np.ndarray, positions: np.ndarray, places: np.ndarray) -> Order | None:
    as_listed = misfit(heard, positions, places)
    if as_listed < WRONG:
        return None
    others = orders(len(positions))[1:]
    misfits = np.array([misfit(heard, positions[order], places) for order in others])
    if misfits.min() > min(FITS, FAR_BETTER * as_listed):
        return None
    return others[int(np.argmax(misfits < misfits.min() + AS_WELL))]


def distinct(path_m: Float[np.ndarray, "moment mic"]) -> Float[np.ndarray, "place mic"]:
    """The median of the moments that tell the same, of at most MOST_PLACES such."""
    alike: list[list[np.ndarray]] = []
    for moment in path_m:
        same = next((each for each in alike if _gap(moment, each[0]) < SAME_M), None)
        if same is not None:
            same.append(moment - np.nanmedian(moment - same[0]))
        elif np.isfinite(moment).sum() > 4 and len(alike) < MOST_PLACES:
            alike.append([moment])
    return np.array([_middle(np.array(each)) for each in alike]).reshape(len(alike), path_m.shape[1])


def _middle(moments: Float[np.ndarray, "moment mic"]) -> Float[np.ndarray, "mic"]:
    """Of what each channel heard, where it heard anything."""
    return np.where(np.isfinite(moments).any(axis=0), medians(moments.T), np.nan)


def _gap(one: Float[np.ndarray, "mic"], other: Float[np.ndarray, "mic"]) -> float:
    off = (one - other)[np.isfinite(one) & np.isfinite(other)]
    return float(np.median(np.abs(off - np.median(off)))) if len(off) > 3 else np.inf


def _spare(path_m: Float[np.ndarray, "moment mic"]) -> int:
    """Arrivals beyond the four unknowns of each moment."""
    return int((np.isfinite(path_m).sum(axis=1) - 4).clip(0).sum())


def misfit(
    path_m: Float[np.ndarray, "moment mic"], positions: Float[np.ndarray, "mic 3"], places: Float[np.ndarray, "place 3"]
) -> float:
    """What an arrival costs, each moment from the place that fits it best."""
    ranges_m = np.linalg.norm(places[:, None] - positions, axis=-1)
    costs = [_least(moment, positions, places, ranges_m) for moment in path_m]
    return float(np.sum(costs) / np.isfinite(path_m).sum())


def _least(moment: np.ndarray, positions: np.ndarray, places: np.ndarray, ranges_m: np.ndarray) -> float:
    """Of one moment: from the STARTS best places downhill (Gauss and Newton, reweighted)."""
    heard = np.isfinite(moment)
    moment, positions, off = moment[heard], positions[heard], moment[heard] - ranges_m[:, heard]
    coarse = np.log1p(np.square((off - np.median(off, axis=1, keepdims=True)) / SCALES_M[0])).sum(axis=1)
    x = places[np.argsort(coarse)[:STARTS]]
    for scale_m in np.repeat(SCALES_M, STEPS):
        x = _stepped(x, moment, positions, scale_m)
    off = moment - np.linalg.norm(x[:, None] - positions, axis=-1)
    off -= np.median(off, axis=1, keepdims=True)
    return float(np.log1p(np.square(off / FINE_M)).sum(axis=1).min())


def _stepped(x: np.ndarray, moment: np.ndarray, positions: np.ndarray, scale_m: float) -> np.ndarray:
    """Every place one step further."""
    away = x[:, None] - positions
    ranges = np.maximum(np.linalg.norm(away, axis=-1), 1e-6)
    off = moment - ranges
    off -= np.median(off, axis=1, keepdims=True)
    weight = 1 / (1 + np.square(off / scale_m))
    slopes = np.concatenate([away / ranges[..., None], np.ones((*ranges.shape, 1))], axis=-1)
    normal = np.einsum("sma,sm,smb->sab", slopes, weight, slopes) + 1e-3 * np.eye(4)
    pull = np.einsum("sma,sm,sm->sa", slopes, weight, off)
    moved: np.ndarray = x + np.linalg.solve(normal, pull[..., None])[:, :3, 0].clip(-0.5, 0.5)
    return moved
