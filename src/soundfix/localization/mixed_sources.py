"""Several sources at once, counted: which places fill the cells of a window, and how probable is each?

    peaks     of the whole window, of what the first ones leave, and of short pieces    (piece_peaks.py)
    explain   which of them together fill the cells, one by one                         (mixture.py)
    count     up to the last one that is likely enough                                  (below)
    refine    each on the cells that are its own                                        (cells.py, modes.py)

The first place that explains nothing of its own still gains something: reflections, chance. What a place gains beside those
before it, and how much more than the next after it, tells a source from such leavings; a logistic regression on mixtures
of one to four training sounds, in the twin and in random rooms, gives the probability (EXPERIMENTS.md, 26 November 2026).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import exp, inf, log
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics
from soundfix.localization.cells import BAND_HZ, HOP_S, SMALLEST, Cells, cells_of
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.mixture import Mixture, filled, mixture_of
from soundfix.localization.modes import Mode, polish
from soundfix.localization.piece_peaks import PEAKS, PIECE_S, candidates, distinct, pairs_of, peaks_of
from soundfix.localization.position_errors import fit_with_position_errors
from soundfix.localization.preparation import Prepared
from soundfix.scene import Scene

MOST_SOURCES = 5
APART_M = 0.3  # two sources nearer than this are one
POSSIBLE, SURE, LIKELY = 0.2, 0.8, 0.4  # probability of a second one, to look closer and to tell of it, and of a third
LEAST_SHARE = 0.04  # of the gain of the first one: less is what is left of it
LEAVING = (1, 3)  # how many places are taken out when the rest is looked at
WIDEST_S, LEAST_BAND_HZ, FEWEST = 0.1, 1000.0, 5  # delays, band and microphones with which cells tell places apart

# Who walks is heard in one place, then in another: how fast, what share of their time alike, and what any place has always
FASTEST_M_S, LEAST_OVERLAP, BACKGROUND = 2.0, 0.33, 0.2

Box = Float[np.ndarray, "2 3"]
Places = Float[np.ndarray, "place 3"]
Found = Float[np.ndarray, "found 3"]
Believe = Callable[[Places, Found], float]  # the probability of the first of these places, beside those found before


class White(NamedTuple):
    """What the cells are made of: white sound (M, T) at a rate (Hz). is_turned: whose polarity was turned in it."""

    sound: Float[np.ndarray, "mic time"]
    rate: float
    is_turned: Bool[np.ndarray, "mic"]


class Mixed(NamedTuple):
    """One of several sources: its place (m) and how probable it is, and the evidence of the cells that are its own."""

    mode: Mode
    evidence: Evidence


def can_be_told_apart(scene: Scene, consensus: Consensus) -> bool:
    """Whether cells tell places apart: with enough microphones, near enough together, and where they should be."""
    low, high = band_of(scene)
    is_near = scene.microphones.width_m / scene.speed < WIDEST_S
    is_known = not consensus.evidence.errors_hide_waves and consensus.is_kept.sum() >= FEWEST
    return bool(
        is_near
        and is_known
        and not consensus.is_contradicted
        and high - low >= LEAST_BAND_HZ
        and scene.duration_s >= PIECE_S
    )


def told_apart(
    prepared: Prepared, consensus: Consensus, white: White, box: Box, believe: Believe | None = None
) -> list[Consensus]:
    """Of each of several sources its place as the only mode, with the evidence of its own cells; none of a lone one.

    The first of them is the one that was agreed on; where that is none of them, cells tell nothing.
    believe: what a network says of further places.
    """
    kept = np.flatnonzero(consensus.is_kept)
    sign = np.where(consensus.is_inverted, -1, 1).astype(np.float32)[:, None]
    turned = np.where(white.is_turned, -1, 1).astype(np.float32)[:, None]
    scene = replace(prepared.scene, audio=sign * prepared.audio).where(consensus.is_kept)
    agreed = consensus.modes[0].position
    mixed = mixed_sources(scene, (sign * turned * white.sound)[kept], white.rate, box, agreed, believe)
    off_m = [float(np.linalg.norm(each.mode.position - agreed)) for each in mixed]
    if not mixed or min(off_m) >= APART_M:
        return []
    mixed.insert(0, mixed.pop(int(np.argmin(off_m))))
    scores = consensus.evidence.among(consensus.is_kept).score(np.array([each.mode.position for each in mixed]))
    return [
        replace(
            consensus,
            modes=[replace(each.mode, score=float(score))],
            evidence=_among_all(each.evidence, kept, consensus),
        )
        for each, score in zip(mixed, scores, strict=True)
    ]


def _among_all(evidence: Evidence, kept: np.ndarray, consensus: Consensus) -> Evidence:
    """The same of microphones that are numbered as in the whole scene."""
    return replace(evidence, pairs=kept[evidence.pairs], positions=consensus.evidence.positions)


def mixed_sources(
    scene: Scene, white: Float[np.ndarray, "mic time"], rate: float, box: Box, agreed: Float[np.ndarray, "3"],
    believe: Believe | None = None,
) -> list[Mixed]:  # fmt: skip
    """The sources of a window of microphones that all are located with, the one that explains most first; none where there
    are not several: whether there is any is for others to say."""
    cells = cells_of(white, rate, scene.microphones.positions, scene.speed, band_of(scene))
    places = np.concatenate([agreed[None], candidates(scene, white, rate, box)])
    if len(places) < 3:
        return []
    mixture = mixture_of(cells.coherence(places), cells.loudness(), places, cells.positions, APART_M)
    mixture = with_rest(mixture, cells, box)
    if not may_be_several(mixture, scene, believe):
        return []  # most windows: pieces would cost more than all that was done before
    mixture = with_places(mixture, candidates(scene, white, rate, box, list(mixture.places)), cells)
    places = mixture.places
    chosen, probable = believed(mixture, scene, believe)
    if len(probable) < 2:
        return []
    chosen = mixture.exchanged(chosen)
    stay = who_do_not_walk(places[chosen], mixture.posterior(chosen), cells)
    chosen, probable = [chosen[number] for number in stay], probable[stay]
    if len(chosen) < 2 or probable[1] < SURE:
        return []
    own = mixture.posterior(chosen)
    sigma_m = scene.microphones.sigma_m
    return [
        _refined(cells, places[place], share, probable[number], sigma_m, box)
        for number, (place, share) in enumerate(zip(chosen, own, strict=True))
    ]


def with_rest(mixture: Mixture, cells: Cells, box: Box) -> Mixture:
    """With the peaks of what the first places leave: a loud source has side lobes higher than another's peak."""
    for count in LEAVING:
        own = mixture.posterior(mixture.chosen(count)).sum(axis=0)
        rest = cells.rest(own, pairs_of(len(cells.positions)))
        fresh = distinct(peaks_of(rest, box, PEAKS), PEAKS, list(mixture.places))
        mixture = with_places(mixture, fresh, cells)
    return mixture


