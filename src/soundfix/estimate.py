"""The answer and who may give it: Estimate, and the Localizer interface that every method of the catalog obeys."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.events import SoundEvent
from soundfix.scene import Scene

Verdict = Literal["ok", "degraded", "ambiguous", "direction only", "abstain"]
Status = Literal[
    "ok",  # heard, and agrees with the rest
    "dead",  # nothing on this channel: zeros, a constant, or mostly NaN
    "clipped",  # at the rail too often
    "noisy",  # its sound has nothing in common with the others'
    "inverted",  # polarity reversed; corrected and used
    "duplicate",  # the same samples as another channel
    "late",  # hears everything too late, by more than a wrong place explains
    "misplaced",  # hears the source at another distance than its position says
    "unknown-position",  # used for nothing but its distance from the source
    "excluded",  # contradicts the rest, and no delay makes it fit
]
ACCUSATIONS: tuple[Status, ...] = ("noisy", "late", "misplaced", "excluded")
AMBIGUITIES = ("collinear", "mirror_twin", "several_places")  # findings after which sources are alternatives
COVERAGE = 0.9  # of regions
KINDS = ("speech", "music", "other", "none")  # of sound; none: noise alone


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """How one microphone agrees with the others (localization/profile.py): a curve and its peaks, in standard deviations.

    curve: the profile at delays spaced by step_m (metres of path), zero in the middle. near_m: how near to zero agrees.
    """

    curve: Float[np.ndarray, "delay"]
    step_m: float
    near_m: float
    at_zero: float
    early: float  # the highest peak before zero: heard sooner than the position says
    late: float  # the highest peak after zero
    pull_m: float  # where the profile first peaks: how much later than expected the sound arrived
    residual_m: float  # where it peaks near zero: the timing error of a microphone that agrees
    negative: float  # depth of the lowest value near zero

    @property
    def elsewhere(self) -> float:
        """The highest peak away from zero."""
        return max(self.early, self.late)


class Air(NamedTuple):
    """The speed of sound that fits what was heard (m/s), and its standard error: warmth and wind together."""

    speed_m_s: float
    sigma_m_s: float


class Finding(NamedTuple):
    """Something the answer should mention: a code for machines, a sentence for people, and whether it costs the "ok"."""

    code: str
    sentence: str
    degrades: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One place a sound came from. Metres; `radius90_m` is the sphere that holds 90 % of the covariance."""

    position_m: Float[np.ndarray, "3"]
    covariance_m2: Float[np.ndarray, "3 3"]
    radius90_m: float
    score: float  # mean evidence of a pair at this point: 1 for a clean anechoic sound, 0 for noise
    track: int | None = None  # who it is, from window to window (tracking/tracker.py)
    level_dbfs: float | None = None  # of the sound from there (session/level.py)
    kinds: Mapping[str, float] | None = None  # of KINDS, what it is with which probability (session/kinds.py)

    @property
    def across90_m(self) -> float:
        """Radius (m) of the circle that holds 90 %, seen from above."""
        level = self.covariance_m2.copy()
        level[2], level[:, 2] = 0.0, 0.0
        return physics.radius90(level) if level.any() else 0.0

    def spread(self, covariance_m2: Float[np.ndarray, "3 3"]) -> "Source":
        """The same place with this covariance."""
        return replace(self, covariance_m2=covariance_m2, radius90_m=physics.radius90(covariance_m2))


