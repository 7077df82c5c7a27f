"""What the windows so far say of one microphone, in constant memory: is it sound now, since when, and why not?

Every window with a certain place gives a profile of the microphone (profile.py). Three things speak against it:
- the sum of its profiles: what agrees with the others grows, chance does not;
- windows that accuse it one by one, a fifth of those not long ago: a source that moves smears the sum;
- it hears little of what the others hear, and never where it should; or it did, and for some windows in a row does not.
What is long ago counts for less and less (FADING a window), so that a clock that stepped is found out soon, and a cable that
was put back is forgiven. A state that lasts is an event of the recording.
"""

from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from soundfix.calibration.hypotheses import FaultHypothesis, PullHistory, simplest_fit
from soundfix.estimate import ACCUSATIONS, MicrophoneReport, Profile, Shell, Status
from soundfix.localization.microphone_status import accusation
from soundfix.localization.profile import ACCUSED, add, log_odds
from soundfix.microphones import Microphones

# Log-odds by the sum of profiles from which a microphone is left out. The more windows are in the sum, the lower are a
# sound microphone's, and the weaker an opposite is enough: 1, 2, 3, ... windows (EXPERIMENTS.md); the last repeats.
EXCLUDED_FROM = (1.5, -0.25, -0.45, -0.65)
FADING = 0.95  # of what was known, a window later
# Of 620 sound microphones in recordings of 10 s none has as many accusations, and none hears as little (EXPERIMENTS.md).
ACCUSED_SHARE, FEWEST_ACCUSATIONS = 0.2, 2.4
DEAF_SHARE, DEAF_AGREES, FEWEST_HEARD = 0.33, 0.15, 5
LOST_WINDOWS = 7  # in a row that do not agree; of 264 sound microphones in recordings of 12 s two have 5, none has 6
LASTING_SHARE = 0.2  # of the windows, from which a status is that of the recording
LASTING_WINDOWS = 3  # in a row, from which on a status is a state
KEPT = 200  # windows that explanations are made from, and distances of a microphone of unknown position
EXPLAINS = 0.6  # share of the windows, from which on an explanation is told
FEWEST_EXPLAINED = 6
WORST_FIRST: tuple[Status, ...] = ("dead", "duplicate", "noisy", "clipped")


@dataclass(frozen=True, kw_only=True)
class Event:
    """From time_s on, this microphone has this status; ok: again."""

    time_s: float
    microphone: str
    status: Status


@dataclass(frozen=True, kw_only=True)
class FadedSums:
    """Over the windows with a profile, of which the last counts 1 and those before less and less.

    windows: of 1; accused and agreeing: of those in which it was; height: of the profile where it should be.
    """

    windows: float = 0.0
    accused: float = 0.0
    agreeing: float = 0.0
    height: float = 0.0

    def after(self, profile: Profile) -> "FadedSums":
        """A window later, which had this profile."""
        return FadedSums(
            windows=FADING * self.windows + 1.0,
            accused=FADING * self.accused + float(log_odds(profile) > ACCUSED),
            agreeing=FADING * self.agreeing + float(profile.at_zero >= profile.elsewhere),
            height=FADING * self.height + profile.at_zero,
        )