def with_places(mixture: Mixture, fresh: Places, cells: Cells) -> Mixture:
    """With these places, too."""
    fills = np.concatenate([mixture.fills, filled(cells.coherence(fresh))])
    return replace(mixture, places=np.concatenate([mixture.places, fresh]), fills=fills)


def who_do_not_walk(places: Places, own: Float[np.ndarray, "place cell"], cells: Cells) -> list[int]:
    """Numbers of those places that are not another one a little later: heard at other times, as near as somebody walks
    meanwhile. own: the share of every cell that each fills."""
    profile = own.reshape(len(own), cells.frames, -1).sum(axis=2)
    profile = np.maximum(profile - np.quantile(profile, BACKGROUND, axis=1, keepdims=True), 0)
    profile = profile / np.maximum(profile.sum(axis=1, keepdims=True), SMALLEST)
    middle_s = profile @ np.arange(cells.frames) * HOP_S
    kept: list[int] = []
    for number in range(len(places)):
        overlap = np.minimum(profile[kept], profile[number]).sum(axis=1)
        far_m = physics.distances(places[kept], places[[number]])[:, 0]
        near = far_m < APART_M + FASTEST_M_S * np.abs(middle_s[kept] - middle_s[number])
        if not (near & (overlap < LEAST_OVERLAP)).any():
            kept.append(number)
    return kept


def may_be_several(mixture: Mixture, scene: Scene, believe: Believe | None) -> bool:
    """Whether the second place is possibly a source: then pieces may show others, too."""
    chosen, gains = mixture.chosen_with_gains(1 + LOOKED_AT)
    return next(_beside_first(mixture.places[chosen], gains, scene, believe, POSSIBLE), 0.0) >= POSSIBLE


