"""A whole recording: one answer a window, and what is learned about the microphones on the way.

One window can suspect a microphone; several can convict it. The profiles that the windows give of each microphone
(profile.py) are added up: what agrees with the others grows, chance does not. A microphone that the sum speaks against,
or most of the windows one by one, is left out of those that follow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from soundfix import physics
from soundfix.catalog import DEFAULT, load
from soundfix.conclusion import Conclusion
from soundfix.contract import Contract, Watch, parse_contract
from soundfix.errors import SceneError
from soundfix.explanations import Explanation
from soundfix.history import Event, History
from soundfix.localizer import Estimate, Localizer, MicrophoneReport
from soundfix.report import ACCUSATIONS
from soundfix.scene import Microphones, Room, Scene, search_box
from soundfix.smoothing import smoothed
from soundfix.starts import Start, Starts, starts_of

WINDOW_S = 0.5
SAMPLE_RATE = 16_000.0
FEWEST_LEFT = 5
SLOWEST_M_S = 331.0
UNITS_M = {"feet": 0.3048, "cm": 0.01, "inches": 0.0254, "mm": 0.001}
WINDOWS_FOR_UNITS = 3  # windows without a clear answer after which other units are tried
BETTER_FIT = 1.5  # times the score: positions fit that much better in another unit


@dataclass(frozen=True, kw_only=True, eq=False)
class Located:
    """All windows of a recording, the verdict on every microphone over all of them, when it changed, and why it is bad.

    starts: microphones that do not begin with the others (starts.py).
    """

    estimates: tuple[Estimate, ...]
    microphones: tuple[MicrophoneReport, ...]
    events: tuple[Event, ...] = ()
    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    starts: tuple[Start, ...] = ()


def locate(
    audio: ArrayLike,
    sample_rate: float,
    positions: ArrayLike | Microphones,
    *,
    method: str | Localizer = DEFAULT,
    window_s: float = WINDOW_S,
    hop_s: float | None = None,
    smooth: bool = False,
    room: Room | None = None,
    temperature_c: float | None = None,
    speed_of_sound_m_s: float | None = None,
    require: str | Contract | None = None,
) -> Located:
    """Where the sounds of a recording came from, window by window.

    audio: (M, T), any rate (resampled to 16 kHz where higher). positions: (M, 3) metres, NaN rows for unknown ones, or
    Microphones. hop_s: from window to window; the window's length by default. smooth: over time, for
    one source that moves as people do (smoothing.py). require: what must hold when microphones are lost (contract.py);
    estimates then say where that is broken or at risk. Raises SceneError on what cannot be.
    """
    microphones = positions if isinstance(positions, Microphones) else Microphones(positions=np.asarray(positions))
    whole = Scene(audio=np.asarray(audio), sample_rate=sample_rate, microphones=microphones)
    samples, rate = _resampled(whole.audio, whole.sample_rate)
    session = Session(
        localizer=load(method) if isinstance(method, str) else method,
        microphones=microphones,
        room=room,
        temperature_c=temperature_c,
        speed_of_sound_m_s=speed_of_sound_m_s,
        require=require,
    )
    heard = (session.hear(start, part, rate) for start, part in _windows(samples, rate, window_s, hop_s))
    estimates = tuple(smoothed(heard) if smooth else heard)
    return Located(
        estimates=estimates,
        microphones=session.summary(),
        events=session.events,
        explanations=session.explanations(),
        starts=session.starts,
    )


def _resampled(audio: Float[np.ndarray, "mic time"], rate: float) -> tuple[Float[np.ndarray, "mic resampled"], float]:
    """At 16 kHz where the rate is higher. A resampler would spread a NaN over everything: it is put back afterwards."""
    import soxr

    if rate <= SAMPLE_RATE:
        return audio, rate
    is_bad = ~np.isfinite(audio)
    samples = soxr.resample(np.where(is_bad, 0, audio).T, rate, SAMPLE_RATE).T
    channel, place = np.nonzero(is_bad)
    samples[channel, np.minimum((place * SAMPLE_RATE / rate).astype(int), samples.shape[1] - 1)] = np.nan
    return samples, SAMPLE_RATE


def _windows(
    samples: Float[np.ndarray, "mic time"], rate: float, window_s: float, hop_s: float | None
) -> Iterator[tuple[float, Float[np.ndarray, "mic part"]]]:
    """Full windows; the whole, where it is shorter than one; a last shorter one for half a window of sound left over."""
    hop_s = window_s if hop_s is None else hop_s
    if not (np.isfinite([window_s, hop_s]).all() and min(window_s, hop_s) * rate >= 1):
        raise SceneError(f"window {window_s} s, hop {hop_s} s: wanted at least a sample each")
    length, hop, total = round(window_s * rate), round(hop_s * rate), samples.shape[1]
    starts = list(range(0, max(total - length, 0) + 1, hop))
    if total - max(starts[-1] + length, starts[-1] + hop) >= length / 2:
        starts.append(starts[-1] + hop)
    for start in starts:
        yield start / rate, samples[:, start : start + length]


@dataclass(kw_only=True, eq=False)
class Session:
    """Windows come in by `hear`, in order; estimates go out. Memory does not grow with the number of windows."""

    localizer: Localizer
    microphones: Microphones
    room: Room | None = None
    temperature_c: float | None = None
    speed_of_sound_m_s: float | None = None
    require: str | Contract | None = None
    _unclear: int = 0
    _history: list[History] = field(init=False)
    _watch: Watch | None = field(init=False)
    _starts: Starts = field(init=False)

    def __post_init__(self) -> None:
        contract = self.require and parse_contract(self.require)
        self._watch = Watch(contract=contract, microphones=self.microphones, room=self.room) if contract else None
        self._history = [History(name=name) for name in self.microphones.names]
        self._starts = starts_of(self.microphones, self.speed)

    @property
    def is_convicted(self) -> Bool[np.ndarray, "mic"]:
        """Microphones that the windows so far agree against, strongest cases first, while enough others are left."""
        is_dead = np.array([past.report is not None and past.report.status == "dead" for past in self._history])
        able = int(np.sum(self.microphones.is_known & ~is_dead))
        most = max(0, min(able - FEWEST_LEFT, (able - 1) // 2))
        usual = self._usual_height
        guilty = np.array([past.is_guilty(usual) for past in self._history])
        case = np.array([past.log_odds for past in self._history]) - 1e3 * ~guilty
        guilty[np.argsort(-case)[most:]] = False
        return guilty

    @property
    def _usual_height(self) -> float:
        """How high the median microphone's profile is where it should be."""
        heights = [past.mean_height for past in self._history if past.mean_height is not None]
        return median(heights) if len(heights) >= FEWEST_LEFT else 0.0

    def hear(self, start_s: float, audio: Float[np.ndarray, "mic time"], sample_rate: float) -> Estimate:
        """The estimate for one window (M, T)."""
        self._starts.hear(start_s, audio, sample_rate)
        if self._is_scrap(audio.shape[1] / sample_rate):
            return self._nothing(start_s, start_s + audio.shape[1] / sample_rate)
        scene = Scene(
            audio=audio,
            sample_rate=sample_rate,
            microphones=self.microphones,
            room=self.room,
            temperature_c=self.temperature_c,
            speed_of_sound_m_s=self.speed_of_sound_m_s,
            start_s=start_s,
            is_trusted=~self.is_convicted,
        )
        estimate = self.localizer.locate(scene)
        self._check_units(scene, estimate)
        self._learn(estimate)
        said = self._with_convicted(estimate, ~scene.is_trusted)
        for past, report in zip(self._history, said.microphones, strict=True):
            past.note(report.status, start_s)
        return self._with_contract(said)

    def _is_scrap(self, duration_s: float) -> bool:
        """Whether this is what was left over at the end, too short for the sound to cross the array."""
        known = self.microphones.positions[self.microphones.is_known]
        if len(known) < 2 or self._history[0].report is None:
            return False
        return bool(physics.distances(known, known).max() > duration_s * SLOWEST_M_S)

    def _nothing(self, start_s: float, end_s: float) -> Estimate:
        """The answer to a scrap of sound."""
        return Estimate(
            method=self.localizer.name,
            start_s=start_s,
            end_s=end_s,
            verdict="abstain",
            reasons=("window_too_short",),
            notes=("the sound left over is shorter than it takes to cross the array",),
            microphones=tuple(replace(past.report, weight=0.0) for past in self._history if past.report),
        )

    @property
    def speed(self) -> float:
        """Speed of sound (m/s)."""
        return physics.chosen_speed(self.speed_of_sound_m_s, self.temperature_c)

    @property
    def events(self) -> tuple[Event, ...]:
        """When a microphone's state changed, in order of time."""
        return tuple(sorted((event for past in self._history for event in past.events), key=lambda event: event.time_s))

    @property
    def starts(self) -> tuple[Start, ...]:
        """Microphones whose recordings begin seconds before or after the others'."""
        return self._starts.apart()

    def explanations(self) -> dict[str, Explanation]:
        """Of those that the windows speak against: where they rather stand, or how late they are; where that is clear."""
        box = search_box(self.microphones, self.room)
        told = {
            past.name: past.explanation(self.microphones, box)
            for past, guilty in zip(self._history, self.is_convicted, strict=True)
            if guilty
        }
        return {name: found for name, found in told.items() if found is not None}

    def summary(self) -> tuple[MicrophoneReport, ...]:
        """Every microphone over all windows: convicted by all together, or dead or clipped in most."""
        return tuple(
            replace(
                past.report,
                status=past.verdict(is_guilty=bool(guilty)),
                weight=past.mean_weight(),
                pull_m=past.profile.pull_m if past.profile else past.report.pull_m,
                range_m=past.median_range_m(),
                shell=past.familiar(),
            )
            for past, guilty in zip(self._history, self.is_convicted, strict=True)
            if past.report is not None
        )

    def conclusion(self) -> Conclusion:
        """What all windows together say of the microphones."""
        return Conclusion(
            events=self.events,
            microphones=self.summary(),
            explanations=self.explanations(),
            speed_m_s=self.speed,
            starts=self.starts,
        )

    def _learn(self, estimate: Estimate) -> None:
        place = estimate.sources[0].position_m if estimate.verdict in ("ok", "degraded") else None
        for past, report in zip(self._history, estimate.microphones, strict=True):
            past.add(report, time_s=(estimate.start_s + estimate.end_s) / 2, place=place)

    def _with_convicted(self, estimate: Estimate, convicted: Bool[np.ndarray, "mic"]) -> Estimate:
        """The estimate with the microphones that were not trusted named, and without profiles: they have been added up."""
        reports, named = list(estimate.microphones), []
        for m in np.flatnonzero(convicted):
            if reports[m].status not in ACCUSATIONS:
                reports[m] = self._history[m].convicted()
                named.append(reports[m])
        return replace(
            estimate,
            verdict="degraded" if named and estimate.verdict == "ok" else estimate.verdict,
            reasons=(*estimate.reasons, *(f"{report.status}:{report.name}" for report in named)),
            notes=(
                *estimate.notes,
                *(f"{report.name}: left out; earlier windows speak against it" for report in named),
            ),
            microphones=tuple(replace(report, profile=None) for report in reports),
        )

    def _with_contract(self, estimate: Estimate) -> Estimate:
        """The estimate saying what has become of the contract; its verdict stays."""
        found = self._watch.findings(estimate) if self._watch else ()
        return replace(
            estimate,
            reasons=(*estimate.reasons, *(finding.code for finding in found)),
            notes=(*estimate.notes, *(finding.sentence for finding in found)),
        )

    def _check_units(self, scene: Scene, estimate: Estimate) -> None:
        """Positions in the wrong unit give no clear answer in any window; in the right one they do."""
        accused = sum(report.status in ACCUSATIONS for report in estimate.microphones)
        is_unclear = (estimate.verdict in ("ambiguous", "abstain") or accused > 1) and bool(np.any(scene.audio))
        if not is_unclear or self._unclear >= WINDOWS_FOR_UNITS or self._unclear < 0:
            self._unclear = self._unclear if is_unclear else -1
            return
        self._unclear += 1
        unit = likely_unit(scene, self.localizer, estimate)
        if unit:
            raise SceneError(
                f"the positions do not fit the sound as metres, but they do as {unit}: "
                f"were they given in {unit}? Convert them to metres"
            )


def likely_unit(scene: Scene, localizer: Localizer, estimate: Estimate) -> str | None:
    """The unit in which the positions fit the sound far better than in metres, if there is one."""
    for unit, metres in UNITS_M.items():
        try:
            other = localizer.locate(_scaled(scene, metres))
        except SceneError:
            continue
        if other.verdict in ("ok", "degraded") and _strength(other) > BETTER_FIT * _strength(estimate):
            return unit
    return None


def _strength(estimate: Estimate) -> float:
    """The evidence in standard errors: that of few pairs fits somewhere by chance."""
    used = sum(report.weight > 0 for report in estimate.microphones)
    return max((source.score for source in estimate.sources), default=0.0) * (used * (used - 1) / 2) ** 0.5


def _scaled(scene: Scene, factor: float) -> Scene:
    positions = scene.microphones.border_positions() * factor
    return replace(scene, microphones=replace(scene.microphones, positions=positions), room=None)