@dataclass(kw_only=True, eq=False)
class MicrophoneHistory:
    """name: of the microphone; everything else comes in by `add`."""

    name: str
    report: MicrophoneReport | None = None
    profile: Profile | None = None
    windows: int = 0
    faded: FadedSums = FadedSums()
    weight: float = 0.0
    statuses: dict[Status, int] = field(default_factory=dict)
    ranges_m: list[float] = field(default_factory=list)
    named: list[Shell] = field(default_factory=list)
    pulls: list[tuple[float, np.ndarray, float]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)  # heights, where they should be, in a row that does not agree
    _lost_s: float | None = None  # when the first of these began
    _state: Status = "ok"
    _streak: tuple[Status, float, int] = ("ok", 0.0, 0)

    def add(self, report: MicrophoneReport, *, time_s: float, place: np.ndarray | None) -> None:
        """One more window; its profile counts only where the source's place is certain (place, metres)."""
        self.report = replace(report, profile=None)
        self.windows += 1
        self.weight += report.weight
        self.statuses[report.status] = self.statuses.get(report.status, 0) + 1
        if report.range_m is not None and place is not None:
            self.ranges_m = [*self.ranges_m[1 - KEPT :], report.range_m]
        if report.shell is not None and report.shell.probability is not None:
            self.named = [*self.named[1 - KEPT :], report.shell]
        if report.profile is not None and place is not None:
            self._weigh(report.profile)
            self.pulls = [*self.pulls[1 - KEPT :], (time_s, place, report.profile.pull_m)]

    def _weigh(self, profile: Profile) -> None:
        self.profile = add(self.profile, profile)
        self.lost = [] if profile.at_zero >= profile.elsewhere else [*self.lost[1 - LOST_WINDOWS :], profile.at_zero]
        self.faded = self.faded.after(profile)

    @property
    def log_odds(self) -> float:
        """Of a fault, by the sum of all profiles."""
        return -99.0 if self.profile is None else log_odds(self.profile)

    @property
    def mean_height(self) -> float | None:
        """How high the profile is where it should be; None after too few windows."""
        is_enough = self.windows >= FEWEST_HEARD and self.faded.windows > 0
        return self.faded.height / self.faded.windows if is_enough else None

    def is_faulty(self, usual_height: float) -> bool:
        """Whether the windows speak against it; usual_height: mean_height of the median microphone."""
        windows = min(max(round(self.faded.windows), 1), len(EXCLUDED_FROM))
        accused = self.faded.accused
        is_mostly_accused = accused >= FEWEST_ACCUSATIONS and accused > ACCUSED_SHARE * self.faded.windows
        return is_mostly_accused or self.log_odds > EXCLUDED_FROM[windows - 1] or self.is_deaf(usual_height)

    def is_deaf(self, usual_height: float) -> bool:
        """Whether it hears little of what the median microphone hears, and seldom where it should; or not any more."""
        height = self.mean_height
        if len(self.lost) == LOST_WINDOWS and np.mean(self.lost) < DEAF_SHARE * usual_height:
            return True
        if height is None:
            return False
        return height < DEAF_SHARE * usual_height and self.faded.agreeing < DEAF_AGREES * self.faded.windows

    def excluded_report(self) -> MicrophoneReport:
        """The report of a microphone that is left out because of earlier windows."""
        assert self.report is not None
        return replace(self.report, status=self.verdict(is_faulty=True), weight=0.0)

    def verdict(self, *, is_faulty: bool) -> Status:
        """Its status over all windows: what is wrong with its own sound for long, what the others say, or the usual one."""
        for status in WORST_FIRST:
            if self.statuses.get(status, 0) >= max(2, LASTING_SHARE * self.windows):
                return status
        if is_faulty and self.profile is not None:
            return accusation(self.profile, is_loud=self.statuses.get("noisy", 0) > 0)
        lasting = {s: count for s, count in self.statuses.items() if s not in ACCUSATIONS}
        return max(lasting, key=lasting.__getitem__) if lasting else "ok"

    def note(self, status: Status, time_s: float) -> None:
        """The status of a window; one that lasts is a state, and an event where it began, or where agreement ended."""
        self._lost_s = (time_s if self._lost_s is None else self._lost_s) if self.lost else None
        before, since_s, count = self._streak
        self._streak = (status, since_s, count + 1) if status == before else (status, time_s, 1)
        status, since_s, count = self._streak
        if count == LASTING_WINDOWS and status != self._state:
            if status in ACCUSATIONS and self._state not in ACCUSATIONS:
                since_s = self._parted(since_s)
            self._state = status
            self.events = [*self.events[1 - KEPT :], Event(time_s=since_s, microphone=self.name, status=status)]

    def _parted(self, since_s: float) -> float:
        """When it ceased to agree, where that was before it was accused."""
        if self._lost_s is None:
            return since_s
        last_s = self.events[-1].time_s if self.events else 0.0
        return min(since_s, max(self._lost_s, last_s))

    def mean_weight(self) -> float:
        return self.weight / max(self.windows, 1)

    def median_range_m(self) -> float | None:
        return median(self.ranges_m) if self.ranges_m else None

    def familiar(self) -> Shell | None:
        """The last shell that has it at the place of a familiar array that most windows name."""
        places = [tuple(shell.place_m.tolist()) for shell in self.named]
        most = max(places, key=places.count, default=None)
        return next((shell for shell in reversed(self.named) if tuple(shell.place_m.tolist()) == most), None)

    def explanation(self, microphones: Microphones, box: np.ndarray) -> FaultHypothesis | None:
        """Why it hears what it hears, where one explanation fits most windows."""
        m = microphones.names.index(self.name)
        if len(self.pulls) < FEWEST_EXPLAINED or not microphones.is_known[m]:
            return None
        times_s, places, pulls = (np.array(each) for each in zip(*self.pulls, strict=True))
        position = microphones.positions[m]
        heard = PullHistory(
            range_m=np.linalg.norm(places - position, axis=1) + pulls, places=places, times_s=times_s - times_s[0]
        )
        found = simplest_fit(heard, FaultHypothesis(position_m=position), box, np.random.default_rng(0))
        return found if found.share >= EXPLAINS else None
