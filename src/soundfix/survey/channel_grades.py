"""Is each microphone's signal usable, over a whole recording? A grade and a sentence for every one.

health.py looks at every window. In the three loudest windows each pair is correlated; what a microphone **shares** is
the median over its partners of the correlation's farthest value from zero, among the lags that their spacing allows,
against what chance would reach there. The deviation that chance is reckoned with is the pair's own, or that of all
pairs where it is larger. Memory: three windows, a minute of levels (start_offsets.py)
and a few counts, however long the recording.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from soundfix.localization.correlate import Correlator
from soundfix.localization.evidence import Evidence
from soundfix.localization.health import SENTENCES, examine
from soundfix.localization.pairs import choose_pairs
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.survey.start_offsets import StartOffset, starts_of

Grade = Literal["good", "fair", "poor", "dead", "unheard"]

LOUDEST_KEPT = 3
MOSTLY, RARELY = 0.5, 0.01  # shares of the windows
SERIOUS: dict[str, Grade] = {"dead": "dead", "duplicate": "poor", "clipped": "poor"}  # where mostly so
LEVEL_DB = 20.0  # further than this from the median level is a gain, a cable or a blanket
# Of what is shared, 1 is what chance gives. Simulated recordings of 3 s, T60 0.2-0.8 s, SNR 5-30 dB, 40 of them:
ALONE = 0.96  # a channel of noise among good ones stays below 0.94, a good one above 0.99
CHANCE, FAR_BELOW = 1.2, 0.5  # where nothing echoes noise reaches 1.2, but then the median channel is far above
LITTLE = 1.035  # where nothing is to be heard but noise, the median channel stays below 1.03; else it is above 1.04
NEGATIVE_SHARE = 0.8  # of its partners' peaks are negative where a polarity is reversed
SPACING_SLACK_M = 0.06  # positions and lags are no better than this
INDEPENDENT_M = 0.022  # lags this far apart are independent: c / 2 over a bandwidth of 7.8 kHz


@dataclass(frozen=True, kw_only=True, eq=False)
class MicrophoneGrade:
    """One microphone's signal: a grade, and a sentence why.

    position_m: None where unknown. level_db: against the median microphone.
    shared: what it has in common with the others. None where nothing was heard.
    """

    name: str
    grade: Grade
    why: str
    position_m: Float[np.ndarray, "3"] | None
    level_db: float | None
    shared: float | None


@dataclass(kw_only=True, eq=False)
class ChannelTally:
    """What has been heard so far: counts, powers, and the loudest windows; `shared` and `is_negative` at the end."""

    microphones: Microphones
    windows: int = 0
    noticed: Counter[tuple[str, str]] = field(default_factory=Counter)  # (code, name) -> windows
    power: Float[np.ndarray, "mic"]
    shared: Float[np.ndarray, "mic"]
    is_negative: Bool[np.ndarray, "mic"]
    loudest: list[tuple[float, int, Scene]] = field(default_factory=list)
    starts: tuple[StartOffset, ...] = ()

    def share(self, code: str, m: int) -> float:
        """In which share of the windows this was noticed of microphone m."""
        return self.noticed[code, self.microphones.names[m]] / self.windows

    def level_db(self, m: int) -> float | None:
        """Mean power against that of the median microphone that hears anything."""
        if self.power[m] == 0:
            return None
        return float(10 * np.log10(self.power[m] / np.median(self.power[self.power > 0])))

    @property
    def median_shared(self) -> float:
        """What the median microphone shares; 0 where none was compared."""
        return float(np.median(self.shared[self.shared > 0])) if (self.shared > 0).any() else 0.0

    @property
    def is_only_noise(self) -> bool:
        return self.median_shared < LITTLE

    def common(self, m: int) -> float | None:
        return float(self.shared[m]) if self.shared[m] > 0 else None


def tally_channels(microphones: Microphones, windows: Iterable[Scene]) -> ChannelTally:
    """Everything that the windows say, in one pass."""
    blank, starts = np.zeros(len(microphones)), None
    heard = ChannelTally(microphones=microphones, power=blank.copy(), shared=blank.copy(), is_negative=blank > 0)
    for window in windows:
        starts = starts or starts_of(microphones, window.speed)
        starts.hear(window.start_s, window.audio, window.sample_rate)
        _count(heard, window)
    heard.starts = starts.apart() if starts else ()
    if heard.loudest:
        peaks = np.stack([_shared_peaks(window) for *_, window in heard.loudest])
        heard.shared = np.abs(peaks).sum(axis=0) / np.maximum((peaks != 0).sum(axis=0), 1)
        heard.is_negative = np.all(peaks <= 0, axis=0) & (heard.shared > 0)
    return heard


def _count(heard: ChannelTally, window: Scene) -> None:
    health = examine(window)
    heard.windows += 1
    for finding in health.findings:
        code, name = finding.code.split(":", 1)
        heard.noticed[code, name] += 1
    heard.power = heard.power + health.level**2
    loudness = float(np.median(health.level[health.is_heard])) if health.is_heard.any() else 0.0
    heard.loudest.append((loudness, -heard.windows, window))
    heard.loudest = sorted(heard.loudest, key=lambda kept: kept[:2], reverse=True)[:LOUDEST_KEPT]


def _shared_peaks(window: Scene) -> Float[np.ndarray, "mic"]:
    """What each microphone shares with the others; negative where its polarity looks reversed, 0 where unheard."""
    health = examine(window)
    if health.is_heard.sum() < 2:
        return np.zeros(len(health.level))
    pairs, _ = choose_pairs(health.is_heard)
    peaks = _highest(Correlator()(health.audio, window, pairs), window.microphones)
    return np.array([_typical(peaks[(pairs == m).any(axis=1)]) for m in range(len(health.level))])


def _typical(peaks: Float[np.ndarray, "partner"]) -> float:
    """The median height; negative where nearly all of several peaks are."""
    if not len(peaks):
        return 0.0
    is_negative = len(peaks) > 1 and (peaks < 0).mean() >= NEGATIVE_SHARE
    return float(np.median(np.abs(peaks))) * (-1 if is_negative else 1)


def _highest(evidence: Evidence, microphones: Microphones) -> Float[np.ndarray, "pair"]:
    """Each pair's farthest value from zero among the lags that its spacing allows, against what chance reaches there.

    The largest of n independent values is about sqrt(2 log n) standard deviations: wide pairs have more chances.
    """
    i, j = evidence.pairs.T
    spacing = np.linalg.norm(microphones.positions[i] - microphones.positions[j], axis=1)
    spacing[~(microphones.is_known[i] & microphones.is_known[j])] = evidence.reach_m
    reach_m = np.minimum(spacing, evidence.reach_m) + SPACING_SLACK_M
    lag_m = np.abs(np.arange(evidence.values.shape[1]) - evidence.values.shape[1] // 2) * evidence.step_m
    possible = np.where(lag_m <= reach_m[:, None], evidence.values, 0)
    peak = np.abs(possible).argmax(axis=1)
    chance = _deviations(evidence) * np.sqrt(2 * np.log(2 * reach_m / INDEPENDENT_M))
    return possible[np.arange(len(peak)), peak].astype(np.float64) / chance


def _deviations(evidence: Evidence) -> Float[np.ndarray, "pair"]:
    """Each pair's own, but not less than that of all: without echoes, a good pair is far quieter beside its peak."""
    alone = [
        replace(evidence, pairs=evidence.pairs[k : k + 1], values=evidence.values[k : k + 1]).deviation
        for k in range(len(evidence.pairs))
    ]
    return np.maximum(alone, evidence.deviation)


