"""The first box: which microphones can be heard, which of them are located with, and which pairs are listened to."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.estimate import Finding
from soundfix.localization.abstention import Abstention
from soundfix.localization.correlate import lags_of
from soundfix.localization.health import Health, examine, is_tone
from soundfix.localization.pairs import choose_pairs
from soundfix.scene import Scene, unknowns


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A window that can be listened to. is_used: microphones that are located with. findings: of the choice of pairs."""

    scene: Scene
    health: Health
    is_used: Bool[np.ndarray, "mic"]
    pairs: Int[np.ndarray, "pair 2"]
    findings: tuple[Finding, ...]

    @property
    def audio(self) -> Float[np.ndarray, "mic time"]:
        """Mended."""
        return self.health.audio

    def without(self, is_out: Bool[np.ndarray, "mic"]) -> "Prepared":
        """Who is out is not used, and of no weight."""
        return replace(self, health=self.health.without(is_out), is_used=self.is_used & ~is_out)


def prepare(scene: Scene) -> Prepared:
    """The window, or an abstention: silence, too few microphones, a single tone."""
    health = examine(scene)
    is_used = health.is_heard & scene.microphones.is_known & scene.is_trusted
    if not health.is_heard.any():
        raise Abstention(Finding("no_signal", "no microphone hears anything"), health)
    if is_used.sum() < fewest_microphones(scene):
        raise Abstention(_too_few(scene, is_used), health)
    if is_tone(health):
        raise Abstention(Finding("narrow_band", "a single tone fits in very many places"), health)
    lags = lags_of(scene)
    pairs, findings = choose_pairs(health.is_heard, lags=lags)
    if findings:  # too many to listen to those as well that are not located with
        pairs, _ = choose_pairs(is_used, lags=lags)
    return Prepared(scene=scene, health=health, is_used=is_used, pairs=pairs, findings=findings)


def fewest_microphones(scene: Scene) -> int:
    """Every unknown coordinate and the time of the sound need one microphone: 4 in a room, 3 at a known height."""
    if not scene.microphones.is_known.any():
        return 4
    return unknowns(scene.search_box())


def _too_few(scene: Scene, is_used: Bool[np.ndarray, "mic"]) -> Finding:
    wanted = fewest_microphones(scene)
    return Finding(
        "too_few_microphones",
        f"{is_used.sum()} usable microphones of known position, but {wanted} are needed: "
        f"{wanted - 1} coordinates and the time of the sound are unknown",
    )
