"""Where the microphones agree: in the box where sources are expected, or beyond it where nobody contradicts that."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from soundfix.estimate import Finding
from soundfix.localization.consensus import Consensus, agree
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Find
from soundfix.localization.sources import detection
from soundfix.scene import Scene, free_axes, is_within, unknowns

FAR = 2.0  # times the box round the microphones, on every side
LEAST_SPARE = (
    1  # microphones more than are needed to name one at fault, from which on a place beyond the box is believed
)
NEAR_BORDER = 0.1  # of the side of the box: a place this near may stand for one beyond


def search(
    scene: Scene, evidence: Evidence, is_used: Bool[np.ndarray, "mic"], find: Find, leaves_out: bool
) -> tuple[Float[np.ndarray, "2 3"], Consensus, tuple[Finding, ...]]:
    """The consensus in the box; or where somebody contradicts it, but nobody at all one beyond it, that."""
    positions, fewest_left = scene.microphones.positions, fewest_microphones(scene) + 1

    def agree_in(box: Float[np.ndarray, "2 3"], leaves_out: bool) -> Consensus:
        fewest = fewest_left if leaves_out else len(positions)
        return agree(evidence, lambda kept: find(kept, positions, box), scene.microphones, is_used, fewest_left=fewest)

    box = scene.search_box()
    inside = agree_in(box, leaves_out)
    if _is_agreed(inside) or not free_axes(box).all():
        return box, inside, ()
    if is_used.sum() <= fewest_left + LEAST_SPARE:
        return box, inside, ()  # with so few all together fit somewhere far away by chance
    for wider in _wider_boxes(scene, box, inside):
        outside = agree_in(wider, False)
        if _is_agreed(outside) and _is_better(outside, inside) and not _is_inside(outside.modes[0].position, box):
            return wider, outside, _outside(scene)
    return box, inside, ()


def _is_agreed(consensus: Consensus) -> bool:
    return bool(consensus.modes) and not consensus.is_contradicted and not consensus.is_named.any()


def _is_better(outside: Consensus, inside: Consensus) -> bool:
    """Whether all pairs together stand out of chance as far as those that were kept inside do for theirs."""
    return not inside.modes or detection(outside) >= detection(inside)


def _is_inside(place: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"], margin: float = 0.0) -> bool:
    """Whether it is in the box, and this share of its sides from the border."""
    inset = margin * (box[1] - box[0])
    return bool(is_within(place, np.stack([box[0] + inset, box[1] - inset])))


def _wider_boxes(scene: Scene, box: Float[np.ndarray, "2 3"], inside: Consensus) -> Iterator[Float[np.ndarray, "2 3"]]:
    """Round the microphones as if no room were given; and where a sound from afar makes several or the border suspect, far
    beyond, where it has little but a direction."""
    beyond = replace(scene, room=None).search_box()
    if scene.room is not None:
        yield np.stack([np.minimum(box[0], beyond[0]), np.maximum(box[1], beyond[1])])
    is_single = inside.modes and not inside.is_contradicted and inside.is_named.sum() == 1
    if is_single and _is_inside(inside.modes[0].position, box, NEAR_BORDER):
        return
    far_m = FAR * float((beyond[1] - beyond[0]).max())
    yield np.stack([beyond[0] - far_m, beyond[1] + far_m])


def _outside(scene: Scene) -> tuple[Finding, ...]:
    """Without a room it is outside nothing."""
    sentence = "the microphones agree on a place outside the room"
    return () if scene.room is None else (Finding("outside_room", sentence),)


def fewest_microphones(scene: Scene) -> int:
    """Every unknown coordinate and the time of the sound need one microphone: 4 in a room, 3 at a known height."""
    if not scene.microphones.is_known.any():
        return 4
    return unknowns(scene.search_box())
