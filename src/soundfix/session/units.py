"""Positions in feet, centimetres or millimetres that were given for metres: in another unit they fit the sound."""

from dataclasses import replace

from soundfix.errors import SceneError
from soundfix.estimate import Estimate, Localizer
from soundfix.scene import Scene

UNITS_M = {"feet": 0.3048, "cm": 0.01, "inches": 0.0254, "mm": 0.001}
WINDOWS_FOR_UNITS = 3  # windows without a clear answer after which other units are tried
BETTER_FIT = 1.5  # times the score: positions fit that much better in another unit


def likely_unit(scene: Scene, localizer: Localizer, estimate: Estimate) -> str | None:
    """The unit in which the positions fit the sound far better than in metres, if there is one."""
    for unit, metres in UNITS_M.items():
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
    return replace(scene, microphones=replace(scene.microphones, positions=positions), room=None)
