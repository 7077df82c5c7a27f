"""Runs the network on one window: what it said of every pair becomes evidence."""

from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np
from jaxtyping import Float, Int

from soundfix.estimate import PairReport
from soundfix.localization.correlate import FINE_RATE_HZ, grain, is_narrow, largest_lag
from soundfix.localization.evidence import EVERY, Evidence
from soundfix.localization.mixed_sources import White
from soundfix.methods.frame import Frame, frame_of, is_beyond_training
from soundfix.methods.plain_peaks import PlainPeaks
from soundfix.methods.polarity import reversed_polarity
from soundfix.methods.tensors import to_windows
from soundfix.methods.told_once import ToldOnce
from soundfix.networks.interface import HearingNetwork, LooksAgain
from soundfix.networks.pair_likelihoods import PairLikelihoods
from soundfix.networks.windows import Answers
from soundfix.resample import SAMPLE_RATE, TOP_HZ
from soundfix.scene import Scene
from soundfix.signal import gcc
from soundfix.signal.arrays import Array, as_kind, inference, lower_median, namespace, of_kind, to_numpy
from soundfix.signal.bands import within_band


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkHeard:
    """What a network with a likelihood head said of one window.

    evidence: its gated curves for the first source. plain: the unmasked curves of the same pairs: a mask tells right peaks
    from wrong ones, and blurs both. frame: the network's coordinates. plain_peaks: where the plain ones peak.
    told_once: who sounds at once.
    """

    network: HearingNetwork
    answers: Answers
    evidence: Evidence
    plain: Evidence
    scene: Scene
    frame: Frame
    plain_peaks: PlainPeaks = field(default_factory=PlainPeaks)
    told_once: ToldOnce = field(default_factory=ToldOnce)

    @property
    def likelihoods(self) -> PairLikelihoods:
        """What the head said, as arrays of the network's kind."""
        assert self.answers.likelihoods is not None
        return self.answers.likelihoods

    @property
    def is_beyond_training(self) -> bool:
        """Whether the array is none that the network's second look and its decoder can be asked about."""
        return is_beyond_training(self.scene, self.frame)

    @property
    def reranker(self) -> LooksAgain | None:
        """The network's second look, if it has one for such an array."""
        return None if self.is_beyond_training else self.network.reranker


def run(
    network: HearingNetwork, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
) -> NetworkHeard:
    """What these pairs' microphones heard; heard anew where the polarity of a microphone is reversed."""
    heard = hear_as_is(network, audio, scene, pairs)
    is_reversed = reversed_polarity(heard.plain, scene, np.any(audio, axis=1), find=heard.plain_peaks)
    if is_reversed.any():
        turned = hear_as_is(network, np.where(is_reversed[:, None], -audio, audio), scene, pairs)
        heard = replace(turned, plain_peaks=heard.plain_peaks)  # a signal upside down has the same curve upside down
    return replace(heard, evidence=replace(heard.evidence, is_turned=is_reversed))


def hear_as_is(network: HearingNetwork, audio: np.ndarray, scene: Scene, pairs: np.ndarray) -> NetworkHeard:
    """The same, whatever the polarity."""
    answers = forward(network, at_any_rate(audio, scene), scene, pairs)
    said = answers.likelihoods
    assert said is not None
    finer = ceil(FINE_RATE_HZ / said.lags_a_second)
    plain = to_numpy(gcc.upsample(said.plain[0], finer))
    evidence = slot_evidence(answers, 0, scene)
    return NetworkHeard(
        network=network,
        answers=answers,
        evidence=evidence,
        plain=replace(evidence, values=plain),
        scene=scene,
        frame=frame_of(scene),
    )


def at_any_rate(audio: Float[np.ndarray, "mic time"], scene: Scene) -> Float[np.ndarray, "mic time"]:
    """What is in it whatever rate it was recorded at: above are filters against aliases, of which no two are alike."""
    if scene.band_hz is not None:
        return audio
    return within_band(audio, scene.sample_rate, (0.0, frame_of(scene).rate_hz * TOP_HZ / SAMPLE_RATE))


def forward(
    network: HearingNetwork, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
) -> Answers:
    """The network's answers, as arrays of its kind; places are the network's own."""
    frame, sound = frame_of(scene), network.array(audio)
    max_lag = round(largest_lag(scene) / scene.sample_rate * frame.rate_hz)
    with inference(sound):
        windows, asked = to_windows(sound, scene, pairs, frame=frame), of_kind(pairs, sound)
        return network(windows, pairs=asked, max_lag=max_lag, lowest_hz=frame.lowest_hz)


