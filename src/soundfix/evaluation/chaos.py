"""Chaos: a clean recording is broken on purpose, by seed, and a method must notice, name and survive it.

    for attempt in chaos(scene, MyLocalizer(), kinds=["late", "moved"], tries=3):
        print(attempt.label, attempt.microphones, attempt.is_named, np.nanmedian(attempt.after_m))

The method is any that keeps the contract of `soundfix.testing.check_localizer`. Every try is a fault drawn anew, heard by a
new Session in windows of WINDOW_S.

Conventions
- Errors (m): from the first place to the nearest source, a number a window, NaN where there is no answer. The sources are
  the truth of the scene; without one they are what the method itself answered on the clean recording, so that errors say
  how far a fault moves it, and those before it are zero.
- Found: a verdict that was ok on the clean recording is not ok any more, or a window or the summary names one of the broken.
- Named: the summary says of exactly the broken microphones that they are not ok. EXPECTED says where less will do.
- False alarms: sound microphones that the summary says are not ok. Of those whose position was never known it must.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from jaxtyping import Float

from soundfix.errors import SceneError
from soundfix.estimate import Estimate, Localizer, Verdict
from soundfix.files.take import WINDOW_S
from soundfix.scene import Scene
from soundfix.session.session import Session
from soundfix.simulation.faults import KINDS, Fault, break_scene

Expected = Literal[
    "named",  # in the summary
    "noted",  # there, or by name in any window: it was mended, or it is not there all the time
    "mended",  # of no effect: right is who accuses nobody
]
EXPECTED: dict[str, Expected] = {
    "dead": "named",
    "cut": "noted",
    "noisy": "named",
    "hum": "noted",
    "clipped": "named",
    "nan": "noted",
    "dc": "mended",
    "inverted": "noted",
    "gain": "mended",
    "late": "named",
    "drift": "named",
    "mislabelled": "named",
    "dropped": "named",
    "copied": "named",
    "swapped": "named",
    "relisted": "named",
    "moved": "named",
    "unknown": "named",
}
PAIRED = ("copied", "swapped", "relisted")  # these break two microphones at once
MIX = "mix"  # every broken microphone in a way of its own


@dataclass(frozen=True, kw_only=True, eq=False)
class SessionOutcome:
    """What a Session made of a recording. places_m: the first of each window, NaN where there is none; mentioned: names of
    microphones in any window; accused: those that the summary says are not ok."""

    places_m: Float[np.ndarray, "window 3"]
    verdicts: tuple[Verdict, ...]
    mentioned: frozenset[str] = frozenset()
    accused: frozenset[str] = frozenset()

    @property
    def unanswered(self) -> float:
        """Share of the windows without a place."""
        return float(np.isnan(self.places_m[:, 0]).mean())


@dataclass(frozen=True, kw_only=True, eq=False)
class Clean:
    """A clean recording, what a method makes of it, and where its sources are; is_true: by the scene's truth."""

    scene: Scene
    localizer: Localizer
    heard: SessionOutcome
    sources_m: Float[np.ndarray, "window source 3"]
    is_true: bool

    @property
    def alarms(self) -> tuple[str, ...]:
        """Microphones that are named though nothing was broken."""
        return tuple(sorted(self.heard.accused - self.unlisted))

    @property
    def unlisted(self) -> frozenset[str]:
        """Microphones whose position was never known."""
        names = self.scene.microphones.names
        return frozenset(names[m] for m in np.flatnonzero(~self.scene.microphones.is_known))

    def errors_m(self, heard: SessionOutcome) -> Float[np.ndarray, "window"]:
        """Of these answers; NaN where there is none, or where nobody knows better."""
        gaps = np.linalg.norm(self.sources_m - heard.places_m[:, None], axis=-1)
        nearest = np.where(np.isnan(gaps), np.inf, gaps).min(axis=1)
        return np.where(np.isinf(nearest), np.nan, nearest)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attempt:
    """One try. label: the kind, or MIX; microphones: the broken ones, partners among them; alarms: sound ones that were
    named; unanswered: share of windows; refused: the error, where the recording was refused altogether."""

    label: str
    kinds: tuple[str, ...]
    microphones: tuple[str, ...]
    is_found: bool
    is_named: bool
    alarms: tuple[str, ...]
    before_m: Float[np.ndarray, "window"]
    after_m: Float[np.ndarray, "window"]
    unanswered: float
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class ChaosRequest:
    """What is tried on a clean recording: `tries` of every kind, each with so many broken microphones, by seed.

    Raises SceneError where a kind is none.
    """

    kinds: Sequence[str] = tuple(KINDS)
    broken: int = 1
    tries: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        labels(self.kinds, self.broken)

    @property
    def count(self) -> int:
        """Tries to go through."""
        return self.tries * len(labels(self.kinds, self.broken))


