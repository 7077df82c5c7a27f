"""A contract on loss: how exact answers must be, at how many of the places, and with how many microphones gone.

"20cm 95% minus 2" is kept if, whichever two microphones are lost, at 95 % of the places of the room (or of the box that
is searched) the predicted 90 % region has a radius of 20 cm at most: `physics.radius90` of the Cramér-Rao bound, for a
timing error of `geometry.TIMING_SIGMA_M`. That is what the geometry allows where every delay is right; echoes and noise
come on top. A place whose mirror image lies in the box as well has no position, nor has any with too few microphones left.

All choices of k microphones are tried while they are few (MOST_CHOICES); beyond that the worst choices of one fewer lose
one more microphone each, as many as that allows. That may miss a still worse choice, and the promise says so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice, takewhile
from math import ceil, comb, inf
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix import physics
from soundfix.errors import ConfigError
from soundfix.estimate import ACCUSATIONS, Estimate, Finding, Status
from soundfix.microphones import Microphones
from soundfix.scene import Room
from soundfix.search_region import SearchRegion
from soundfix.survey.array_geometry import TIMING_SIGMA_M, Array, has_twin, lattice, survey_box

MOST_CHOICES = 500  # of k microphones that are tried
MOST_LOSSES = 10  # beyond this nobody counts
MOST_REMEMBERED = 1000  # sets of microphones in use, in a run that never ends
UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001}
TEXT = re.compile(
    r"\s*(?P<radius>\d+\.?\d*|\.\d+)\s*(?P<unit>m|cm|mm)[\s,]+(?P<share>\d+\.?\d*|\.\d+)\s*%([\s,]+minus\s+(?P<losses>\d+))?\s*",
    re.ASCII | re.IGNORECASE,
)
LOST: tuple[Status, ...] = ("dead", "duplicate", *ACCUSATIONS)  # of no use, by an answer that gives no weights


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """At this share (0 to 1) of the places a 90 % radius of at most radius_m (m), after any so many losses.

    Written "20cm 95% minus 2". Raises ConfigError where a number cannot be.
    """

    radius_m: float
    share: float
    losses: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.radius_m < inf:
            raise ConfigError(f"a contract on {self.radius_m} m, wanted a radius above 0")
        if not 0 < self.share <= 1:
            raise ConfigError(f"a contract on {100 * self.share:g} % of the places, wanted more than 0 and up to 100 %")
        if self.losses < 0:
            raise ConfigError(f"a contract on {self.losses} lost microphones, wanted 0 or more")

    def __str__(self) -> str:
        return f"{_reach(self.radius_m, self.share)}, minus {self.losses}"


class Case(NamedTuple):
    """Some microphones lost, and the 90 % radius (m) then kept at the contract's share of the places; inf: no position."""

    lost: tuple[str, ...]
    radius_m: float

    def sentence(self, share: float) -> str:
        who = f"without {_listed(self.lost)}" if self.lost else "with all microphones"
        if self.radius_m == inf:
            return f"{who} fewer than {100 * share:g} % of the places have a position at all"
        return f"{who} it is {_reach(self.radius_m, share)}"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Whether an array can keep its contract. worst: the most harmful loss of as many as the contract says. whole: no
    loss. can_lose: how many may be lost, whichever they are, at most (MOST_LOSSES: or more); None: it is not kept at all.
    """

    contract: Requirement
    whole: Case
    worst: Case
    can_lose: int | None
    is_greedy: bool

    @property
    def is_kept(self) -> bool:
        return self.worst.radius_m <= self.contract.radius_m


def parse_requirement(text: str | Requirement) -> Requirement:
    """RADIUS SHARE [minus K], such as "20cm 95% minus 2"; a Contract is one already. Raises ConfigError."""
    if isinstance(text, Requirement):
        return text
    found = TEXT.fullmatch(text)
    if not found:
        raise ConfigError(
            f"contract {text!r}: wanted a radius, a share of the places and how many microphones may be lost, "
            'such as "20cm 95% minus 2"; units are m, cm and mm'
        )
    return Requirement(
        radius_m=float(found["radius"]) * UNITS_M[found["unit"].lower()],
        share=float(found["share"]) / 100,
        losses=int(found["losses"] or 0),
    )


def promise(contract: Requirement, array: Array) -> Promise:
    """What the geometry of these microphones can keep."""
    count = len(array.microphones)
    losses = min(contract.losses, count)
    cases: list[Case] = []
    for case in worst_losses(Ground.under(array), contract, np.ones(count, dtype=bool)):
        cases.append(case)
        is_broken = case.radius_m > contract.radius_m  # and one more loss never makes it better
        if len(cases) > losses and (is_broken or len(cases) > MOST_LOSSES):
            break
    kept = len(list(takewhile(lambda case: case.radius_m <= contract.radius_m, cases)))
    return Promise(
        contract=contract,
        whole=cases[0],
        worst=cases[losses],
        can_lose=min(kept - 1, MOST_LOSSES) if kept else None,
        is_greedy=comb(count, losses) > MOST_CHOICES,
    )


def known_array(microphones: Microphones, room: Room | None, search: SearchRegion | None = None) -> Array:
    """The microphones of known position in the box that is searched; SceneError where there are none."""
    box = survey_box(microphones, room, search)
    return Array(microphones.where(microphones.is_known), TIMING_SIGMA_M, box)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What each microphone tells at every place: a loss is then a subtraction (of Array.covariances' sums)."""

    array: Array
    points: Float[np.ndarray, "point 3"]
    weights: Float[np.ndarray, "mic"]
    firsts: Float[np.ndarray, "mic point 3"]  # w u, u the unit vectors from the microphones to the places
    seconds: Float[np.ndarray, "mic point 3 3"]  # w u u^T

    @classmethod
    def under(cls, array: Array) -> "Ground":
        points = lattice(array.box)
        weights = 1 / (array.sigma_m**2 + array.microphones.sigma_m**2)
        offsets = points - array.microphones.positions[:, None]
        units = offsets / np.maximum(np.linalg.norm(offsets, axis=2, keepdims=True), 1e-9)
        firsts = weights[:, None, None] * units
        seconds = firsts[..., :, None] * units[..., None, :]
        return cls(array=array, points=points, weights=weights, firsts=firsts, seconds=seconds)

    def radii(self, is_left: Bool[np.ndarray, "case mic"]) -> Float[np.ndarray, "case point"]:
        """The 90 % radius (m) at every place with these microphones left; inf where there is no position."""
        total = np.maximum(is_left @ self.weights, 1e-9)[:, None, None, None]
        first, second = np.tensordot(is_left, self.firsts, 1), np.tensordot(is_left, self.seconds, 1)
        information = second - first[..., :, None] * first[..., None, :] / total
        radii = physics.radii90(np.linalg.inv(information + self.array.prior))
        radii[is_left.sum(axis=1) < self.array.fewest] = inf
        for case, left in enumerate(is_left):
            positions = self.array.microphones.positions[left]
            if len(positions) >= self.array.fewest and physics.shape_rank(positions) < 3:
                radii[case, has_twin(self.points, positions, self.array.box)] = inf
        return radii


