"""What is varied: how many microphones, which of them, how long a window, how many of unknown position, what is broken,
and whether the place of the source is told.

A clip under a condition is one window. Conditions are nested as far as they can be: the windows of a clip have one middle
whatever their length; 7 microphones are among the 9; the position that one condition hides, the next one with two hides too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.datasets.windows import loud_start
from soundfix.errors import ConfigError
from soundfix.scene import Scene
from soundfix.search_region import SearchRegion
from soundfix.simulation.faults import KINDS, Fault, break_scene

NO_FAULT, BEFORE_CUTTING = "none", ("late",)
TOLD_TO_M = 0.03  # a place is told so well
CHOICE, HIDING, BREAKING, AMOUNTS, MIDDLE = range(5)  # what a clip's chance is used for, each with a stream of its own


@dataclass(frozen=True, kw_only=True)
class Condition:
    """microphones: heard. unknown: of these, without a position. fault: "none", or kind:count, such as "late:2". told: the
    place of the first source is, as a search region of a few centimetres."""

    window_s: float
    microphones: int
    unknown: int = 0
    fault: str = NO_FAULT
    told: bool = False

    def __post_init__(self) -> None:
        kind, count = fault_of(self.fault)
        if self.microphones < 2 or self.window_s <= 0 or self.unknown < 0:
            raise ConfigError(f"{self}: wanted two microphones or more and a window longer than 0 s")
        if max(self.unknown, count) > self.microphones:
            raise ConfigError(f"{self.unknown} unknown and {count} {kind} of {self.microphones} microphones: too many")


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All combinations of these. subsets: which microphones, a key of ORDERS."""

    windows_s: tuple[float, ...] = (0.5,)
    microphones: tuple[int, ...] = (11,)
    unknown: tuple[int, ...] = (0,)
    faults: tuple[str, ...] = (NO_FAULT,)
    told: tuple[bool, ...] = (False,)
    subsets: str = "spread"

    def __post_init__(self) -> None:
        if self.subsets not in ORDERS:
            raise ConfigError(f"subsets {self.subsets!r}: wanted {', '.join(ORDERS)}")

    def __iter__(self) -> Iterator[Condition]:
        varied = self.windows_s, self.microphones, self.unknown, self.faults, self.told
        for window_s, microphones, unknown, fault, told in product(*varied):
            yield Condition(window_s=window_s, microphones=microphones, unknown=unknown, fault=fault, told=told)


def fault_of(text: str) -> tuple[str, int]:
    """Kind and number of microphones: "none", "dead" (one), "late:3"."""
    kind, _, number = text.partition(":")
    if kind == NO_FAULT:
        return kind, 0
    if kind not in KINDS or not (number or "1").isdecimal() or number == "0":
        raise ConfigError(f"fault {text!r}: wanted none, or KIND[:COUNT] with KIND one of {', '.join(KINDS)}")
    return kind, int(number or 1)


def windows_of(scene: Scene, grid: Grid, key: tuple[int, int]) -> Iterator[tuple[Condition, Scene]]:
    """The clip under every condition that it has enough microphones for. key: (seed, number of the clip)."""
    middle = _middle(scene, grid.windows_s, _chance(key, MIDDLE))
    order = ORDERS[grid.subsets](scene, _chance(key, CHOICE))
    for condition in grid:
        if condition.microphones <= len(scene.microphones):
            heard = np.zeros(len(order), dtype=bool)
            heard[order[: condition.microphones]] = True
            window = _broken_window(scene.where(heard), condition, key, middle)
            yield condition, with_told_source(window) if condition.told else window


def with_told_source(scene: Scene) -> Scene:
    """The scene, of which is told where its first source is; as it is where nobody knows. A track beyond a wall is at it."""
    if scene.truth is None or not np.isfinite(scene.truth.sources[:1]).all():
        return scene
    place = scene.truth.sources[0] if scene.room is None else np.clip(scene.truth.sources[0], *scene.room)
    return replace(scene, search=SearchRegion(bounds=np.stack([place - TOLD_TO_M, place + TOLD_TO_M])))


def _broken_window(scene: Scene, condition: Condition, key: tuple[int, int], middle: int) -> Scene:
    """What is broken is broken in this very window; only what comes late needs the sound before it."""
    if fault_of(condition.fault)[0] in BEFORE_CUTTING:
        return _window(broken(scene, condition, key), condition.window_s, middle)
    return broken(_window(scene, condition.window_s, middle), condition, key)


def broken(scene: Scene, condition: Condition, key: tuple[int, int]) -> Scene:
    """The scene with the condition's faults and unknown positions."""
    kind, count = fault_of(condition.fault)
    names = scene.microphones.names
    hidden = [Fault("unknown", names[m]) for m in _chance(key, HIDING).permutation(len(names))[: condition.unknown]]
    faulty = [Fault(kind, names[m]) for m in _chance(key, BREAKING).permutation(len(names))[:count]]
    return break_scene(scene, [*faulty, *hidden], _chance(key, AMOUNTS))


def _first(scene: Scene, rng: np.random.Generator) -> Int[np.ndarray, "mic"]:
    return np.arange(len(scene.microphones))


def _random(scene: Scene, rng: np.random.Generator) -> Int[np.ndarray, "mic"]:
    return rng.permutation(len(scene.microphones))


def spread(scene: Scene, rng: np.random.Generator) -> Int[np.ndarray, "mic"]:
    """From the two that are furthest apart on, always the one furthest from those before it; unknown ones last."""
    known = np.flatnonzero(scene.microphones.is_known)
    places = scene.microphones.positions[known]
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    order = (
        [int(k) for k in np.unravel_index(apart.argmax(), apart.shape)] if len(known) > 1 else list(range(len(known)))
    )
    while len(order) < len(known):
        order.append(_furthest(apart, order))
    return np.concatenate([known[order], np.flatnonzero(~scene.microphones.is_known)])


def _furthest(apart: Float[np.ndarray, "mic mic"], order: list[int]) -> int:
    nearest = apart[:, order].min(axis=1)
    nearest[order] = -1.0
    return int(nearest.argmax())


ORDERS: dict[str, Callable[[Scene, np.random.Generator], Int[np.ndarray, "mic"]]] = {
    "first": _first,
    "spread": spread,
    "random": _random,
}


def _middle(scene: Scene, windows_s: tuple[float, ...], rng: np.random.Generator) -> int:
    """The sample in the middle of all windows of a clip: the shortest is not silent, the longest fits."""
    shortest, longest = (round(end(windows_s) * scene.sample_rate) for end in (min, max))
    room = scene.audio.shape[1] - longest
    if room < 0:
        raise ConfigError(f"windows of {max(windows_s):g} s from clips of {scene.duration_s:g} s: too long")
    margin = (longest - shortest) // 2
    return margin + loud_start(scene.part(margin, room + shortest), shortest, rng) + shortest // 2


def _window(scene: Scene, window_s: float, middle: int) -> Scene:
    samples = round(window_s * scene.sample_rate)
    return scene.part(max(0, middle - samples // 2), samples)


def _chance(key: tuple[int, int], use: int) -> np.random.Generator:
    return np.random.default_rng([*key, use])


def hidden_positions(scene: Scene) -> Bool[np.ndarray, "mic"]:
    """Microphones without a position whose true one is known."""
    if scene.truth is None or scene.truth.positions is None:
        return np.zeros(len(scene.microphones), dtype=bool)
    return ~scene.microphones.is_known & np.isfinite(scene.truth.positions).all(axis=1)
