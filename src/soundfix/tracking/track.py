"""One source as one hypothesis has it: where it is expected, and what it became with a fix.

Who is heard walks on as people do: the velocity is an Ornstein-Uhlenbeck process, which forgets in WANDERS_S and has
SPEED_M_S along each axis; or one has turned, and the velocity is anything. Who was silent for PAUSE_S stood, or walked on at
the same height, no further than in ROAMS_S: how long one had stayed where one was last heard says how probable each is, and
the next place decides.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.tracking.kalman import Fix, State, expected, log_density, updated

SPEED_M_S = np.array([0.7, 0.7, 0.2])  # people walk in two dimensions, and sit down
WANDERS_S = 2.0
TURNS = 0.1  # share of moves before which one turned
PAUSE_S = 1.3
STAYS_M, STANDS_M_S = 0.1, 0.2  # standard deviations along each axis of who stayed at a place
ROAMS_S = 8.0  # who walks unheard for longer is no further away
LEFT_M, LEAVES_S = 0.4, 0.8  # a walk takes this long to be so far from a mean that forgets in WANDERS_S
WALKS, LEAST_WALKS = 0.7, 0.001  # probability that somebody walks who was heard for a moment, or for long at one place
SETTLES_S = 0.3  # after LEAVES_S it falls by 1 / e in this time
LOST_S = 30.0  # a walk of this length is taken up again with 1 / e
HEIGHT = [2, 5]
PLACE_ONLY = np.diag([1.0] * 3 + [0.0] * 3)
FRESH_VELOCITY = np.diag([0.0] * 3 + list(SPEED_M_S**2))
Way = Literal["walked", "turned", "stood"]


class Expected(NamedTuple):
    """What is expected: by which way, the move from the last state, the state, and how probable the way is (log)."""

    way: Way
    move: Float[np.ndarray, "6 6"]
    state: State
    log_share: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """After its last fix, at time_s. key: of all that goes back to the same first fix. hits: fixes so far; turns: times it
    began to sound.

    stays_at_m, stays_since_s: where it has been, within LEFT_M, since when. came: how it came from the fix before it, where
    there was one; paused_s: how long after that.
    """

    key: int
    time_s: float
    state: State
    stays_at_m: Float[np.ndarray, "3"]
    stays_since_s: float
    hits: int = 1
    turns: int = 1
    came: Expected | None = None
    paused_s: float = 0.0

    def ways(self, time_s: float) -> tuple[Expected, ...]:
        """What is expected then."""
        seconds = max(time_s - self.time_s, 0.0)
        if seconds < PAUSE_S:
            return _walked(self.state, seconds, turns=TURNS * self.walks)
        roamed = _roamed(self.state, seconds, float(np.log(self.walks)) - seconds / LOST_S)
        return roamed, _stood(self.state, seconds, float(np.log1p(-self.walks)))

    @property
    def walks(self) -> float:
        """How probable it is that it is on its way."""
        stayed_s = max(self.time_s - self.stays_since_s - LEAVES_S, 0.0)
        return max(WALKS * float(np.exp(-stayed_s / SETTLES_S)), LEAST_WALKS)

    def best_way(self, time_s: float, fix: Fix) -> tuple[float, Expected]:
        """The likeliest way to this fix, and its log density (1 / m³)."""
        ways = [(way.log_share + log_density(way.state, fix), way) for way in self.ways(time_s)]
        return max(ways, key=lambda pair: pair[0])

    def with_fix(self, time_s: float, fix: Fix, way: Expected) -> "Track":
        """The track after this fix, to which it came by this way."""
        state, seconds = updated(way.state, fix), time_s - self.time_s
        off_m = state.mean[:3] - self.stays_at_m
        has_left = float(np.hypot(*off_m[:2])) > LEFT_M
        mean_m = self.stays_at_m - off_m * np.expm1(-seconds / WANDERS_S)
        return Track(
            key=self.key,
            time_s=time_s,
            state=state,
            stays_at_m=state.mean[:3] if has_left else mean_m,
            stays_since_s=time_s if has_left else self.stays_since_s,
            hits=self.hits + 1,
            turns=self.turns + int(seconds >= PAUSE_S),
            came=way,
            paused_s=seconds,
        )

    @property
    def has_paused(self) -> bool:
        """Whether it was silent before its last fix."""
        return self.paused_s >= PAUSE_S


def born(key: int, time_s: float, fix: Fix) -> Track:
    """A track of one fix."""
    covariance = FRESH_VELOCITY.copy()
    covariance[:3, :3] = fix.noise
    state = State(np.append(fix.position_m, np.zeros(3)), covariance)
    return Track(key=key, time_s=time_s, state=state, stays_at_m=fix.position_m, stays_since_s=time_s)


def _walked(state: State, seconds: float, *, turns: float) -> tuple[Expected, Expected]:
    """As before, or after a turn."""
    move, noise = wandering(round(seconds, 6))
    turn, turned = move @ PLACE_ONLY, noise + move @ FRESH_VELOCITY @ move.T
    return (
        Expected("walked", move, expected(state, move, noise), float(np.log1p(-turns))),
        Expected("turned", turn, expected(state, turn, turned), float(np.log(turns))),
    )


def _roamed(state: State, seconds: float, log_share: float) -> Expected:
    """Walked on at the same height, from a velocity that is known, to no further than people do."""
    walk_s = min(seconds, ROAMS_S)
    move, noise = (table.copy() for table in wandering(round(walk_s, 6)))
    move[HEIGHT] = PLACE_ONLY[HEIGHT]
    noise[HEIGHT] = 0.0
    noise[:, HEIGHT] = 0.0
    noise[2, 2], noise[5, 5] = _stayed_m2(seconds), SPEED_M_S[2] ** 2
    return Expected("walked", move, expected(state, move, noise), log_share)


def _stood(state: State, seconds: float, log_share: float) -> Expected:
    noise = np.diag([_stayed_m2(seconds)] * 3 + [STANDS_M_S**2] * 3)
    return Expected("stood", PLACE_ONLY, expected(state, PLACE_ONLY, noise), log_share)


def _stayed_m2(seconds: float) -> float:
    return STAYS_M**2 * -float(np.expm1(-seconds / WANDERS_S))


@cache
def wandering(seconds: float) -> tuple[Float[np.ndarray, "6 6"], Float[np.ndarray, "6 6"]]:
    """The move of this time, and the covariance it adds: the Ornstein-Uhlenbeck process, solved."""
    left, tau = np.exp(-seconds / WANDERS_S), WANDERS_S
    move = np.kron([[1.0, tau * (1 - left)], [0.0, left]], np.eye(3))
    corner = tau * (1 - left) ** 2
    blocks = np.array([[tau * (2 * seconds - tau * (3 - 4 * left + left**2)), corner], [corner, 1 - left**2]])
    return move, np.kron(blocks, np.diag(SPEED_M_S**2))
