"""Positions in feet, centimetres or millimetres that were given for metres: in another unit they fit the sound.

That is noticed, and told; the run goes on in metres. A compact array fits in any unit, and is never asked.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from soundfix.errors import SceneError
from soundfix.estimate import ACCUSATIONS, Estimate, Localizer
from soundfix.localization.compact import WIDEST_M
from soundfix.physics import OTHER_UNITS_M, distances
from soundfix.scene import Scene

WINDOWS_FOR_UNITS = 3  # windows without a clear answer that are tried in other units
BETTER_FIT = 1.5  # times the score: positions fit that much better in another unit


@dataclass(kw_only=True, eq=False)
class UnitsCheck:
    """Told every window in order: the first few are kept, until one with a clear answer settles that these are metres.

    They are tried in other units only when somebody asks for `unit`: so no answer waits for that.
    """

    is_settled: bool = False
    kept: int = 0
    _untried: list[tuple[Scene, Estimate]] = field(default_factory=list)
    _found: str | None = None

    def hear(self, scene: Scene, estimate: Estimate) -> None:
        """One more window and its answer."""
        self.is_settled = self.is_settled or is_compact(scene) or not is_unclear(scene, estimate)
        if not self.is_settled and self.kept < WINDOWS_FOR_UNITS:
            self.kept += 1
            self._untried.append((scene, estimate))

    def unit(self, localizer: Localizer) -> str | None:
        """The one in which the positions fit, where that is another."""
        while self._untried and self._found is None:
            scene, estimate = self._untried.pop(0)
            self._found = likely_unit(scene, localizer, estimate)
        return self._found


def is_compact(scene: Scene) -> bool:
    """Whether all of it is within WIDEST_M."""
    known = scene.microphones.positions[scene.microphones.is_known]
    return bool(distances(known, known).max(initial=0.0) <= WIDEST_M)


def is_unclear(scene: Scene, estimate: Estimate) -> bool:
    """Whether there is sound, but no single place for it or several microphones accused: as in the wrong unit."""
    accused = sum(report.status in ACCUSATIONS for report in estimate.microphones)
    return (estimate.verdict in ("ambiguous", "abstain") or accused > 1) and bool(np.any(scene.audio))


def likely_unit(scene: Scene, localizer: Localizer, estimate: Estimate) -> str | None:
    """The unit in which the positions fit the sound far better than in metres, if there is one.

    Another unit is tried without the room and the search region, which were told in metres: so metres are, too.
    """
    if scene.room is not None or scene.search is not None:
        estimate = localizer.locate(_scaled(scene, 1.0))
    for unit, metres in OTHER_UNITS_M.items():
        try:
            other = localizer.locate(_scaled(scene, metres))
        except SceneError:
            continue
        if other.verdict in ("ok", "degraded") and _strength(other) > BETTER_FIT * _strength(estimate):
            return unit
    return None


def _strength(estimate: Estimate) -> float:
    """The evidence in standard errors: that of few pairs fits somewhere by chance."""
    used = sum(report.weight > 0 for report in estimate.microphones)
    return max((source.score for source in estimate.sources), default=0.0) * (used * (used - 1) / 2) ** 0.5


def _scaled(scene: Scene, factor: float) -> Scene:
    positions = scene.microphones.border_positions() * factor
    return replace(scene, microphones=replace(scene.microphones, positions=positions), room=None, search=None)