def _judge(heard: ChannelTally, m: int) -> tuple[Grade, str]:
    """The first complaint, worst first."""
    return next(_complaints(heard, m), ("good", "hears what the others hear"))


def _complaints(heard: ChannelTally, m: int) -> Iterator[tuple[Grade, str]]:
    if not heard.windows:
        yield "unheard", "no recording was given"
        return
    yield from _health_complaints(heard, m)
    yield from _common_complaints(heard, m)


def _health_complaints(heard: ChannelTally, m: int) -> Iterator[tuple[Grade, str]]:
    """What is wrong with the signal itself."""
    shares = {code: heard.share(code, m) for code in SENTENCES}
    for code, word in SERIOUS.items():
        if shares[code] > MOSTLY:
            yield word, _how_often(code, shares[code])
    for start in heard.starts:
        if start.microphone == heard.microphones.names[m]:
            yield "poor", start.sentence
    if _is_alone(heard, m):
        yield "poor", "has nothing in common with the others: noise, or too far away?"
    for code in sorted(shares, key=shares.__getitem__, reverse=True):
        if shares[code] > RARELY:
            yield "fair", _how_often(code, shares[code])


def _is_alone(heard: ChannelTally, m: int) -> bool:
    """It hears nothing that the others hear, while these hear something in common."""
    is_chance = heard.shared[m] < min(CHANCE, FAR_BELOW * heard.median_shared)
    return bool(heard.shared[m] > 0 and (heard.shared[m] < ALONE or is_chance)) and not heard.is_only_noise


def _how_often(code: str, share: float) -> str:
    return SENTENCES[code] if share > 0.995 else f"{SENTENCES[code]} ({100 * share:.0f} % of the windows)"


def _common_complaints(heard: ChannelTally, m: int) -> Iterator[tuple[Grade, str]]:
    """What the comparison with the others shows."""
    level_db, shared = heard.level_db(m) or 0.0, heard.shared[m]
    if shared == 0:
        yield "fair", "was not compared: no other microphone was heard at the same time"
    if heard.is_only_noise:
        yield "fair", "no sound reached the microphones together: clap, and check again"
    if heard.is_negative[m]:
        yield "fair", "its polarity looks reversed"
    if abs(level_db) > LEVEL_DB:
        yield "fair", f"is {abs(level_db):.0f} dB {'louder' if level_db > 0 else 'quieter'} than the median microphone"
    if shared < LITTLE:
        yield "fair", "has little in common with the others"


def grade(heard: ChannelTally, m: int) -> MicrophoneGrade:
    """The grade of microphone m."""
    microphones, (word, why) = heard.microphones, _judge(heard, m)
    is_known = bool(microphones.is_known[m])
    return MicrophoneGrade(
        name=microphones.names[m],
        grade=word,
        why=why if is_known else f"{why}; its position is unknown",
        position_m=microphones.positions[m] if is_known else None,
        level_db=heard.level_db(m),
        shared=heard.common(m),
    )