def worst_losses(ground: Ground, contract: Requirement, is_used: Bool[np.ndarray, "mic"]) -> Iterator[Case]:
    """The most harmful loss of none, of one, of two, ... of the microphones in use, until none is left."""
    total, names = int(is_used.sum()), np.array(ground.array.microphones.names)
    worst = is_used[None]
    for count in range(total + 1):
        if comb(total, count) <= MOST_CHOICES:
            cases = _choices(is_used, count)
        else:
            cases = np.unique(np.concatenate([_choices(left, 1) for left in worst]), axis=0)
        order, radii = _worst_first(ground, contract, cases)
        worst = cases[order[: max(1, MOST_CHOICES // total)]]
        yield Case(tuple(names[is_used & ~worst[0]].tolist()), float(radii[order[0]]))


def _choices(is_used: Bool[np.ndarray, "mic"], count: int) -> Bool[np.ndarray, "case mic"]:
    """Who is left of those in use, for every choice of `count` lost ones."""
    used = np.flatnonzero(is_used)
    lost = np.array(list(combinations(used, count)), dtype=int).reshape(comb(len(used), count), count)
    left = np.repeat(is_used[None], len(lost), axis=0)
    np.put_along_axis(left, lost, False, axis=1)
    return left


def _worst_first(
    ground: Ground, contract: Requirement, is_left: Bool[np.ndarray, "case mic"]
) -> tuple[Int[np.ndarray, "case"], Float[np.ndarray, "case"]]:
    """Cases by their radius (m) at the contract's share of the places, of equal ones that with most places lost first."""
    radii = np.sort(ground.radii(is_left), axis=1)
    reached = radii[:, ceil(contract.share * radii.shape[1] - 1e-9) - 1]
    is_good = radii <= contract.radius_m
    return np.lexsort((is_good.sum(axis=1), -reached)), reached


@dataclass(kw_only=True, eq=False)
class Watch:
    """Looks at the microphones in use during a run; what is said of a set of them is worked out once."""

    contract: Requirement
    microphones: Microphones
    room: Room | None
    search: SearchRegion | None = None
    _ground: Ground = field(init=False)
    _said: dict[bytes, tuple[Finding, ...]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._ground = Ground.under(known_array(self.microphones, self.room, self.search))

    def findings(self, estimate: Estimate) -> tuple[Finding, ...]:
        """Whether the contract is broken with the microphones that are in use, or would be after one more loss."""
        is_used = _in_use(estimate)[self.microphones.is_known]
        if not is_used.any():  # silence, not a loss
            return ()
        if len(self._said) > MOST_REMEMBERED:
            self._said.clear()
        key = is_used.tobytes()
        if key not in self._said:
            self._said[key] = tuple(self._look_at(is_used))
        return self._said[key]

    def _look_at(self, is_used: Bool[np.ndarray, "mic"]) -> Iterator[Finding]:
        now, then, *_ = islice(worst_losses(self._ground, self.contract, is_used), 2)
        if now.radius_m > self.contract.radius_m:
            names = self._ground.array.microphones.names
            gone = Case(tuple(names[m] for m in np.flatnonzero(~is_used)), now.radius_m)
            yield Finding("contract_broken", f"the contract is broken: {gone.sentence(self.contract.share)}", False)
            return
        if then.radius_m > self.contract.radius_m:
            sentence = f"one more loss would break the contract: {then.sentence(self.contract.share)}"
            yield Finding("contract_at_risk", sentence, False)


def requirement_note(estimate: Estimate) -> str | None:
    """What the estimate says of the contract, if anything."""
    codes = ("contract_at_risk", "contract_broken")
    return next((finding.sentence for finding in estimate.findings if finding.code in codes), None)


def _in_use(estimate: Estimate) -> Bool[np.ndarray, "mic"]:
    """By weight; where there is no answer, and so no weight, all that are not known to be of no use."""
    if estimate.sources:
        return np.array([report.weight > 0 for report in estimate.microphones])
    return np.array([report.status not in LOST for report in estimate.microphones])


def _reach(radius_m: float, share: float) -> str:
    cm = 100 * radius_m
    return f"{cm:.{0 if cm >= 10 or cm == round(cm) else 1}f} cm at {100 * share:g} % of the places"


def _listed(names: tuple[str, ...]) -> str:
    """mic1, mic2 and mic3."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
