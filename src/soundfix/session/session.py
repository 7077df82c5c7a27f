"""A whole recording: one answer a window, and what is learned about the microphones on the way.

One window can suspect a microphone; several can convict it. The profiles that the windows give of each microphone
(profile.py) are added up: what agrees with the others grows, chance does not. A microphone that the sum speaks against,
or most of the windows one by one, is left out of those that follow.
"""

from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics
from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.calibration.order_check import OrderCheck
from soundfix.estimate import ACCUSATIONS, Estimate, Finding, Localizer, MicrophoneReport
from soundfix.localization.stations import Stretch
from soundfix.microphones import Microphones
from soundfix.scene import Band, Others, Room, Scene, search_box
from soundfix.search_region import SearchRegion
from soundfix.session.air import AirCheck
from soundfix.session.microphone_history import Event, MicrophoneHistory
from soundfix.session.summary import Summary
from soundfix.session.told_walls import CONTRADICTED, ToldWalls
from soundfix.session.units import UnitsCheck, is_unclear
from soundfix.survey.requirement import Requirement, Watch, parse_requirement
from soundfix.survey.start_offsets import StartOffset, StartOffsets, starts_of

FEWEST_LEFT = 5
SLOWEST_M_S = 331.0


@dataclass(kw_only=True, eq=False)
class Session:
    """Windows come in by `hear`, in order; estimates go out. Memory does not grow with the number of windows."""

    localizer: Localizer
    microphones: Microphones
    room: Room | None = None
    search: SearchRegion | None = None
    temperature_c: float | None = None
    speed_of_sound_m_s: float | None = None
    wind_m_s: float | None = None
    require: str | Requirement | None = None
    band_hz: Band | None = None
    _units: UnitsCheck = field(init=False, default_factory=UnitsCheck)
    _order: OrderCheck = field(init=False, default_factory=OrderCheck)
    _was_unclear: bool = field(init=False, default=False)
    _walls: ToldWalls | None = field(init=False)
    _history: list[MicrophoneHistory] = field(init=False)
    _watch: Watch | None = field(init=False, default=None)
    _starts: StartOffsets = field(init=False)
    _passed_over: int = field(init=False, default=0)
    _air: AirCheck = field(init=False)

    def __post_init__(self) -> None:
        contract = self.require and parse_requirement(self.require)
        if contract:
            self._watch = Watch(contract=contract, microphones=self.microphones, room=self.room, search=self.search)
        self._walls = ToldWalls(room=self.room) if self.room is not None else None
        self._history = [MicrophoneHistory(name=name) for name in self.microphones.names]
        self._starts = starts_of(self.microphones, self.speed)
        self._air = AirCheck(told_m_s=self.speed)

    @property
    def is_excluded(self) -> Bool[np.ndarray, "mic"]:
        """Microphones that the windows so far agree against, strongest cases first, while enough others are left."""
        is_dead = np.array([past.report is not None and past.report.status == "dead" for past in self._history])
        able = int(np.sum(self.microphones.is_known & ~is_dead))
        most = max(0, min(able - FEWEST_LEFT, (able - 1) // 2))
        usual = self._usual_height
        faulty = np.array([past.is_faulty(usual) for past in self._history])
        case = np.array([past.log_odds for past in self._history]) - 1e3 * ~faulty
        faulty[np.argsort(-case)[most:]] = False
        return faulty

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
        scene = self.scene(start_s, audio, sample_rate)
        estimate = self.localizer.locate(scene)
        self._units.hear(scene, estimate)
        self._order.hear(scene)
        self._was_unclear = self._was_unclear or is_unclear(scene, estimate)
        return self._with_contract(self._learned(scene, estimate))

    def hear_event(
        self, part: Stretch, is_chosen: Bool[np.ndarray, "mic"], band_hz: Band | None, others: Others | None = None
    ) -> Estimate:
        """The estimate for one event, in its band, by the stations that were chosen; only these learn from it. others: who
        may hear it too."""
        scene = self.event_scene(part, is_chosen, band_hz, others)
        return self._learned(scene, self.localizer.locate(scene))

    def event_scene(
        self, part: Stretch, is_chosen: Bool[np.ndarray, "mic"], band_hz: Band | None, others: Others | None = None
    ) -> Scene:
        """The event as it would be located now."""
        return self._told(
            start_s=part.start_s,
            audio=part.audio[is_chosen],
            sample_rate=part.sample_rate,
            microphones=self.microphones.where(is_chosen),
            band_hz=band_hz,
            others=others,
        )

    def pass_over(self, start_s: float, audio: Float[np.ndarray, "mic time"], sample_rate: float) -> None:
        """A window in which nothing stands out."""
        self._starts.hear(start_s, audio, sample_rate)
        self._passed_over += 1

    def _learned(self, scene: Scene, estimate: Estimate) -> Estimate:
        """What is said, after this window has been added to the others."""
        self._learn(estimate)
        self._air.hear(estimate)
        if self._walls:
            self._walls.hear(scene, estimate)
        said = self._with_excluded(estimate, ~scene.is_trusted)
        for past, report in self._pasts(said):
            past.note(report.status, scene.start_s)
        if self.room is not None and scene.room is None:
            said = said.with_findings(CONTRADICTED)
        return said

    def _pasts(self, estimate: Estimate) -> list[tuple[MicrophoneHistory, MicrophoneReport]]:
        """Of those that it reports on."""
        pasts = {past.name: past for past in self._history}
        return [(pasts[report.name], report) for report in estimate.microphones]

    def scene(self, start_s: float, audio: Float[np.ndarray, "mic time"], sample_rate: float) -> Scene:
        """The window as it would be located now; microphones that earlier ones speak against are not trusted."""
        return self._told(
            start_s=start_s,
            audio=audio,
            sample_rate=sample_rate,
            microphones=self.microphones,
            is_trusted=~self.is_excluded,
            band_hz=self.band_hz,
        )

    def _told(self, **heard: Any) -> Scene:
        """What was heard, as it is to be located: without a room that what was heard before contradicts."""
        scene = Scene(
            room=self.room,
            search=self.search,
            temperature_c=self.temperature_c,
            speed_of_sound_m_s=self.speed_of_sound_m_s,
            wind_m_s=self.wind_m_s,
            **heard,
        )
        return scene.without_room() if self._walls and self._walls.are_contradicted() else scene

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
            findings=(Finding("window_too_short", "the sound left over is shorter than it takes to cross the array"),),
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
    def starts(self) -> tuple[StartOffset, ...]:
        """Microphones whose recordings begin seconds before or after the others'."""
        return self._starts.apart()

    def explanations(self) -> dict[str, FaultHypothesis]:
        """Of those that the windows speak against: where they rather stand, or how late they are; where that is clear."""
        box = search_box(self.microphones, self.room, self.search)
        told = {
            past.name: past.explanation(self.microphones, box)
            for past, faulty in zip(self._history, self.is_excluded, strict=True)
            if faulty
        }
        return {name: found for name, found in told.items() if found is not None}

    def summary(self) -> tuple[MicrophoneReport, ...]:
        """Every microphone over all windows: convicted by all together, or dead or clipped in most."""
        return tuple(
            replace(
                past.report,
                status=past.verdict(is_faulty=bool(faulty)),
                weight=past.mean_weight(),
                pull_m=past.profile.pull_m if past.profile else past.report.pull_m,
                range_m=past.median_range_m(),
                shell=past.familiar(),
            )
            for past, faulty in zip(self._history, self.is_excluded, strict=True)
            if past.report is not None
        )

    def conclusion(self) -> Summary:
        """What all windows together say of the microphones: exchanged channels, before units are doubted."""
        exchanged = self._order.exchanged() if self._was_unclear else ()
        elsewhere = {name for name, _ in exchanged}  # no clock is late there
        told = self.explanations().items()
        return Summary(
            events=self.events,
            microphones=self.summary(),
            explanations={name: why for name, why in told if name not in elsewhere or not why.is_late},
            speed_m_s=self.speed,
            starts=self.starts,
            band_hz=self.band_hz,
            exchanged=exchanged,
            list_unit=None if exchanged else self._units.unit(self.localizer),
            passed_over=self._passed_over,
            air=self._air.found(),
            air_contradicts=self._air.contradicts(),
        )

    def _learn(self, estimate: Estimate) -> None:
        place = estimate.sources[0].position_m if estimate.verdict in ("ok", "degraded") else None
        for past, report in self._pasts(estimate):
            past.add(report, time_s=(estimate.start_s + estimate.end_s) / 2, place=place)

    def _with_excluded(self, estimate: Estimate, excluded: Bool[np.ndarray, "mic"]) -> Estimate:
        """The estimate with the microphones that were not trusted named, and without profiles: they have been added up."""
        reports, named = list(estimate.microphones), []
        for m in np.flatnonzero(excluded):
            if reports[m].status not in ACCUSATIONS:
                reports[m] = self._history[m].excluded_report()
                named.append(reports[m])
        return replace(
            estimate,
            verdict="degraded" if named and estimate.verdict == "ok" else estimate.verdict,
            findings=(*estimate.findings, *map(_left_out, named)),
            microphones=tuple(replace(report, profile=None) for report in reports),
        )

    def _with_contract(self, estimate: Estimate) -> Estimate:
        """The estimate saying what has become of the contract; its verdict stays."""
        return estimate.with_findings(*(self._watch.findings(estimate) if self._watch else ()))


def _left_out(report: MicrophoneReport) -> Finding:
    sentence = f"{report.name}: left out; earlier windows speak against it"
    return Finding(f"{report.status}:{report.name}", sentence)
