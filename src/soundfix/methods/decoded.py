"""Answers whose places are coordinates that a network decoded.

The steered power of the same sound is its second opinion, says who is at fault, and whether there is anything to locate.
Where the two disagree the region widens and the answer says so. Microphones of unknown position are where the network
puts them.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from soundfix import physics
from soundfix.estimate import COVERAGE, Estimate, Finding, PairReport, Regions, Source
from soundfix.localization.boxes import Placed
from soundfix.localization.consensus import Consensus
from soundfix.localization.correlate import Correlator
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode, find_modes
from soundfix.localization.pipeline import estimate_window
from soundfix.localization.preparation import Prepared
from soundfix.localization.sources import place_sources
from soundfix.scene import THIN_ROOM_M, Scene

IN_TRAINING = Regions(method="error measured in training", coverage=COVERAGE, held_out=0)


class Places(NamedTuple):
    """What a network decoded (metres, in the coordinates of the scene).

    microphones_m: None from who finds none. pairs: what it made of every pair, where it explains itself.
    """

    sources_m: Float[np.ndarray, "source 3"]
    microphones_m: Float[np.ndarray, "mic 3"] | None
    pairs: tuple[PairReport, ...] = ()


@runtime_checkable
class Decoder(Protocol):
    """A network that says places."""

    def decode(self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]) -> Places:
        """From what these pairs' microphones heard."""

    @property
    def error_m(self) -> float:
        """Standard error of a place along an axis, measured in training."""

    @property
    def knows_one_room(self) -> bool:
        """Whether its coordinates are those of the room it learned."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """evidence: of a correlation, the second opinion. places: what the network decoded."""

    evidence: Evidence
    places: Places


@dataclass(frozen=True, kw_only=True, eq=False)
class DecodedBoxes:
    """The boxes of a decoder: its places, and the steered power of the same sound to check them by."""

    decoder: Decoder
    leaves_out: bool = True
    follows: bool = False
    knows_axes: bool = True

    def hear(self, prepared: Prepared) -> Decoded:
        """Both."""
        heard = prepared.audio, prepared.scene, prepared.pairs
        return Decoded(places=self.decoder.decode(*heard), evidence=Correlator()(*heard))

    def find(self, _heard: Decoded, evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
        """Where the steered power peaks."""
        return find_modes(evidence, box)

    def place(self, heard: Decoded, prepared: Prepared, consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> Placed:
        """The network's places."""
        return _place(heard.places.sources_m, self.decoder, prepared.scene, consensus, box)


def locate_by_coordinates(scene: Scene, decoder: Decoder, *, method: str) -> Estimate:
    """The answer for one window."""
    estimate, heard = estimate_window(scene, DecodedBoxes(decoder=decoder), method=method)
    if estimate.direction is None:
        estimate = replace(estimate, regions=IN_TRAINING if estimate.sources else None)
    return _with_found(estimate, scene, heard.places) if heard else estimate


def _with_found(estimate: Estimate, scene: Scene, decoded: Places) -> Estimate:
    """With the microphones that the network found, and with its places where nothing else knew one."""
    if estimate.sources:
        estimate = replace(estimate, pairs=decoded.pairs)
    if not estimate.sources and estimate.guess_m is None:
        estimate = replace(estimate, guess_m=decoded.sources_m)
    if decoded.microphones_m is None or scene.microphones.is_known.all():
        return estimate
    reports = zip(estimate.microphones, scene.microphones.is_known, decoded.microphones_m, strict=True)
    return replace(
        estimate, microphones=tuple(r if known else replace(r, position_m=place) for r, known, place in reports)
    )


def _place(
    sources_m: Float[np.ndarray, "source 3"],
    decoder: Decoder,
    scene: Scene,
    consensus: Consensus,
    box: Float[np.ndarray, "2 3"],
) -> Placed:
    """The network's sources; the region is that of its known error and of its distance from the second opinion."""
    sources: list[Source] = []
    findings: dict[str, Finding] = {}
    own_m2 = _own_covariance(decoder, box)
    for point in np.clip(sources_m, box[0], box[1]):
        mode = Mode(position=point, score=float(consensus.evidence.score(point[None])[0]))
        placed, said = place_sources(scene, replace(consensus, modes=[mode]), box)
        second = min(consensus.modes, key=lambda mode: float(np.linalg.norm(mode.position - point)))
        gap_m = point - second.position
        sources += [source.spread(own_m2 + np.outer(gap_m, gap_m)) for source in placed]
        findings |= {finding.code: finding for finding in (*said, *_disagreement(second, gap_m, own_m2))}
    return Placed(tuple(sources), (*findings.values(), *_frame_guessed(decoder, scene)))


def _own_covariance(decoder: Decoder, box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "3 3"]:
    """That of the position decoder's error, measured in training, along every axis that is free."""
    is_free = box[1] - box[0] > THIN_ROOM_M
    return np.diag(np.where(is_free, decoder.error_m**2, 1e-6))


def _disagreement(second: Mode, gap_m: Float[np.ndarray, "3"], own_m2: Float[np.ndarray, "3 3"]) -> tuple[Finding, ...]:
    distance_m = float(np.linalg.norm(gap_m))
    if distance_m < physics.radius90(own_m2):
        return ()
    where = ", ".join(f"{coordinate:.2f}" for coordinate in second.position)
    sentence = f"the steered power of the same sound says ({where}) m, {distance_m:.2f} m away"
    return (Finding("second_opinion", sentence),)


def _frame_guessed(decoder: Decoder, scene: Scene) -> tuple[Finding, ...]:
    if not decoder.knows_one_room or scene.room is not None:
        return ()
    sentence = "no room was given: the network's coordinates were taken to start in the middle of the microphones"
    return (Finding("frame_guessed", sentence),)