def chaos(
    scene: Scene,
    localizer: Localizer,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    broken: int = 1,
    tries: int = 5,
    seed: int = 0,
) -> Iterator[Attempt]:
    """Try what a ChaosRequest says on this clean recording; raises SceneError."""
    request = ChaosRequest(kinds=kinds, broken=broken, tries=tries, seed=seed)
    return attempts(hear_clean(scene, localizer), request)


def hear_clean(scene: Scene, localizer: Localizer) -> Clean:
    """What there is to compare with. Raises SceneError on a recording shorter than a window."""
    heard = hear(scene, localizer)
    truths = [window.truth for window in windows(scene)]
    known = [truth.sources for truth in truths if truth is not None and len(truth.sources)]
    return Clean(
        scene=scene,
        localizer=localizer,
        heard=heard,
        sources_m=np.stack(known) if known else heard.places_m[:, None],
        is_true=bool(known),
    )


def attempts(clean: Clean, request: ChaosRequest) -> Iterator[Attempt]:
    """`tries` of every label. The same seed breaks the same, whatever else is tried."""
    broken = request.broken
    _check_count(broken, int(clean.scene.microphones.is_known.sum()))
    order = (*KINDS, MIX)
    for label, number in product(labels(request.kinds, broken), range(request.tries)):
        rng = np.random.default_rng([request.seed, broken, order.index(label), number])
        kinds = request.kinds if label == MIX else [label]
        yield attempt(clean, draw_kinds(kinds, broken, rng), rng, label=label)


def _check_count(broken: int, known: int) -> None:
    if not 1 <= broken <= known / 2:
        raise SceneError(
            f"{broken} microphones to break of {known} of known position: wanted 1 to {known // 2}; where most are broken, "
            "nobody can say which"
        )


def labels(kinds: Sequence[str], broken: int) -> tuple[str, ...]:
    """What is tried: every kind, and all of them mixed where several microphones break. Raises SceneError."""
    for kind in kinds:
        if kind not in KINDS:
            raise SceneError(f"no fault is called {kind!r}; there are {', '.join(KINDS)}")
    kinds = tuple(dict.fromkeys(kinds))
    return (*kinds, MIX) if broken > 1 and len(kinds) > 1 else kinds


def draw_kinds(kinds: Sequence[str], broken: int, rng: np.random.Generator) -> list[str]:
    """Kinds that break so many microphones together (one more where only pairs can): all different, if there are enough."""
    chosen: list[str] = []
    while (left := broken - _touched(chosen)) > 0:
        fitting = [kind for kind in kinds if _touched([kind]) <= left] or list(kinds)
        fresh = [kind for kind in fitting if kind not in chosen]
        chosen.append(str(rng.choice(fresh or fitting)))
    return chosen


def _touched(kinds: Sequence[str]) -> int:
    """How many microphones these break."""
    return sum(2 if kind in PAIRED else 1 for kind in kinds)