@dataclass(frozen=True, kw_only=True, eq=False)
class Direction:
    """Where a sound comes from, seen from the middle of an array that is too compact to tell how far it is.

    azimuth_deg: from the x axis towards the y axis, -180 to 180. elevation_deg: above the horizontal, -90 to 90.
    cone90_deg: the angle round it that holds the sound with 90 %, half the opening of the cone. from_m: the middle of the
    array. range_m: from, to (m): what holds the distance with 90 %, where the room says so much. mirror: the other
    direction, of which an array in a plane hears the same, where nothing excludes it; its own mirror is None.
    """

    azimuth_deg: float
    elevation_deg: float
    cone90_deg: float
    from_m: Float[np.ndarray, "3"]
    range_m: tuple[float, float] | None = None
    mirror: "Direction | None" = None

    @property
    def unit(self) -> Float[np.ndarray, "3"]:
        """The unit vector that points there."""
        azimuth, elevation = np.radians([self.azimuth_deg, self.elevation_deg])
        level = np.cos(elevation)
        return np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])

    @property
    def sides(self) -> "tuple[Direction, ...]":
        """This one, and its mirror image."""
        return (self,) if self.mirror is None else (self, self.mirror)

    def mirrored_by(self, *other: "Direction") -> "Direction":
        """With this mirror image, if there is one."""
        return replace(self, mirror=other[0] if other else None)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, named as in the JSON file."""
        return {
            "azimuth_deg": self.azimuth_deg,
            "elevation_deg": self.elevation_deg,
            "cone90_deg": self.cone90_deg,
            "from_m": self.from_m.tolist(),
            "range_m": None if self.range_m is None else list(self.range_m),
            "mirror": None if self.mirror is None else self.mirror.to_dict(),
        }


class Radii(NamedTuple):
    """Probabilities of the distances from the source: by what was heard, and before, in the room; each adds up to 1.

    error_m: standard error that the distance from a place has by the source's own.
    """

    radii_m: Float[np.ndarray, "radius"]
    heard: Float[np.ndarray, "radius"]
    before: Float[np.ndarray, "radius"]
    error_m: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Shell:
    """All that one window knows of where a microphone of unknown position stands: on a sphere round the source, in the room.

    centre_m: the source. radius_m: median of the distance from it; sigma_m: its standard deviation; radius90_m: from, to,
    the interval that holds it with 90 %. place_m: the place with the least expected distance from the microphone, which is
    expected_error_m; no position. knows: that, or also an array that the network was trained with (known_layouts.py); then
    probability: that it stands there, at a free place of that array, where one is clear. radii: behind these, not in the
    JSON.
    """

    centre_m: Float[np.ndarray, "3"]
    radius_m: float
    sigma_m: float
    radius90_m: tuple[float, float]
    place_m: Float[np.ndarray, "3"]
    expected_error_m: float
    radii: Radii
    knows: Literal["radius only", "radius and array"] = "radius only"
    probability: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class MicrophoneReport:
    """What the answer says of one microphone.

    weight: its share in the answer, 0 (left out) to 1. position_m: its known, or its estimated, position; None
    where unknown. pull_m: how much later (in metres of path) it heard the source than its position says;
    None where nothing was heard. range_m: its distance from the source, for a microphone of unknown position, where that
    is clear; shell: what one window knows of its place, be that little; guess: that of an abstention, as in Estimate.
    profile: how it agrees with the others (profile.py), where the method says so, and residual_m: of one that agrees, how
    much later (in metres of path) it heard the source than this place says; neither is in the JSON.
    """

    name: str
    status: Status
    weight: float
    position_m: Float[np.ndarray, "3"] | None
    pull_m: float | None = None
    range_m: float | None = None
    shell: Shell | None = None
    guess: Shell | None = None
    profile: Profile | None = None
    residual_m: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, named as in the JSON file; range_m and shell only where there is one."""
        entry: dict[str, Any] = {
            "name": self.name,
            "status": self.status,
            "weight": self.weight,
            "position_m": None if self.position_m is None else self.position_m.tolist(),
            "pull_m": self.pull_m,
        }
        if self.range_m is not None:
            entry["range_m"] = self.range_m
        return entry if self.shell is None else entry | {"shell": _shell_dict(self.shell)}


@dataclass(frozen=True, kw_only=True)
class PairReport:
    """Why a network answered as it did: what it made of one pair of microphones.

    coherence: how much the two hear the same, 0..1. attention: the share of the (first) source's attention, adding
    up to 1 over all pairs. gate: how much the pair counts in the likelihood, 1 is as usual.
    """

    microphones: tuple[str, str]
    coherence: float
    attention: float
    gate: float


