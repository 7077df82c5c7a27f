"""Whose channel is whose? Cables that were exchanged, found before anything else is made to give way.

Exchanged, two microphones hear everything from metres off what the list says; a clock, a place or another speed of sound can
be bent to explain that, one channel at a time. So orders are tried first, coarsely: with h_mw what channel m heard of moment
w (as path), r_k the rows of the list and x places drawn in the box, an order k(m) costs

    sum over w of min over x of sum over m of log(1 + (h_mw - b_wx - |x - r_k(m)|)² / COARSE_M²)

with b by the median channel of the order that was best so far. COARSE_M is more than tapes are off and less than
microphones are apart. From the list downhill: the best exchange of two channels, or where there is none turn of three, until
none is much better; and, while nothing fits well, from orders that sound cards are known for. A sound that stands still
tells few orders apart: there plain ones that fit go before any other (channel_orders.py).
"""

import numpy as np
from jaxtyping import Float

from soundfix.calibration.bundle import Arrivals
from soundfix.calibration.channel_orders import Order, may_move, sound_cards
from soundfix.calibration.initial_guess import COARSE_M, sample_box

MOMENTS, PLACES = 48, 2000  # looked at
GAIN_SHARE = 0.1  # of the cost, that another order must spare
FEWEST = 5  # channels that tell one order from another
MOST_TURNED = 16  # channels of which turns of three are tried
FITS = 0.5  # cost of an arrival: of right orders 0.1-0.4, with tapes that are off by up to 16 cm


def order_of(
    arrivals: Arrivals, positions: Float[np.ndarray, "mic 3"], box: Float[np.ndarray, "2 3"], rng: np.random.Generator
) -> Order:
    """Of every channel the row of the list that is its own; as listed where nothing else is much better.

    positions: of the list, NaN where it has none: such a row, and a channel that hears nothing, stay.
    """
    order, movable = np.arange(len(positions)), may_move(arrivals.path_m, positions)
    if movable.sum() >= FEWEST:
        search = _Search(arrivals.path_m[:, movable], positions[movable], sample_box(box, PLACES, rng))
        order[movable] = np.flatnonzero(movable)[search.best()]
    return order


def coarse_misfit(
    arrivals: Arrivals, positions: Float[np.ndarray, "mic 3"], box: Float[np.ndarray, "2 3"], rng: np.random.Generator
) -> float:
    """What an arrival costs, as listed or with the best exchange of two channels; 0 where too few tell."""
    movable = may_move(arrivals.path_m, positions)
    if movable.sum() < FEWEST:
        return 0.0
    search = _Search(arrivals.path_m[:, movable], positions[movable], sample_box(box, PLACES, rng))
    return float(search.costs(np.arange(movable.sum())).min() / search.count)


class _Search:
    """Ranges between drawn places and the rows, and what some of the moments heard."""

    def __init__(self, path_m: np.ndarray, positions: np.ndarray, places: np.ndarray) -> None:
        some = np.unique(np.linspace(0, len(path_m) - 1, MOMENTS).astype(int))
        self.path_m = path_m[some].astype(np.float32)
        self.ranges_m = np.linalg.norm(places[:, None] - positions, axis=-1).astype(np.float32)
        self.count = int(np.isfinite(self.path_m).sum())
        self.fits = FITS * self.count

    def best(self) -> Order:
        """As listed, unless another is much better; from orders that sound cards make too, while nothing fits well."""
        count = self.path_m.shape[1]
        order, cost = self.downhill(np.arange(count))
        for start in sound_cards(count):
            if cost < self.fits:
                break
            other, its_cost = self.downhill(start)
            if its_cost < (1 - GAIN_SHARE) * cost:
                order, cost = other, its_cost
        return order

    def downhill(self, order: Order) -> tuple[Order, float]:
        """The best exchange, and the best from there, while it spares enough; a turn of three where none does."""
        for _ in range(2 * len(order)):
            costs = self.costs(order)
            cost, least = float(costs.flat[0]), (1 - GAIN_SHARE) * costs.flat[0]
            if costs.min() > least and self.fits < cost and len(order) <= MOST_TURNED:
                costs = self.costs(order, is_turn=True)
            if costs.min() > least:
                break
            ring = list(np.unravel_index(costs.argmin(), costs.shape))
            order = order.copy()
            order[ring] = order[[*ring[1:], ring[0]]]
        return order, cost

    def costs(self, order: Order, *, is_turn: bool = False) -> Float[np.ndarray, "..."]:
        """With each two channels exchanged, or each three turned: [a, b, c] gives a the row of b, b of c, c of a."""
        return np.sum([self._costs(moment, order, is_turn) for moment in self.path_m], axis=0)

    def _costs(self, path_m: Float[np.ndarray, "mic"], order: Order, is_turn: bool) -> Float[np.ndarray, "..."]:
        """Of one moment."""
        heard = np.isfinite(path_m)
        ranges_m = self.ranges_m[:, order]
        sounded = np.median((path_m - ranges_m)[:, heard], axis=1)
        off = path_m[:, None] - sounded[:, None, None] - ranges_m[:, None]
        each = np.nan_to_num(np.log1p(np.square(off / COARSE_M)))
        own = np.einsum("pmm->pm", each)
        more = each - own[:, :, None]  # for m with the row of k
        total = own.sum(axis=1)
        if not is_turn:
            return (total[:, None, None] + more + more.transpose(0, 2, 1)).min(axis=0)
        turned = [total[:, None, None] + more[:, a, :, None] + more + more[:, None, :, a] for a in range(len(order))]
        return np.stack([each.min(axis=0) for each in turned])