def believed(mixture: Mixture, scene: Scene, believe: Believe | None) -> tuple[list[int], Float[np.ndarray, "source"]]:
    """Which places explain most, and how probable each is, up to the last one that is likely; the first is taken for
    granted. Without a second one that is sure no further one is asked about."""
    chosen, gains = mixture.chosen_with_gains(MOST_SOURCES + 2)
    probable = [1.0]
    for sure in _beside_first(mixture.places[chosen], gains, scene, believe, LIKELY):
        if len(probable) == 1 and sure < SURE:
            break
        probable.append(sure)
    count = 1 + max(n for n, sure in enumerate(probable) if sure >= LIKELY)
    return chosen[:count], np.array(probable[:count])


def _beside_first(
    places: Places, gains: list[np.floating], scene: Scene, believe: Believe | None, least: float
) -> Iterator[float]:
    """How probable each place after the first is, one by one: a network is asked only for what is wanted; 0 below `least`
    where that is clear without it."""
    log, size = log_gains(gains), np.log([scene.duration_s / 0.5, len(scene.microphones) / 11])
    for n in range(1, min(len(places), MOST_SOURCES)):
        is_leaving = log[n] - log[0] < np.log(LEAST_SHARE)
        ask = believe and partial(believe, places[n:], places[:n])
        yield 0.0 if is_leaving else probability(features(log, places, n, size), ask, least)


# Of 1, log(g_n / g_n+1), log g_n, log(g_n+1 / g_n+2), log n, log(duration / 0.5 s), log(microphones / 11), log(g_n / g_n-1),
# log g_1, the log of the distance (m) from the nearest before it, and the network's log-odds
ALONE = (-5.94, 19.68, -0.22, 13.38, -0.83, 0.33, 4.6, -0.2, -1.34, 1.41)  # without a network
WITH_NETWORK = (0.35, 14.35, -0.04, 11.23, 0.1, 0.46, 2.76, -0.3, -1.27, 0.69, 1.24)
LOOKED_AT = 3  # gains from that of a place on
USUAL_DECAY = 0.92  # from one gain to the next, where there is no next
NEAREST_M, FURTHEST_M = 0.3, 3.0  # between which distances tell
SUREST = 0.005  # probability of a network, from which on it is as sure as it can be


def expit(odds: float) -> float:
    """The probability that has these logarithmic odds."""
    return 1 / (1 + exp(-odds))


def logit(chance: float) -> float:
    """The logarithmic odds of this probability; endless of what is certain, or impossible."""
    return log(chance / (1 - chance)) if 0 < chance < 1 else (inf if chance > 0 else -inf)


def probability(told: Float[np.ndarray, "feature"], believe: Callable[[], float] | None, least: float) -> float:
    """That it is a source; a network is not asked where it could not be sure enough."""
    if believe is None:
        return expit(float(np.array(ALONE) @ told))
    odds, weight = float(np.array(WITH_NETWORK[:-1]) @ told), WITH_NETWORK[-1]
    if odds + weight * logit(1 - SUREST) < logit(least):
        return 0.0
    return expit(odds + weight * logit(float(np.clip(believe(), SUREST, 1 - SUREST))))


def log_gains(gains: list[np.floating]) -> Float[np.ndarray, "gain"]:
    """Of what each gains beside those before it, and of two more that were not looked for."""
    return np.log([*gains, gains[-1] * USUAL_DECAY, gains[-1] * USUAL_DECAY**2])


def features(
    log: Float[np.ndarray, "gain"], places: Places, n: int, size: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "feature"]:
    """Of place n (the first is 0)."""
    nearest_m = np.clip(physics.distances(places[:n], places[n : n + 1]).min(), NEAREST_M, FURTHEST_M)
    gaps = log[n] - log[n + 1], log[n], log[n + 1] - log[n + 2], np.log(n + 1)
    return np.array([1.0, *gaps, *size, log[n] - log[n - 1], log[0], np.log(nearest_m)])


def band_of(scene: Scene) -> tuple[float, float]:
    """The frequencies (Hz) whose cells are looked at: of those that are listened to, those that tell places apart."""
    low, high = scene.band_hz or BAND_HZ
    return max(low, BAND_HZ[0]), min(high, BAND_HZ[1], scene.sample_rate / 2)


def _refined(
    cells: Cells, place: Float[np.ndarray, "3"], share: Float[np.ndarray, "cell"], probability: float,
    sigma_m: Float[np.ndarray, "mic"], box: Box,
) -> Mixed:  # fmt: skip
    """The place as exactly as its own cells, and the errors of the positions, allow."""
    evidence = cells.evidence(place, share, pairs_of(len(cells.positions)))
    mode = polish(evidence, place[None], box)[0]
    exact = fit_with_position_errors(evidence, sigma_m, mode.position, box)
    return Mixed(replace(mode, position=exact, probability=float(probability)), evidence)
