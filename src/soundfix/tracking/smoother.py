"""Answers that follow each other in time: a source that moves as people do, smoothed over consecutive windows.

A Kalman filter with constant velocity goes forward, the smoother of Rauch, Tung and Striebel (1965) back over the last
few windows. Where a window lists several places, the one that fits the track is it; a window that is far off the track
gets the track's place; several such in turn are a new track: somebody else, elsewhere. Windows without an answer, and
those with several sources at once, stay as they are.

Of the two sides of microphones that lie in a plane, which sound alike, the track stays on one: where the first window put
it, or the last one of which the room excluded the other side. Windows that tell a direction only are smoothed as places in
the middle of their rays; they stay directions, with both sides, the track's first, and with the cone they had: errors of
positions and of reverberation are the same in the next window, so it does not shrink.

State: position (m) and velocity (m/s), 6 numbers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.estimate import AMBIGUITIES, COVERAGE, Direction, Estimate, Finding, Regions, Source
from soundfix.tracking.kalman import Fix, State, expected, smoothed_back, squared_distance, updated

LAG = 6  # windows that an answer waits for
PATIENCE = 3  # windows off the track that make a new one
LONGEST_GAP_S = 3.0  # without a place to go on from
USUAL_M_S, RESTLESS_M2_S3 = 1.0, 0.15  # standard deviation of a first velocity; density of accelerations
OFF_TRACK = 16.3  # squared Mahalanobis distance: 0.1 % of chi squared with 3 degrees of freedom is beyond
SMOOTHED = Regions(method="theory (Kalman smoother)", coverage=COVERAGE, held_out=0)


def smoothed(estimates: Iterable[Estimate], *, lag: int = LAG) -> Iterator[Estimate]:
    """The estimates, each after `lag` more have come, with places smoothed over the windows before and after."""
    track = _Track(lag)
    for estimate in estimates:
        yield from track.add(estimate)
    yield from track.close()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plane:
    """That of the microphones: a point and the normal, whose longest component is positive."""

    centre_m: Float[np.ndarray, "3"]
    normal: Float[np.ndarray, "3"]

    def height_m(self, place: Float[np.ndarray, "3"]) -> float:
        """Of a place above it; negative on the other side."""
        return float((place - self.centre_m) @ self.normal)

    def kept_on(self, side: float, place: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """The place, or where it is on the other side, the nearest in the plane."""
        height_m = self.height_m(place)
        return place - height_m * self.normal if height_m * side < 0 else place

    def mirrored(self, place: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """The place on the other side."""
        return place - 2 * self.height_m(place) * self.normal


@dataclass(frozen=True, kw_only=True, eq=False)
class _Step:
    """One window: what was expected before it, what is believed after it, which source was taken, on which side."""

    estimate: Estimate
    move: Float[np.ndarray, "6 6"]
    expected: State
    believed: State
    taken: Source | None
    side: float = 0.0


class _Track:
    """The last windows, and the state after them."""

    def __init__(self, lag: int) -> None:
        self.lag, self.steps = max(lag, PATIENCE), list[_Step]()
        self.off: list[Estimate] = []
        self.side = 0.0  # of the microphones' plane, -1 or 1; 0: not known yet

    def add(self, estimate: Estimate) -> Iterator[Estimate]:
        """Goes on with this window; gives those that need not wait any more."""
        if not _is_one_place(estimate) and not self.steps:
            yield estimate
            return
        if self.steps and estimate.start_s - self.steps[-1].estimate.end_s > LONGEST_GAP_S:
            yield from self.close()
            yield from self.add(estimate)
            return
        self.steps.append(self._step(estimate))
        yield from self._after_losing_it()
        if len(self.steps) > self.lag:
            yield self._oldest()

    def close(self) -> Iterator[Estimate]:
        """All that still wait; the next window begins anew."""
        while self.steps:
            yield self._oldest()
        self.off = []

    def _step(self, estimate: Estimate) -> _Step:
        move, foreseen = self._expected(estimate)
        candidates = self._on_its_side(estimate)
        near = min(candidates, key=lambda source: squared_distance(foreseen, _fix(source)), default=None)
        is_on_track = near is not None and (not self.steps or squared_distance(foreseen, _fix(near)) < OFF_TRACK)
        taken = near if is_on_track else None
        if taken is not None:
            self.off = []
        elif near is not None:
            self.off.append(estimate)
        believed = foreseen if taken is None else updated(foreseen, _fix(taken))
        return _Step(estimate=estimate, move=move, expected=foreseen, believed=believed, taken=taken, side=self.side)

    def _on_its_side(self, estimate: Estimate) -> tuple[Source, ...]:
        """What the window offers on the track's side; a place whose mirror image is excluded says which side that is."""
        candidates, plane = _candidates(estimate), _plane_of(estimate)
        if not candidates or plane is None:
            return candidates
        if "mirror_twin" not in estimate.reasons or not self.side:
            self.side = float(np.sign(plane.height_m(candidates[0].position_m))) or 1.0
        return tuple(each for each in candidates if plane.height_m(each.position_m) * self.side >= 0)

    def _expected(self, estimate: Estimate) -> tuple[np.ndarray, State]:
        if not self.steps:
            candidates = self._on_its_side(estimate) or estimate.sources
            first = np.concatenate([candidates[0].position_m, np.zeros(3)])
            return np.eye(6), State(first, np.diag([1e4] * 3 + [USUAL_M_S**2] * 3))
        last = self.steps[-1]
        seconds = max(estimate.start_s - last.estimate.start_s, 0.0)
        move = np.eye(6) + seconds * np.eye(6, k=3)
        return move, expected(last.believed, move, _restlessness(seconds))

    def _after_losing_it(self) -> Iterator[Estimate]:
        """Several windows in turn off the track are a new one."""
        if len(self.off) < PATIENCE:
            return
        numbers = [step.estimate for step in self.steps]
        first = next((k for k, each in enumerate(numbers) if each is self.off[0]), 0)
        fresh, self.steps = numbers[first:], self.steps[:first]
        yield from self.close()
        for estimate in fresh:
            yield from self.add(estimate)

    def _oldest(self) -> Estimate:
        """The first window as all that came after it see it."""
        state = self.steps[-1].believed
        for step, after in zip(self.steps[-2::-1], self.steps[:0:-1], strict=True):
            state = smoothed_back(step.believed, after.move, after.expected, state)
        return _told(self.steps.pop(0), state.mean[:3], state.covariance[:3, :3])