@dataclass(frozen=True, kw_only=True)
class Regions:
    """How the regions of an answer were calibrated.

    coverage: the share of answers whose regions are meant to hold the truth. held_out: on how many answers of known truth,
    to sounds and in rooms that nothing was trained on, that rests; 0: on none.
    """

    method: str
    coverage: float
    held_out: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate:
    """The answer for one span of time, start_s to end_s (s from the start of the recording).

    verdict: ok | degraded (an answer, but something is wrong: see reasons) | ambiguous (several places explain the
    sound: all are in `sources`, best first) | direction only (the array is too compact to tell how far: see `direction`;
    its sources are the middle of the ray in the box, one a side) | abstain (no place: see reasons). findings: what else is
    to be said; reasons are their codes, `code` or `code:microphone`, notes their sentences. regions: how those of the
    sources were calibrated, if known. microphones: a report on every one. pairs: of a network that was asked to explain
    itself. air: the speed of sound that fits best, where the array is wide enough to tell. guess_m: the places that an
    abstention did not believe in, for comparing methods only; they are in no file.
    event: the one that was located, where a table listed it; the span is its own. clock: when that began, by the recorders.
    Each source has position_m (3,) in m, covariance_m2 (3, 3) in m², radius90_m in m and a score.
    Numbers are finite, always. Raises ValueError where one is not, or an abstention has sources.
    """

    method: str
    start_s: float
    end_s: float
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    sources: tuple[Source, ...] = ()
    regions: Regions | None = None
    microphones: tuple[MicrophoneReport, ...] = field(default=())
    pairs: tuple[PairReport, ...] = ()
    guess_m: Float[np.ndarray, "place 3"] | None = None
    direction: Direction | None = None
    event: SoundEvent | None = None
    clock: datetime | None = None
    air: Air | None = None

    def __post_init__(self) -> None:
        if (self.verdict == "direction only") != (self.direction is not None):
            raise ValueError(f"verdict {self.verdict} with direction {self.direction}")
        if (self.verdict == "abstain") != (not self.sources):
            raise ValueError(f"verdict {self.verdict} with {len(self.sources)} sources")
        for source in self.sources:
            numbers = [*source.position_m, *source.covariance_m2.ravel(), source.radius90_m, source.score]
            if not np.isfinite(numbers).all():
                raise ValueError(f"{self.method} answered with a number that is not finite: {source}")

    def __repr__(self) -> str:
        places = " or ".join(f"({', '.join(f'{x:.2f}' for x in source.position_m)}) m" for source in self.sources)
        if self.direction:
            sides = [f"({each.azimuth_deg:.0f}, {each.elevation_deg:.0f}) degrees" for each in self.direction.sides]
            places = " or ".join(sides)
        told = [self.method, f"{self.start_s:.2f} to {self.end_s:.2f} s", self.verdict, places, *self.reasons]
        return f"Estimate({', '.join(word for word in told if word)})"

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of the findings."""
        return tuple(finding.code for finding in self.findings)

    @property
    def notes(self) -> tuple[str, ...]:
        """Their sentences."""
        return tuple(finding.sentence for finding in self.findings)

    def with_findings(self, *more: Finding) -> "Estimate":
        """The estimate that says these too; its verdict stays."""
        return replace(self, findings=(*self.findings, *more))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, named as in the JSON file."""
        answer: dict[str, Any] = {
            "start_s": self.start_s,
            "end_s": self.end_s,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "sources": [_source_dict(source) for source in self.sources],
            "regions": asdict(self.regions) if self.regions else None,
            "microphones": [report.to_dict() for report in self.microphones],
        }
        if self.direction:
            answer["direction"] = self.direction.to_dict()
        if self.event:
            answer["event"] = self.event.to_dict()
        if self.clock:
            answer["clock"] = self.clock.isoformat()
        if self.air:
            answer["air"] = self.air._asdict()
        return answer | {"pairs": [asdict(pair) for pair in self.pairs]} if self.pairs else answer


@runtime_checkable
class Localizer(Protocol):
    """A method: it has a name and turns a Scene, sound (M, T) and positions (M, 3) in metres, into an Estimate.

    Whatever has these two is one; `soundfix.testing.check_localizer` is its contract.
    """

    @property
    def name(self) -> str: ...

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window, places in m. Never raises on a valid Scene: what cannot be answered is an `abstain`."""
        ...


def _source_dict(source: Source) -> dict[str, Any]:
    """track, level_dbfs and kinds only where there is one."""
    kinds = None if source.kinds is None else dict(source.kinds)
    followed = {"track": source.track, "level_dbfs": source.level_dbfs, "kinds": kinds}
    return {
        "position_m": source.position_m.tolist(),
        "covariance_m2": source.covariance_m2.tolist(),
        "radius90_m": source.radius90_m,
        "across90_m": source.across90_m,
        "score": source.score,
    } | {name: value for name, value in followed.items() if value is not None}


def _shell_dict(shell: Shell) -> dict[str, Any]:
    entry = {
        "knows": shell.knows,
        "centre_m": shell.centre_m.tolist(),
        "radius_m": shell.radius_m,
        "sigma_m": shell.sigma_m,
        "radius90_m": list(shell.radius90_m),
        "place_m": shell.place_m.tolist(),
        "expected_error_m": shell.expected_error_m,
    }
    return entry if shell.probability is None else entry | {"probability": shell.probability}
