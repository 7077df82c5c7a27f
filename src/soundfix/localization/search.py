"""Where the microphones agree: in the box where sources are expected, or beyond it where nobody contradicts that.

Beyond a room it is an answer that says so: walls may be elsewhere. Beyond a search region it is none: there, it was told, no
source can be.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix.estimate import Finding
from soundfix.localization.abstention import Abstention
from soundfix.localization.arrival_errors import are_large, arrival_sigma_m, broadened, is_declared, with_wind_m
from soundfix.localization.arrival_fit import AIR, TOLD_AIR, Fix, Known, fit_arrivals, is_outside
from soundfix.localization.boxes import Boxes, Heard
from soundfix.localization.consensus import Consensus, agree
from soundfix.localization.evidence import Evidence
from soundfix.localization.microphone_status import drowned
from soundfix.localization.modes import Mode
from soundfix.localization.preparation import Prepared, fewest_microphones
from soundfix.localization.sources import MOST_CANDIDATES, detection, is_held, likely_modes
from soundfix.localization.witnesses import with_others
from soundfix.microphones import Microphones
from soundfix.scene import Scene, free_axes, is_within
from soundfix.search_region import EDGE_M

FAR = (2.0, 8.0)  # times the box round the microphones, on every side; the larger one where the smaller is not enough
AT_BORDER = 0.05  # of the side of a far box: a place this near may be farther
# Microphones more than are needed to name one at fault, from which on a place beyond the box is believed; with one less it
# has to stand out more: all together fit somewhere far away by chance.
LEAST_SPARE = 2
STARTS = (1.0, 0.6, 1.7, 4.0)  # times as far along the ray
HEARD = 0.8  # of the broad evidence of the best of these: a fit with less has lost peaks
CLEARLY = 1.5  # times as far
NEARLY = 0.9  # as far as a place at the border of a smaller box, which is not the best one
NEAR_BORDER = 0.1  # of the side of the box: a place this near may stand for one beyond


class Agreement(NamedTuple):
    """What the microphones agree on, the box (m) it was sought in, and what is to be said of that."""

    consensus: Consensus
    box: Float[np.ndarray, "2 3"]
    findings: tuple[Finding, ...] = ()


def agree_somewhere(prepared: Prepared, evidence: Evidence, boxes: Boxes, heard: Heard) -> tuple[Prepared, Agreement]:
    """The agreement of those who are no noise, and who they are; or an abstention where they agree nowhere."""
    region, exact = prepared.scene.search, evidence
    if are_large(prepared.scene):
        evidence = broadened(evidence, with_wind_m(prepared.scene))
    if region is not None and region.corners is not None:
        evidence = replace(evidence, search=region)
    search = partial(_search, find=partial(_find_told, partial(boxes.find, heard)), leaves_out=boxes.leaves_out)
    agreement = search(prepared, evidence)
    is_noise = drowned(prepared.health, agreement.consensus) & prepared.is_used
    if is_noise.any() and (prepared.is_used & ~is_noise).sum() > fewest_microphones(prepared.scene):
        prepared = prepared.without(is_noise)
        agreement = search(prepared, evidence.among(~is_noise))
    if not agreement.consensus.modes:
        raise Abstention(Finding("no_fix", "too few pairs agree on any place"), prepared.health)
    return prepared, _fixed(prepared.scene, exact, agreement) if evidence.is_broad else agreement


def _fixed(scene: Scene, exact: Evidence, agreement: Agreement) -> Agreement:
    """The agreement, its best places as exact as the arrivals of those that are kept allow."""
    consensus, box, exact = agreement.consensus, agreement.box, exact.among(agreement.consensus.is_kept)
    is_open = scene.room is None and scene.search is None
    if is_open and is_outside(consensus.modes[0].position, exact.positions[consensus.is_kept]):
        box = _far_box(scene, FAR[-1])  # a box that happened to hold it says nothing of how far it is
    air = TOLD_AIR if scene.is_air_told else AIR
    known = Known(is_declared(scene), bool(np.isfinite(scene.ground_m)), scene.wind_share, air)
    fit = partial(fit_arrivals, exact, arrival_sigma_m(scene), box=box, known=known)
    kept: list[Mode] = []
    findings: tuple[Finding, ...] = ()
    likely, broad = likely_modes(consensus), consensus.evidence.among(consensus.is_kept)
    for mode in consensus.modes[:MOST_CANDIDATES]:
        if any(mode is other for other in likely):  # only these are listed
            fix = _likeliest(_fits(fit, _starts(mode.position, exact, box), known), broad)
            if scene.others is not None and not kept:
                fix, findings = with_others(scene, scene.others, exact.used, fix, box, known)
            mode = replace(mode, position=fix.position_m, fix=fix)
        if not any(
            is_held(mode.position, other) for other in kept
        ):  # another one in the region of a better one is none
            kept.append(mode)
    consensus = replace(consensus, modes=kept)
    return Agreement(consensus=consensus, box=box, findings=(*agreement.findings, *findings))


def _fits(fit: Callable[..., Fix], starts: list[Float[np.ndarray, "3"]], known: Known) -> list[Fix]:
    """From every start; where the air was not what was told, also with the air believed to be so."""
    fixes = [fit(place=place) for place in starts]
    doubted = [place for place, fix in zip(starts, fixes, strict=True) if fix.doubts_air(known)]
    return [*fixes, *(fit(place=place, believes=True) for place in doubted)]


def _likeliest(fixes: list[Fix], broad: Evidence) -> Fix:
    """The one that costs least of those where pairs have peaks: chance fits well where there are none."""
    heard = broad.score(np.array([fix.position_m for fix in fixes]))
    return min(
        (fix for fix, each in zip(fixes, heard, strict=True) if each >= HEARD * heard.max()), key=lambda f: f.cost
    )


def _starts(
    place: Float[np.ndarray, "3"], evidence: Evidence, box: Float[np.ndarray, "2 3"]
) -> list[Float[np.ndarray, "3"]]:
    """The place; and outside the array others on its ray, along which broad evidence is alike."""
    positions = evidence.positions[evidence.used]
    times = STARTS if is_outside(place, positions) and free_axes(box).all() else (1.0,)
    middle = positions.mean(axis=0)
    return [np.clip(middle + each * (place - middle), box[0], box[1]) for each in times]


def _search(prepared: Prepared, evidence: Evidence, *, find: Callable[..., list[Mode]], leaves_out: bool) -> Agreement:
    """The consensus in the box; or one beyond it that nobody at all contradicts, where somebody contradicts that in the box,
    or it is at the end of a box that nobody told."""
    scene, is_used = prepared.scene, prepared.is_used
    fewest_left, everybody = fewest_microphones(scene) + 1, len(scene.microphones)
    box = scene.search_box()
    agree_in = partial(_agree_in, evidence, scene.microphones, is_used, find)
    inside = agree_in(box, fewest_left if leaves_out else everybody)
    spare, is_open = int(is_used.sum()) - fewest_left, scene.room is None and scene.search is None
    # Where evidence is broad, the fit of arrivals looks beyond by itself (_fixed), and noise is often best at an end.
    is_at_end = not evidence.is_broad and _is_at_border(inside, box)
    may_be_beyond = is_open and (spare < LEAST_SPARE or is_at_end)
    is_settled = _is_agreed(inside) and not may_be_beyond
    if is_settled or spare < LEAST_SPARE - 1 or not free_axes(box).all():
        return Agreement(inside, box)
    anywhere = partial(
        _agree_in, replace(evidence, search=None), scene.microphones, is_used, find, fewest_left=everybody
    )
    beyond, times = Agreement(inside, box), 1.0 if spare >= LEAST_SPARE else CLEARLY
    for wider in _wider_boxes(scene, box, inside, spare):
        outside = anywhere(box=wider)
        is_new = _is_agreed(outside) and not _is_told(outside.modes[0].position, scene, box)
        if is_new and _is_better(outside, beyond.consensus, times):
            beyond, times = Agreement(outside, wider), NEARLY
            if _is_inside(outside.modes[0].position, wider, AT_BORDER):
                break
    return beyond if beyond.box is box else _beyond(prepared, beyond.consensus, beyond.box)


def _find_told(find: Callable[..., list[Mode]], evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
    """The modes where a source may be; a peak a little outside a polygon is one on its edge."""
    modes, told = find(evidence, box=box), evidence.search
    if told is None:
        return modes
    near = [mode for mode in modes if told.may_hold(mode.position, EDGE_M)]
    return [replace(mode, position=told.pulled(mode.position)) for mode in near]


def _beyond(prepared: Prepared, outside: Consensus, box: Float[np.ndarray, "2 3"]) -> Agreement:
    """What is agreed on outside; an abstention where it was told that no source is there, or near."""
    scene, place = prepared.scene, outside.modes[0].position
    if scene.search is None:
        return Agreement(outside, box, _outside(scene))
    if _is_told(place, scene, scene.search_box(), EDGE_M):
        sentence = "the source lies at the border of the search region, a little outside"
        return Agreement(outside, box, (Finding("at_border", sentence),))
    x, y, z = place
    sentence = f"the microphones agree on ({x:.2f}, {y:.2f}, {z:.2f}) m, outside the search region: is that right?"
    raise Abstention(Finding("outside_search", sentence), prepared.health, outside, place[None])


def _agree_in(
    evidence: Evidence, microphones: Microphones, is_used: Bool[np.ndarray, "mic"], find: Callable[..., list[Mode]],
    box: Float[np.ndarray, "2 3"], fewest_left: int,
) -> Consensus:  # fmt: skip
    return agree(evidence, partial(find, box=box), microphones, is_used, fewest_left=fewest_left)


def _is_agreed(consensus: Consensus) -> bool:
    return bool(consensus.modes) and not consensus.is_contradicted and not consensus.is_named.any()


def _is_at_border(consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> bool:
    """Whether the best place is at the end of the box."""
    return bool(consensus.modes) and not _is_inside(consensus.modes[0].position, box, AT_BORDER)


def _is_better(outside: Consensus, inside: Consensus, times: float) -> bool:
    """Whether all pairs together stand out of chance so many times as far as those that were kept inside do for theirs."""
    return not inside.modes or detection(outside) >= times * detection(inside)


def _is_told(place: Float[np.ndarray, "3"], scene: Scene, box: Float[np.ndarray, "2 3"], margin_m: float = 0.0) -> bool:
    """Whether a source may be there, by what was told, or so near."""
    is_in_box = bool(is_within(place, np.stack([box[0] - margin_m, box[1] + margin_m])))
    return is_in_box and (scene.search is None or bool(scene.search.may_hold(place, margin_m)))


def _is_inside(place: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"], margin: float) -> bool:
    """Whether it is in the box, and this share of its sides from the border."""
    inset = margin * (box[1] - box[0])
    return bool(is_within(place, np.stack([box[0] + inset, box[1] - inset])))


def _wider_boxes(
    scene: Scene, box: Float[np.ndarray, "2 3"], inside: Consensus, spare: int
) -> Iterator[Float[np.ndarray, "2 3"]]:
    """Round the microphones as if no room were given; and where a sound from afar makes several or the border suspect, far
    beyond, where it has little but a direction."""
    beyond = _box_of_microphones(scene)
    if scene.room is not None or scene.search is not None:
        yield np.stack([np.minimum(box[0], beyond[0]), np.maximum(box[1], beyond[1])])
    is_single = inside.modes and not inside.is_contradicted and inside.is_named.sum() == 1 and spare >= LEAST_SPARE
    if is_single and _is_inside(inside.modes[0].position, box, NEAR_BORDER):
        return
    yield from (_far_box(scene, times) for times in FAR)


def _far_box(scene: Scene, times: float) -> Float[np.ndarray, "2 3"]:
    """The box round the microphones, and so many times as much on every side; not below the ground."""
    box = _box_of_microphones(scene)
    far_m = times * float((box[1] - box[0]).max())
    wide = np.stack([box[0] - far_m, box[1] + far_m])
    wide[0, 2] = max(wide[0, 2], scene.ground_m)
    return wide


def _box_of_microphones(scene: Scene) -> Float[np.ndarray, "2 3"]:
    """As if nothing were told."""
    return replace(scene, room=None, search=None).search_box()


def _outside(scene: Scene) -> tuple[Finding, ...]:
    """Without a room it is outside nothing."""
    sentence = "the microphones agree on a place outside the room"
    return () if scene.room is None else (Finding("outside_room", sentence),)
