"""Microphones whose polarity is reversed, by physics alone: masks and corrections were learned from right ones."""

import numpy as np
from jaxtyping import Bool

from soundfix.localization.arrival_errors import are_large
from soundfix.localization.boxes import Finder
from soundfix.localization.consensus import agree
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import find_modes
from soundfix.localization.preparation import fewest_microphones
from soundfix.scene import Scene


def reversed_polarity(
    plain: Evidence, scene: Scene, is_heard: Bool[np.ndarray, "mic"], *, find: Finder = find_modes
) -> Bool[np.ndarray, "mic"]:
    """Of the microphones (M,) that are heard, by their pairs' plain correlations; nobody where too few are placed."""
    is_used, fewest = is_heard & scene.microphones.is_known & scene.is_trusted, fewest_microphones(scene)
    if is_used.sum() < fewest or are_large(scene):
        return np.zeros_like(is_heard)
    box = scene.search_box()
    return agree(plain, lambda some: find(some, box), scene.microphones, is_used, fewest_left=fewest + 1).is_inverted
