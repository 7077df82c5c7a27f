"""Runs the network on one scene: what it said of every pair becomes evidence."""

from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from soundfix.estimate import PairReport
from soundfix.localization.consensus import Consensus, agree, with_polarity
from soundfix.localization.correlate import FINE_RATE_HZ, largest_lag
from soundfix.localization.cross_check import DECODER_ERRORS, Opinion
from soundfix.localization.evidence import Evidence
from soundfix.localization.health import examine
from soundfix.localization.modes import RUNNERS_UP, Mode, find_modes
from soundfix.localization.multi_source import MOST_SOURCES, Spots, cancel_sources
from soundfix.localization.pairs import weighted
from soundfix.localization.position_errors import fit_with_position_errors
from soundfix.localization.search import fewest_microphones
from soundfix.localization.sources import CLEAR_LEAD, LIKELY, MOST_CANDIDATES
from soundfix.methods.decoded import Places
from soundfix.methods.reranking import BREADTH, polished, with_height
from soundfix.methods.tensors import to_windows
from soundfix.networks.likelihood import PairLikelihoods
from soundfix.networks.model import SAMPLE_RATE, Answers, Network
from soundfix.networks.reranker import CANDIDATES
from soundfix.scene import Scene
from soundfix.signal import gcc


@dataclass(kw_only=False, eq=False)
class Listener:
    """Runs the network on one scene, and remembers what it said."""

    network: Network
    _answers: Answers | None = field(default=None, init=False)
    _evidence: dict[int, Evidence] = field(default_factory=dict, init=False)
    _plain_curves: Float[np.ndarray, "pair lag"] | None = field(default=None, init=False)
    _origin_m: Float[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3), init=False)
    _sigma_m: Float[np.ndarray, "mic"] = field(default_factory=lambda: np.zeros(0), init=False)
    _speed_m_s: float = field(default=0.0, init=False)

    def __call__(
        self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
    ) -> Evidence:
        """The evidence of the first source, heard anew where the polarity of a microphone is reversed."""
        self.hear(audio, scene, pairs)
        is_reversed = self._reversed(scene, np.any(audio, axis=1))
        if is_reversed.any():
            self.hear(np.where(is_reversed[:, None], -audio, audio), scene, pairs)
        return replace(self.evidence(0), is_turned=is_reversed)

    def hear(self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]) -> None:
        """Run the network on what these pairs' microphones heard."""
        self._origin_m, self._speed_m_s = scene.search_box().mean(axis=0), scene.speed
        self._sigma_m = scene.microphones.sigma_m
        max_lag = round(largest_lag(scene) / scene.sample_rate * SAMPLE_RATE)
        self._evidence.clear()
        self._plain_curves = None
        with torch.inference_mode():
            device = self.network.kind.device
            windows = to_windows(audio, scene, pairs, origin_m=self._origin_m).to(device)
            self._answers = self.network(windows, pairs=torch.from_numpy(pairs).to(device), max_lag=max_lag)

    def further_evidence(self, scene: Scene, consensus: Consensus) -> list[Evidence]:
        """Where further sources are sought, one after the other: each has a slot, or all are in the only one."""
        slots = self.answers.sources_m.shape[1]
        if slots == 1 and self.network.reranker is not None:
            return [consensus.evidence] * (MOST_SOURCES - 1)
        weight, before = examine(scene).weight, consensus.evidence.turned(len(scene.microphones))
        return [
            with_polarity(weighted(self.evidence(slot), weight), consensus.is_inverted & ~before)
            for slot in range(1, slots)
        ]

    @property
    def answers(self) -> Answers:
        assert self._answers is not None, "nothing was heard yet"
        return self._answers

    @property
    def sources_m(self) -> Float[np.ndarray, "source 3"]:
        """The position decoder's sources, in the coordinates of the scene."""
        return self.answers.sources_m[0].double().cpu().numpy() + self._origin_m

    def decode(self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]) -> Places:
        """The position decoder's places."""
        self.hear(audio, scene, pairs)
        return Places(self.sources_m, self.answers.microphones_m[0].double().cpu().numpy() + self._origin_m)

    @property
    def error_m(self) -> float:
        return float(self.network.error_m)

    @property
    def knows_one_room(self) -> bool:
        return self.network.config.frame == "room"

    def evidence(self, source: int) -> Evidence:
        """The likelihood head's gated curves for one source slot; made once."""
        if source not in self._evidence:
            self._evidence[source] = self._made_evidence(source)
        return self._evidence[source]

    def _made_evidence(self, source: int) -> Evidence:
        heard = self.answers.likelihoods
        assert heard is not None
        finer = ceil(FINE_RATE_HZ / heard.lags_a_second)
        about_zero = (
            heard.curves[0] - heard.curves[0].median(dim=-1, keepdim=True).values
        )  # training leaves a constant free
        curves = gcc.upsample(about_zero * heard.gates[0, source, :, None], finer).cpu()
        step_m = self._speed_m_s / (heard.lags_a_second * finer)
        return Evidence(pairs=self.answers.pairs.cpu().numpy(), values=curves.numpy(), step_m=step_m)

    def _reversed(self, scene: Scene, is_heard: Bool[np.ndarray, "mic"]) -> Bool[np.ndarray, "mic"]:
        """Microphones whose polarity is reversed, by physics alone: masks and corrections were learned from right ones."""
        positions, box = scene.microphones.positions, scene.search_box()
        is_used = is_heard & scene.microphones.is_known & scene.is_trusted
        if self.answers.likelihoods is None or is_used.sum() < fewest_microphones(scene):
            return np.zeros_like(is_heard)
        plain = self._plain(self.evidence(0))

        def find(kept: Evidence) -> list[Mode]:
            return find_modes(kept, positions, box)

        return agree(plain, find, scene.microphones, is_used, fewest_left=fewest_microphones(scene) + 1).is_inverted

    def find(
        self,
        evidence: Evidence,
        positions: Float[np.ndarray, "mic 3"],
        box: Float[np.ndarray, "2 3"],
        *,
        polishes: bool = True,
        found_m: Spots = (),
    ) -> list[Mode]:
        """The best distinct places; after a second look, where this network takes one, with their probabilities.

        found_m: places of sources that were found before; what they explain does not count.
        """
        evidence = cancel_sources(evidence, found_m, positions)
        if self.network.reranker is None:
            return find_modes(evidence, positions, box, polishes=polishes)
        most, breadth = (
            (RUNNERS_UP, 1.0) if len(found_m) else (CANDIDATES, BREADTH)
        )  # a further one stands out or is none
        modes = find_modes(evidence, positions, box, polishes=polishes, most=most, breadth=breadth)
        return self._looked_at_again(modes, evidence, positions, box, found_m) if modes else []

    def _looked_at_again(
        self,
        modes: list[Mode],
        evidence: Evidence,
        positions: Float[np.ndarray, "mic 3"],
        box: Float[np.ndarray, "2 3"],
        found_m: Spots,
    ) -> list[Mode]:
        """The modes, likeliest first, by what the pairs in this evidence say round them."""
        assert self.network.reranker is not None
        heard = self._as_in(evidence)

        def tensor(values: np.ndarray) -> Tensor:
            return torch.from_numpy(values.astype(np.float32))[None].to(heard.curves)

        def all_there(places: Tensor) -> Tensor:
            return torch.ones(places.shape[:2], dtype=torch.bool, device=places.device)

        places = tensor(np.array([mode.position for mode in modes]) - self._origin_m)
        stand, speed = tensor(np.nan_to_num(positions - self._origin_m)), torch.full((1,), self._speed_m_s).to(places)
        with torch.inference_mode():
            if len(found_m):
                found = tensor(np.array(found_m) - self._origin_m)
                heard = heard.without(found, all_there(found), stand, speed)
            odds = self.network.reranker(
                heard, places, all_there(places), stand, tensor(with_height(box) - self._origin_m), speed
            )
        probability = odds[0].softmax(dim=0).cpu().numpy()
        order = np.argsort(-probability[:-1], kind="stable")
        plain = self._plain(evidence)
        is_listed = (probability[order] > LIKELY) & (np.arange(len(order)) < MOST_CANDIDATES)
        is_listed[0] = True
        return [
            replace(
                modes[k],
                position=self._exact(plain, positions, modes[k].position, box) if listed else modes[k].position,
                probability=float(probability[k]),
            )
            for k, listed in zip(order, is_listed, strict=True)
        ]

    def _exact(
        self, plain: Evidence, positions: Float[np.ndarray, "mic 3"], place: Float[np.ndarray, "3"],
        box: Float[np.ndarray, "2 3"],
    ) -> Float[np.ndarray, "3"]:  # fmt: skip
        """The place as exactly as the unmasked curves and the errors of the positions allow."""
        return fit_with_position_errors(plain, positions, self._sigma_m, polished(plain, positions, place, box), box)

    def _plain(self, evidence: Evidence) -> Evidence:
        """The unmasked curves of the pairs in this evidence: a mask tells right peaks from wrong ones, and blurs both."""
        heard, rows = self.answers.likelihoods, self._rows(evidence)
        assert heard is not None
        if self._plain_curves is None:
            self._plain_curves = gcc.upsample(heard.plain[0], ceil(FINE_RATE_HZ / heard.lags_a_second)).cpu().numpy()
        return replace(evidence, values=self._plain_curves[rows] * self._signs(evidence)[rows, None])

    def opinions(self, consensus: Consensus, scene: Scene) -> list[Opinion]:
        """What SRP-PHAT would say among the modes, where it is clear, and where the position decoder puts the source."""
        decoded = Opinion(
            who="the position decoder", position_m=self.sources_m[0], near_m=DECODER_ERRORS * 3**0.5 * self.error_m
        )
        heard = self._as_in(consensus.evidence.among(consensus.is_kept))
        plain = replace(heard, curves=heard.plain, gates=torch.ones_like(heard.gates[:, :1]))
        modes = np.array([mode.position for mode in consensus.modes]) - self._origin_m
        positions = np.nan_to_num(scene.microphones.positions - self._origin_m)
        places, stand = (
            torch.from_numpy(each.astype(np.float32))[None].to(heard.curves) for each in (modes, positions)
        )
        speed = torch.full((1,), self._speed_m_s).to(places)
        with torch.inference_mode():
            deviations = (plain.at(places, stand, speed)[0, 0] / plain.sharpness).cpu().numpy()
        best = int(deviations.argmax())
        if deviations[best] - deviations[0] < CLEAR_LEAD:
            return [decoded]
        return [Opinion(who="SRP-PHAT", position_m=consensus.modes[best].position), decoded]

    def _rows(self, evidence: Evidence) -> Int[np.ndarray, "pair"]:
        """Where its pairs are among all that were heard."""
        return np.flatnonzero((self.evidence(0).pairs[:, None] == evidence.pairs[None]).all(axis=-1).any(axis=1))

    def _signs(self, evidence: Evidence) -> Float[np.ndarray, "pair"]:
        """-1 where this evidence has a pair's polarity turned, 1 for all other pairs."""
        own, rows = self.evidence(0), self._rows(evidence)
        signs = np.ones(len(own.pairs), dtype=np.float32)
        signs[rows[(own.values[rows] * evidence.values).sum(axis=1) < 0]] = -1.0
        return signs

    def _as_in(self, evidence: Evidence) -> PairLikelihoods:
        """What the head said of the pairs in this evidence, with their sign in it; the others count as not placed."""
        heard, own = self.answers.likelihoods, self.evidence(0)
        assert heard is not None
        is_kept = np.zeros(len(own.pairs), dtype=bool)
        is_kept[self._rows(evidence)] = True
        turn = torch.from_numpy(self._signs(evidence)).to(heard.curves)[:, None]
        return replace(
            heard,
            curves=heard.curves * turn,
            plain=heard.plain * turn,
            is_placed=heard.is_placed & torch.from_numpy(is_kept).to(heard.is_placed.device),
        )

    def pair_reports(self, names: tuple[str, ...]) -> tuple[PairReport, ...]:
        """What the network made of every pair."""
        said = self.answers
        gates = said.weights[0] if said.likelihoods is None else said.likelihoods.gates[0, 0]
        columns = zip(
            said.pairs.tolist(), said.coherence[0].tolist(), said.attention[0].tolist(), gates.tolist(), strict=True
        )
        return tuple(
            PairReport(microphones=(names[i], names[j]), coherence=c, attention=a, gate=g)
            for (i, j), c, a, g in columns
        )