def attempt(clean: Clean, kinds: Sequence[str], rng: np.random.Generator, *, label: str) -> Attempt:
    """Break a microphone in each of these ways, and hear what the method says."""
    faults = plan(clean.scene, kinds, rng)
    scene = break_scene(clean.scene, faults, rng)
    refused = ""
    try:
        heard = hear(scene, clean.localizer)
    except SceneError as error:
        heard, refused = _nothing(len(clean.heard.verdicts)), str(error)
    culprits = _culprits(faults, scene.microphones.names)
    accused = heard.accused - clean.unlisted
    guilty = frozenset(name for name, expected in culprits.items() if expected != "mended")
    noted = frozenset(name for name, expected in culprits.items() if expected == "noted")
    return Attempt(
        label=label,
        kinds=tuple(kinds),
        microphones=tuple(culprits),
        is_found=_is_worse(clean.heard, heard) or bool(culprits.keys() & (heard.mentioned | accused)),
        is_named=accused | (noted & heard.mentioned) == guilty and not refused,
        alarms=tuple(sorted(accused - guilty)),
        before_m=clean.errors_m(clean.heard),
        after_m=clean.errors_m(heard),
        unanswered=heard.unanswered,
        refused=refused,
    )


def plan(scene: Scene, kinds: Sequence[str], rng: np.random.Generator) -> tuple[Fault, ...]:
    """A fault of each of these kinds, every one on microphones of its own (of known position)."""
    known = np.flatnonzero(scene.microphones.is_known)
    if _touched(kinds) > len(known):
        raise SceneError(
            f"{', '.join(kinds)} break {_touched(kinds)} microphones, and {len(known)} are of known position"
        )
    drawn = iter(rng.permutation(known).tolist())
    names = scene.microphones.names
    return tuple(Fault(kind, names[next(drawn)], next(drawn) + 1.0 if kind in PAIRED else None) for kind in kinds)


def hear(scene: Scene, localizer: Localizer) -> SessionOutcome:
    """All windows of a recording, by a new Session."""
    session = Session(
        localizer=localizer,
        microphones=scene.microphones,
        room=scene.room,
        search=scene.search,
        temperature_c=scene.temperature_c,
        speed_of_sound_m_s=scene.speed_of_sound_m_s,
    )
    estimates = [session.hear(window.start_s, window.audio, window.sample_rate) for window in windows(scene)]
    return SessionOutcome(
        places_m=np.array([_first_place(estimate) for estimate in estimates]),
        verdicts=tuple(estimate.verdict for estimate in estimates),
        mentioned=frozenset(name for estimate in estimates for name in _mentioned(estimate)),
        accused=frozenset(report.name for report in session.summary() if report.status != "ok"),
    )


def windows(scene: Scene) -> Iterator[Scene]:
    """Full windows, one after the other. Raises SceneError where there is none."""
    length = round(WINDOW_S * scene.sample_rate)
    if scene.audio.shape[1] < length:
        raise SceneError(f"a recording of {scene.duration_s:.3g} s: wanted at least a window of {WINDOW_S} s")
    for first in range(0, scene.audio.shape[1] - length + 1, length):
        yield scene.part(first, length)


def _first_place(estimate: Estimate) -> Float[np.ndarray, "3"]:
    return estimate.sources[0].position_m if estimate.sources else np.full(3, np.nan)


def _mentioned(estimate: Estimate) -> Iterator[str]:
    """By a reason, which is `code` or `code:microphone`, or by a status."""
    yield from (name for _, _, name in (reason.partition(":") for reason in estimate.reasons) if name)
    yield from (report.name for report in estimate.microphones if report.status != "ok")


def _nothing(count: int) -> SessionOutcome:
    """Of a recording that is refused no window has an answer."""
    silence: list[Verdict] = ["abstain"] * count
    return SessionOutcome(places_m=np.full((count, 3), np.nan), verdicts=tuple(silence))


def _culprits(faults: Sequence[Fault], names: Sequence[str]) -> dict[str, Expected]:
    """The broken microphones, with the partners that `plan` gave them, and what is expected to be said of each."""
    pairs = [(fault.kind, name) for fault in faults for name in (fault.microphone, _partner(fault, names)) if name]
    return {name: EXPECTED[kind] for kind, name in pairs}


def _partner(fault: Fault, names: Sequence[str]) -> str:
    return names[int(fault.amount) - 1] if fault.kind in PAIRED and fault.amount is not None else ""


def _is_worse(clean: SessionOutcome, heard: SessionOutcome) -> bool:
    return any(was == "ok" != now for was, now in zip(clean.verdicts, heard.verdicts, strict=True))