def slot_evidence(answers: Answers, slot: int, scene: Scene) -> Evidence:
    """The likelihood head's gated curves for one source slot."""
    said = answers.likelihoods
    assert said is not None
    finer = ceil(FINE_RATE_HZ / said.lags_a_second)
    about_zero = said.curves[0] - lower_median(said.curves[0])  # training leaves a constant free
    curves = gcc.upsample(about_zero * said.gates[0, slot, :, None], finer)
    frame = frame_of(scene)
    return Evidence(
        pairs=to_numpy(answers.pairs),
        values=to_numpy(curves),
        step_m=frame.speed_m_s / (said.lags_a_second * finer) / frame.metre,
        positions=scene.microphones.positions,
        grain=grain(scene),
        is_narrow=is_narrow(scene),
    )


def plain_curves(heard: NetworkHeard, evidence: Evidence) -> Evidence:
    """The unmasked curves of the pairs in this evidence, with their sign in it."""
    rows, signs = _rows(heard, evidence), _signs(heard, evidence)
    if len(rows) == len(heard.plain.pairs) and (signs > 0).all():
        return replace(evidence, values=heard.plain.values)
    return replace(evidence, values=heard.plain.values[rows] * signs[rows, None])


def likelihoods_of(heard: NetworkHeard, evidence: Evidence) -> PairLikelihoods:
    """What the head said of the pairs in this evidence, with their sign in it; the others count as not placed."""
    said, is_kept = heard.likelihoods, np.zeros(len(heard.evidence.pairs), dtype=bool)
    is_kept[_rows(heard, evidence)] = True
    said = replace(said, is_placed=said.is_placed & of_kind(is_kept, said.is_placed))
    signs = _signs(heard, evidence)
    if (signs > 0).all():
        return said
    turn = as_kind(signs, said.curves)[:, None]
    partial = None if said.partial is None else said.partial * turn
    return replace(said, curves=said.curves * turn, plain=said.plain * turn, partial=partial)


def _rows(heard: NetworkHeard, evidence: Evidence) -> Int[np.ndarray, "pair"]:
    """Where its pairs are among all that were heard."""
    numbers = np.array([len(evidence.positions), 1])
    return np.flatnonzero(np.isin(heard.evidence.pairs @ numbers, evidence.pairs @ numbers))


def _signs(heard: NetworkHeard, evidence: Evidence) -> Float[np.ndarray, "pair"]:
    """-1 where this evidence has a pair's polarity turned, 1 for all other pairs."""
    own, rows = heard.evidence, _rows(heard, evidence)
    signs = np.ones(len(own.pairs), dtype=np.float32)
    if evidence.values is own.values:
        return signs
    some = own.values[rows, ::EVERY] * evidence.values[:, ::EVERY]  # all that is not 0 has the same sign
    signs[rows[some.sum(axis=1) < 0]] = -1.0
    return signs


def white_sound(heard: NetworkHeard) -> White:
    """What the mask lets through, white, of the window that the network correlates."""
    passed = heard.likelihoods.passed
    assert passed is not None
    samples = round(heard.likelihoods.window_s * SAMPLE_RATE)
    sound = to_numpy(namespace(passed).fft.irfft(passed[0])[:, :samples])
    return White(sound=sound, rate=heard.frame.rate_hz, is_turned=heard.evidence.turned())


def pair_reports(answers: Answers, names: tuple[str, ...]) -> tuple[PairReport, ...]:
    """What the network made of every pair."""
    gates = answers.weights[0] if answers.likelihoods is None else answers.likelihoods.gates[0, 0]
    columns = zip(
        answers.pairs.tolist(),
        answers.coherence[0].tolist(),
        answers.attention[0].tolist(),
        gates.tolist(),
        strict=True,
    )
    return tuple(
        PairReport(microphones=(names[i], names[j]), coherence=c, attention=a, gate=g) for (i, j), c, a, g in columns
    )


def metres(places: Array, frame: Frame) -> Float[np.ndarray, "place 3"]:
    """Places (1, K, 3) that the network decoded, in the coordinates of the scene."""
    return frame.outside(to_numpy(places[0]).astype(np.float64))
