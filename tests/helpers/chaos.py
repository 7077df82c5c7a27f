"""A recording to break, a method that accuses, and what was tried with it."""

from dataclasses import dataclass, replace

import numpy as np

from soundfix.estimate import Estimate, Finding, MicrophoneReport, Source
from soundfix.evaluation.chaos import (
    attempt,
)
from soundfix.scene import Scene, Truth
from soundfix.testing import SOURCE, contract_scene

SECONDS, WINDOWS = 2.0, 4


@dataclass(frozen=True)
class Accuser:
    """Says in every window where the source is, that some microphones are dead, and by a reason something of others."""

    accused: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    name: str = "accuser"

    def locate(self, scene: Scene) -> Estimate:
        source = Source(position_m=SOURCE, covariance_m2=1e-4 * np.eye(3), radius90_m=0.025, score=1.0)
        end_s = scene.start_s + scene.duration_s
        reports = tuple(
            MicrophoneReport(name=name, status="dead" if name in self.accused else "ok", weight=1.0, position_m=None)
            for name in scene.microphones.names
        )
        findings = tuple(Finding(f"noise:{name}", "") for name in self.mentioned)
        return Estimate(
            method=self.name, start_s=scene.start_s, end_s=end_s, verdict="ok", findings=findings, sources=(source,),
            microphones=reports,
        )  # fmt: skip


def recording() -> Scene:
    """Two seconds from one point, with its truth; nine microphones."""
    return replace(contract_scene(9, seconds=SECONDS), truth=Truth(sources=SOURCE[None]))


def tried(clean, kind, number=0, broken=1):
    rng = np.random.default_rng(number)
    return attempt(clean, [kind] * broken, rng, label=kind)


def accusing(clean, *, accused=(), mentioned=()):
    """The same recording for a method that accuses these, whatever is broken."""
    return replace(clean, localizer=Accuser(accused, mentioned))
