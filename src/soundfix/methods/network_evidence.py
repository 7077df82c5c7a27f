"""Runs the network on one window: what it said of every pair becomes evidence."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import torch
from jaxtyping import Float, Int

from soundfix.estimate import PairReport
from soundfix.localization.correlate import FINE_RATE_HZ, largest_lag
from soundfix.localization.evidence import Evidence
from soundfix.methods.polarity import reversed_polarity
from soundfix.methods.tensors import to_windows
from soundfix.networks.likelihood import PairLikelihoods
from soundfix.networks.model import SAMPLE_RATE, Answers, Network
from soundfix.scene import Scene, search_box
from soundfix.signal import gcc


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkHeard:
    """What a network with a likelihood head said of one window.

    evidence: its gated curves for the first source. plain: the unmasked curves of the same pairs: a mask tells right peaks
    from wrong ones, and blurs both. origin_m: where the network's coordinates begin, in those of the scene.
    """

    network: Network
    answers: Answers
    evidence: Evidence
    plain: Evidence
    scene: Scene
    origin_m: Float[np.ndarray, "3"]

    @property
    def likelihoods(self) -> PairLikelihoods:
        """What the head said, as tensors."""
        assert self.answers.likelihoods is not None
        return self.answers.likelihoods


def run(
    network: Network, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
) -> NetworkHeard:
    """What these pairs' microphones heard; heard anew where the polarity of a microphone is reversed."""
    heard = hear_as_is(network, audio, scene, pairs)
    is_reversed = reversed_polarity(heard.plain, scene, np.any(audio, axis=1))
    if is_reversed.any():
        heard = hear_as_is(network, np.where(is_reversed[:, None], -audio, audio), scene, pairs)
    return replace(heard, evidence=replace(heard.evidence, is_turned=is_reversed))


def hear_as_is(network: Network, audio: np.ndarray, scene: Scene, pairs: np.ndarray) -> NetworkHeard:
    """The same, whatever the polarity."""
    answers = forward(network, audio, scene, pairs)
    said = answers.likelihoods
    assert said is not None
    finer = ceil(FINE_RATE_HZ / said.lags_a_second)
    plain = gcc.upsample(said.plain[0], finer).cpu().numpy()
    evidence = slot_evidence(answers, 0, scene)
    return NetworkHeard(
        network=network,
        answers=answers,
        evidence=evidence,
        plain=replace(evidence, values=plain),
        scene=scene,
        origin_m=origin(scene),
    )


def forward(
    network: Network, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
) -> Answers:
    """The network's answers, as tensors; places are from the middle of the box."""
    max_lag = round(largest_lag(scene) / scene.sample_rate * SAMPLE_RATE)
    device = network.kind.device
    with torch.inference_mode():
        windows = to_windows(audio, scene, pairs, origin_m=origin(scene)).to(device)
        return network(windows, pairs=torch.from_numpy(pairs).to(device), max_lag=max_lag)


def origin(scene: Scene) -> Float[np.ndarray, "3"]:
    """Where the network's coordinates begin (m): in the middle of the room, or of the box round the microphones."""
    return search_box(scene.microphones, scene.room).mean(axis=0)


def slot_evidence(answers: Answers, slot: int, scene: Scene) -> Evidence:
    """The likelihood head's gated curves for one source slot."""
    said = answers.likelihoods
    assert said is not None
    finer = ceil(FINE_RATE_HZ / said.lags_a_second)
    about_zero = said.curves[0] - said.curves[0].median(dim=-1, keepdim=True).values  # training leaves a constant free
    curves = gcc.upsample(about_zero * said.gates[0, slot, :, None], finer).cpu()
    step_m = scene.speed / (said.lags_a_second * finer)
    return Evidence(
        pairs=answers.pairs.cpu().numpy(), values=curves.numpy(), step_m=step_m, positions=scene.microphones.positions
    )


def plain_curves(heard: NetworkHeard, evidence: Evidence) -> Evidence:
    """The unmasked curves of the pairs in this evidence, with their sign in it."""
    rows = _rows(heard, evidence)
    return replace(evidence, values=heard.plain.values[rows] * _signs(heard, evidence)[rows, None])


def likelihoods_of(heard: NetworkHeard, evidence: Evidence) -> PairLikelihoods:
    """What the head said of the pairs in this evidence, with their sign in it; the others count as not placed."""
    said, is_kept = heard.likelihoods, np.zeros(len(heard.evidence.pairs), dtype=bool)
    is_kept[_rows(heard, evidence)] = True
    turn = torch.from_numpy(_signs(heard, evidence)).to(said.curves)[:, None]
    return replace(
        said,
        curves=said.curves * turn,
        plain=said.plain * turn,
        partial=None if said.partial is None else said.partial * turn,
        is_placed=said.is_placed & torch.from_numpy(is_kept).to(said.is_placed.device),
    )


def _rows(heard: NetworkHeard, evidence: Evidence) -> Int[np.ndarray, "pair"]:
    """Where its pairs are among all that were heard."""
    return np.flatnonzero((heard.evidence.pairs[:, None] == evidence.pairs[None]).all(axis=-1).any(axis=1))


def _signs(heard: NetworkHeard, evidence: Evidence) -> Float[np.ndarray, "pair"]:
    """-1 where this evidence has a pair's polarity turned, 1 for all other pairs."""
    own, rows = heard.evidence, _rows(heard, evidence)
    signs = np.ones(len(own.pairs), dtype=np.float32)
    signs[rows[(own.values[rows] * evidence.values).sum(axis=1) < 0]] = -1.0
    return signs


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


def metres(places: torch.Tensor, origin_m: Float[np.ndarray, "3"]) -> Float[np.ndarray, "place 3"]:
    """Places (1, K, 3) that the network decoded, in the coordinates of the scene."""
    return places[0].double().cpu().numpy() + origin_m
