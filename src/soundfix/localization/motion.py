"""Does the source move within the window? Then its place is where it was in the middle, and its region knows of the motion.

Speech is uneven, and a peak of the evidence is a few centimetres wide: that of a whole window lies where the source was
heard best, anywhere on its way. So the window is told apart in time (subwindows.py), and a straight way is sought that
passes near the place that was found:

    x(t) = x + v t        maximize  J(x, v) = sum_k mean_ij l_ijk(d_ij(x + v t_k))

where t_k, from the middle of the window, is when piece k left the source. First come all ways through the place itself, at
some moment and with velocities of a grid, on curves as wide as that is coarse; the best of them climb by Newton's method, on
ever narrower curves. Standing still and the ways that are left are then weighed against each other (`weighed`).

A way is written as its ends: where it is a quarter of the window before and after the middle, which are alike in scale. A
stand is a way with one end.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Finding, Source
from soundfix.localization.consensus import Consensus
from soundfix.localization.lookup import slopes_nearest
from soundfix.localization.modes import SAME_M, Mode, merged
from soundfix.localization.subwindows import Subwindows, Trajectories, Window, split_window
from soundfix.scene import free_axes

SHORTEST_S, LONGEST_S = 0.1, 1.0  # windows: in less nobody gets anywhere, for longer nobody walks straight
FASTEST_M_S, STEEPEST_M_S, GRID_M_S = 1.6, 0.8, 0.4  # a brisk walk; up or down; 20 cm more or less in half a second
WIDTHS_M, KEPT = (0.08, 0.04, 0.02, 0.0), (20, 12, 8, 6)  # of the smoothing, and ways that climb then
CLIMBS, LEAST_STEP_M, STAND_M = 4, 0.006, 0.02  # steps on each; a stand climbs on curves no wider than this
FIRMNESS = 0.02  # of the mean curvature, added to each: no step goes far where nothing is known

# Log-odds that a source moves: the gain in evidence, in standard errors, less half (v / USUAL_M_S)², less MOTION, and
# more where positions are not exact: peaks that do not meet suit a way by chance better than a stand. With BENDS chosen
# on validation speakers who stand and walk in the twin and its hard variant (EXPERIMENTS.md, 25 November 2026).
USUAL_M_S, MOTION, MOTION_A_METRE = 0.5, 5.0, 100.0
DOUBTFUL = 0.2  # a smaller probability of moving, or of standing, counts as none
BENDS = 0.03  # standard error along the way, as a share of its length: a walk is neither quite straight nor even
MOVES = 0.5  # the probability from which it is said, of a way that convinces:

# What else suits a way better than a stand, in real rooms: peaks that do not meet, as strong as the sound is; two claps with
# different echoes; one microphone with an error of its own. Chosen on 336 stands in rough rooms (2.4 % convince) and 238
# walks (twin 91 %, hard 83 %; EXPERIMENTS.md, 26 November 2026).
LEAST_SHARE = 0.3  # of the evidence of the stand, that the way gains
LEAST_REST = 2.0  # standard errors that are left of the gain without its best pieces, and without its best microphone
BEST_PIECES = 2


Stand = Float[np.ndarray, "1 1 3"]
Walks = Float[np.ndarray, "walk 2 3"]


class Belief(NamedTuple):
    """A source as it was in the middle of the window, its speed, how probable it is that it moves, and if that convinces."""

    source: Source
    speed_m_s: float
    moves: float
    convinces: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Ways:
    """Stands and ways near places of a window, each sought once: a source that moves is placed again, where it was."""

    window: Window
    found: dict[bytes, tuple[Subwindows, Stand, Walks]] = field(default_factory=dict)

    def near(self, place: Float[np.ndarray, "3"]) -> tuple[Subwindows, Stand, Walks]:
        """The pieces heard from there, and their stand and ways."""
        key = place.tobytes()
        if key not in self.found:
            pieces = split_window(self.window, place, reach_m=FASTEST_M_S * self.window.scene.duration_s)
            self.found[key] = (pieces, *best_ways(pieces))
        return self.found[key]


def followed(ways: Ways, sources: Sequence[Source]) -> tuple[tuple[Source, ...], tuple[Finding, ...]]:
    """The sources where they were in the middle of the window; and that the first one moves, if it does."""
    if not SHORTEST_S <= ways.window.scene.duration_s <= LONGEST_S:
        return tuple(sources), ()
    believed = [weighed(source, *ways.near(source.position_m)) for source in sources]
    return tuple(each.source for each in believed), _said(believed[0])


def one_of_ways(consensus: Consensus, placed: Sequence[Source], moved: Sequence[Source]) -> Consensus:
    """The consensus with one mode for peaks of one way: in the middle of the window they are at one place.

    placed, moved: sources before and after they were followed, the first at the first mode; a mode of none of them stays.
    """
    middle = {source.position_m.tobytes(): there.position_m for source, there in zip(placed, moved, strict=True)}
    first = consensus.modes[0].position.tobytes()
    middle[first] = moved[0].position_m  # of several the first stands where its cells say

    def are_of_one(mode: Mode, better: Mode) -> bool:
        ends = [middle.get(each.position.tobytes(), each.position) for each in (mode, better)]
        return mode.position.tobytes() in middle and bool(np.linalg.norm(ends[0] - ends[1]) < SAME_M)

    modes = merged(consensus.modes, are_of_one)
    return consensus if len(modes) == len(consensus.modes) else replace(consensus, modes=modes)


def _said(first: Belief) -> tuple[Finding, ...]:
    if first.moves < MOVES or not first.convinces:
        return ()
    sentence = f"the source moves, about {first.speed_m_s:.1f} m/s: its place is that in the middle of the window"
    return (Finding("moves", sentence, degrades=False),)


def best_ways(pieces: Subwindows) -> tuple[Stand, Walks]:
    """The stand, and the ways, on which most evidence lies near the place."""
    stand, coarse = pieces.place[None, None], pieces.in_twos()
    ways = _best(coarse.smoothed(WIDTHS_M[0]), _through_place(coarse), KEPT[0])
    for width_m, kept in zip(WIDTHS_M, KEPT, strict=True):
        blurred = pieces.smoothed(width_m)
        ways = _climbed(blurred, _best(blurred, ways, kept), width_m)
        stand = stand if width_m > STAND_M else _climbed(blurred, stand, width_m)
    return stand, ways


def weighed(source: Source, pieces: Subwindows, stand: Stand, ways: Walks) -> Belief:
    """The mean of the source as it is and of all ways, and the second moments about it, as probable as each is.

    Where no way convinces the source stays in its place, and its region alone knows of them.

    A way knows the middle as well as the source is known, if its evidence is round the middle: else it is the intercept of
    a regression, and the covariance grows by mean(t)² / var(t).
    """
    velocity = np.concatenate([np.zeros((1, 3)), 2 * (ways[:, 1] - ways[:, 0]) / pieces.duration_s])
    probability = _probabilities(pieces, stand, ways, velocity)
    moves = 1 - float(probability[0])
    if moves < DOUBTFUL:
        return Belief(source, 0.0, moves)
    if moves > 1 - DOUBTFUL:
        probability = np.append(0.0, probability[1:]) / moves
    places = np.concatenate([source.position_m[None], ways.mean(axis=1)])
    is_convincing = convinces(pieces, stand, ways[probability[1:].argmax()])
    middle = np.clip(probability @ places, *pieces.box) if is_convincing else source.position_m
    off = np.concatenate([places - middle, BENDS * pieces.duration_s * velocity])
    growth = 1 + probability[1:] @ _lopsided(pieces, ways)
    covariance = growth * source.covariance_m2 + (np.tile(probability, 2) * off.T) @ off
    at_middle = replace(source, position_m=middle).spread(covariance)
    return Belief(at_middle, float(np.linalg.norm(probability @ velocity)), moves, is_convincing)


def convinces(pieces: Subwindows, stand: Stand, way: Float[np.ndarray, "2 3"]) -> bool:
    """Whether the way gains enough, and what it gains is no matter of a few moments or of one microphone."""
    errors = pieces.evidence.deviation * len(pieces.pairs) ** 0.5
    still, moving = (pieces.along(each) / errors for each in (stand[0], way))
    gain = moving - still
    by_piece = np.sort(gain.sum(axis=1))
    by_microphone = [gain[:, (pieces.pairs == m).any(axis=1)].sum() for m in np.unique(pieces.pairs)]
    rests = by_piece[:-BEST_PIECES].sum(), gain.sum() - max(by_microphone)
    return bool(gain.sum() > LEAST_SHARE * abs(still.sum()) and min(rests) > LEAST_REST)


def _probabilities(
    pieces: Subwindows, stand: Stand, ways: Walks, velocity: Float[np.ndarray, "hypothesis 3"]
) -> Float[np.ndarray, "hypothesis"]:
    """Of standing still, then of each way."""
    still, moving = (pieces.scores(each).sum(axis=1) for each in (stand, ways))
    gain = (moving - still) / pieces.evidence.deviation * len(pieces.pairs) ** 0.5
    doubt = MOTION + MOTION_A_METRE * pieces.sigma_m
    log_odds = np.append(0.0, gain - doubt) - np.square(velocity / USUAL_M_S).sum(axis=1) / 2
    odds = np.exp(log_odds - log_odds.max())
    return odds / odds.sum()


def _lopsided(pieces: Subwindows, ways: Walks) -> Float[np.ndarray, "walk"]:
    """mean(t)² / var(t) of the evidence on each way; a piece has a width itself."""
    weight = np.maximum(pieces.scores(ways), 0) + 1e-9
    weight /= weight.sum(axis=1, keepdims=True)
    mean_s, square_s2 = weight @ pieces.times_s, weight @ np.square(pieces.times_s)
    width_s = pieces.duration_s / len(pieces.times_s)
    return np.square(mean_s) / (square_s2 - np.square(mean_s) + width_s**2 / 12)


def _through_place(pieces: Subwindows) -> Walks:
    """Every velocity of the grid, along free axes, at the place in the middle of every piece."""
    axis = np.arange(-FASTEST_M_S, FASTEST_M_S + GRID_M_S / 2, GRID_M_S)
    grid = np.array(list(itertools.product(axis, axis, axis[np.abs(axis) < STEEPEST_M_S + GRID_M_S / 2])))
    grid = grid[np.linalg.norm(grid, axis=1) < FASTEST_M_S + GRID_M_S / 2]
    velocity = np.unique(grid * free_axes(pieces.box), axis=0)
    since_s = np.array([-0.25, 0.25]) * pieces.duration_s - pieces.times_s[:, None]
    return (pieces.place + velocity[:, None, None] * since_s[..., None]).reshape(-1, 2, 3)


def _best(pieces: Subwindows, ways: Trajectories, count: int) -> Float[np.ndarray, "kept end 3"]:
    """So many of them."""
    return ways[np.argsort(-pieces.scores(ways).sum(axis=1), kind="stable")[:count]]


def _climbed(pieces: Subwindows, ways: Trajectories, width_m: float) -> Trajectories:
    for _ in range(CLIMBS):
        ways = ways + _newton_step(pieces, ways, max(width_m, LEAST_STEP_M))
    return ways


def _newton_step(pieces: Subwindows, ways: Trajectories, longest_m: float) -> Trajectories:
    """Towards more evidence; where a curve bends upwards it counts as straight."""
    near, shares = max(1, round(longest_m / 2 / pieces.evidence.step_m)), pieces.shares(ways.shape[1])
    slope, curvature = slopes_nearest(pieces.curves, pieces.pairs, pieces.lags(ways), pieces.uphill, near)
    numbers, lag_m = 3 * ways.shape[1], pieces.evidence.step_m
    gradient = (shares.T @ slope / lag_m).reshape(-1, numbers, 1)
    both = shares[:, :, None] * shares[:, None]
    hessian = np.einsum("kef,nkxy->nexfy", both, curvature / lag_m**2).reshape(-1, numbers, numbers)
    firm = FIRMNESS * np.trace(hessian, axis1=1, axis2=2) / numbers + 1e-9
    step = np.linalg.solve(hessian + firm[:, None, None] * np.eye(numbers), gradient)
    return np.clip(step, -longest_m, longest_m).reshape(ways.shape)
