"""What a method fills: the three boxes of the way from sound to an answer that are its own (pipeline.py has the others).

    hear    what the microphones of a prepared window say, as evidence of every pair
    find    where that evidence, of some of the microphones, peaks in a box
    place   sources and their regions, from what the microphones agree on

`hear` gives a value that `find` and `place` get back, so that nothing is remembered in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from soundfix.estimate import Finding, Source
from soundfix.localization.consensus import Consensus
from soundfix.localization.correlate import Correlator
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode, find_modes
from soundfix.localization.preparation import Prepared
from soundfix.localization.sources import place_sources
from soundfix.scene import Scene

Correlate = Callable[[Float[np.ndarray, "mic time"], Scene, Int[np.ndarray, "pair 2"]], Evidence]
Finder = Callable[[Evidence, Float[np.ndarray, "2 3"]], list[Mode]]


@runtime_checkable
class Heard(Protocol):
    """What was heard, whatever else a method keeps of it."""

    @property
    def evidence(self) -> Evidence:
        """Of every pair that was heard."""
        ...


class Placed(NamedTuple):
    """Sources, the first one best, and what is to be said of them."""

    sources: tuple[Source, ...]
    findings: Sequence[Finding]


@runtime_checkable
class Boxes(Protocol):
    """hear, find and place (see above).

    leaves_out: whether microphones that contradict the rest are left out; a method may have its own way with them.
    follows: whether who moves is looked for in the middle of the window; places that are no peaks of the evidence stay.
    knows_axes: whether a turned array is another one to the method, which learned rooms along x and y.
    """

    @property
    def leaves_out(self) -> bool: ...

    @property
    def follows(self) -> bool: ...

    @property
    def knows_axes(self) -> bool: ...

    def hear(self, prepared: Prepared) -> Heard:
        """The evidence, and what else the method wants to know later."""
        ...

    def find(self, heard: Any, evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
        """The best distinct places in the box (metres), best first."""
        ...

    def place(self, heard: Any, prepared: Prepared, consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> Placed:
        """The sources."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Correlated:
    """What a correlation says."""

    evidence: Evidence


@dataclass(frozen=True, kw_only=True)
class CorrelationBoxes:
    """The boxes of a classical method: the evidence is a correlation, and `finder` says where in a box the source is.

    correlator: from audio (M, T), a scene and pairs (P, 2) to evidence. finder: the places where all of it adds up highest
    (SRP-PHAT), or another function of evidence and a box.
    """

    correlator: Correlate = field(default_factory=Correlator)
    finder: Finder = find_modes
    leaves_out: bool = True
    follows: bool = True
    knows_axes: bool = False

    def hear(self, prepared: Prepared) -> Correlated:
        """The correlation of every pair."""
        return Correlated(evidence=self.correlator(prepared.audio, prepared.scene, prepared.pairs))

    def find(self, _heard: Heard, evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
        """What the finder finds."""
        return self.finder(evidence, box)

    def place(self, _heard: Heard, prepared: Prepared, consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> Placed:
        """The best place, or all that explain the sound as well."""
        return Placed(*place_sources(prepared.scene, consensus, box))