def _is_one_place(estimate: Estimate) -> bool:
    """Whether it says one place, or alternatives for one."""
    return len(estimate.sources) == 1 or estimate.verdict in ("ambiguous", "direction only")


def _plane_of(estimate: Estimate) -> _Plane | None:
    """Of the microphones that were heard, where they lie in one."""
    heard = [each.position_m for each in estimate.microphones if each.weight > 0 and each.position_m is not None]
    if len(heard) < 3:
        return None
    positions = np.array(heard)
    if physics.shape_rank(positions) != 2 and "mirror_twin" not in estimate.reasons:
        return None
    normal = physics.shape(positions)[1][2]
    return _Plane(centre_m=positions.mean(axis=0), normal=normal * np.sign(normal[np.abs(normal).argmax()]))


def _candidates(estimate: Estimate) -> tuple[Source, ...]:
    return estimate.sources if _is_one_place(estimate) else ()


def _fix(source: Source) -> Fix:
    return Fix(source.position_m, source.covariance_m2)


def _restlessness(seconds: float) -> Float[np.ndarray, "6 6"]:
    """Covariance that white accelerations add in this time."""
    blocks = np.array([[seconds**3 / 3, seconds**2 / 2], [seconds**2 / 2, seconds]])
    return RESTLESS_M2_S3 * np.kron(blocks, np.eye(3))


def _told(step: _Step, position_m: np.ndarray, covariance_m2: np.ndarray) -> Estimate:
    """The estimate with the track's place."""
    if not _is_one_place(step.estimate):
        return step.estimate
    plane = _plane_of(step.estimate)
    if plane is not None:
        position_m = plane.kept_on(step.side, position_m)
    if step.estimate.direction is not None:
        return _turned(step.estimate, position_m, plane)
    estimate = replace(step.estimate, regions=SMOOTHED)
    covariance_m2 = (covariance_m2 + covariance_m2.T) / 2
    source = replace(step.taken or estimate.sources[0], position_m=position_m).spread(covariance_m2)
    if step.taken is None:
        x, y, z = estimate.sources[0].position_m
        return _changed(estimate, source, "off_track", f"alone this window said ({x:.2f}, {y:.2f}, {z:.2f}) m")
    if len(estimate.sources) > 1:
        said = f"the windows before and after decide between {len(estimate.sources)} places"
        return _changed(estimate, source, "decided_by_track", said)
    return replace(estimate, sources=(source,))


def _turned(estimate: Estimate, position_m: Float[np.ndarray, "3"], plane: _Plane | None) -> Estimate:
    """The estimate with its directions towards the track's place, and towards the mirror image of that."""
    assert estimate.direction is not None
    places = (
        [position_m] if estimate.direction.mirror is None or plane is None else [position_m, plane.mirrored(position_m)]
    )
    sides = [_towards(side, place) for side, place in zip(estimate.direction.sides, places, strict=False)]
    sources = [
        replace(source, position_m=side.from_m + np.linalg.norm(source.position_m - side.from_m) * side.unit)
        for source, side in zip(estimate.sources, sides, strict=False)
    ]
    return replace(estimate, direction=sides[0].mirrored_by(*sides[1:]), sources=tuple(sources))


def _towards(side: Direction, place: Float[np.ndarray, "3"]) -> Direction:
    azimuth_deg, elevation_deg = physics.azimuth_elevation(place - side.from_m)
    return replace(side, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, mirror=None)


def _changed(estimate: Estimate, source: Source, code: str, sentence: str) -> Estimate:
    """With one source, and why; what was ambiguous is not any more."""
    kept = [finding for finding in estimate.findings if finding.code not in AMBIGUITIES]
    findings = (*kept, Finding(code, sentence))
    return replace(estimate, verdict="degraded", sources=(source,), findings=findings)
