"""From the likelihood's best places to the likeliest: reranked by the network, then placed as exactly as curves allow."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import APART_M, RUNNERS_UP, SAME_M, Mode, find_modes, merged, polish
from soundfix.localization.multi_source import Spots, cancel_sources
from soundfix.localization.position_errors import fit_with_position_errors
from soundfix.localization.sources import LIKELY, MOST_CANDIDATES
from soundfix.methods.network_evidence import NetworkHeard, likelihoods_of, plain_curves
from soundfix.networks.interface import CANDIDATES
from soundfix.networks.pair_likelihoods import PairLikelihoods
from soundfix.scene import Scene, free_axes, search_box
from soundfix.signal.arrays import Array, as_kind, inference, namespace, of_kind, softmax, to_numpy

LEAST_HEIGHT = 0.01  # of a curve, to count for something in the polish
USUAL_WALL_M = 1.3  # from a source to floor and ceiling
BREADTH = 2.0  # of the search for candidates: what it passes over the reranker never sees


def likeliest_places(
    heard: NetworkHeard,
    evidence: Evidence,
    found_m: Spots = (),
    *,
    box: Float[np.ndarray, "2 3"],
    polishes: bool = True,
) -> list[Mode]:
    """The best distinct places; where the network reranks them, likeliest first, with their probabilities.

    found_m: places of sources that were found before; what they explain does not count.
    """
    evidence = cancel_sources(evidence, found_m)
    if heard.reranker is None:
        modes = find_modes(evidence, box, polishes=polishes)
        is_exact = heard.is_beyond_training and not evidence.is_broad
        return _as_exact(heard, modes, evidence, box) if is_exact else modes
    most, breadth = (RUNNERS_UP, 1.0) if len(found_m) else (CANDIDATES, BREADTH)  # a further one stands out or is none
    modes = find_modes(evidence, box, polishes=polishes, most=most, breadth=breadth)
    if not len(found_m):
        modes += _of_physics(heard, evidence, modes, box)
    return reranked(heard, modes, evidence, found_m, box=box) if modes else []


def _of_physics(
    heard: NetworkHeard, evidence: Evidence, modes: list[Mode], box: Float[np.ndarray, "2 3"]
) -> list[Mode]:
    """Where the plain curves peak, if none of the modes is there: a mask may have taken these peaks away."""
    found, known = (
        np.array([mode.position for mode in some]).reshape(-1, 3)
        for some in (heard.plain_peaks(plain_curves(heard, evidence), box), modes)
    )
    missed = found[(physics.distances(found, known) > APART_M).all(axis=1)]
    scores = evidence.score(missed)
    return [Mode(position=place, score=float(score)) for place, score in zip(missed, scores, strict=True)]


def reranked(
    heard: NetworkHeard, modes: list[Mode], evidence: Evidence, found_m: Spots = (), *, box: Float[np.ndarray, "2 3"]
) -> list[Mode]:
    """The modes, likeliest first; those that are listed as exact as the plain curves allow, each peak of these once."""
    probability = probabilities(heard, modes, evidence, found_m, box=box)
    order = np.argsort(-probability[:-1], kind="stable")
    plain = plain_curves(heard, evidence)
    is_listed = (probability[order] > LIKELY) & (np.arange(len(order)) < MOST_CANDIDATES)
    is_listed[0] = True
    sigma_m = heard.scene.microphones.sigma_m
    found = [
        replace(
            modes[k],
            position=exact(plain, sigma_m, modes[k].position, box) if listed else modes[k].position,
            probability=float(probability[k]),
        )
        for k, listed in zip(order, is_listed, strict=True)
    ]
    listed = int(is_listed.sum())
    return [*merged(found[:listed], _are_near), *found[listed:]]


def _are_near(mode: Mode, better: Mode) -> bool:
    return bool(np.linalg.norm(mode.position - better.position) < SAME_M)


def _as_exact(heard: NetworkHeard, modes: list[Mode], evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
    """The modes in their order, the best as exact as the plain curves allow."""
    plain, sigma_m = plain_curves(heard, evidence), heard.scene.microphones.sigma_m
    best = (replace(mode, position=exact(plain, sigma_m, mode.position, box)) for mode in modes[:MOST_CANDIDATES])
    return [*best, *modes[MOST_CANDIDATES:]]


def probabilities(
    heard: NetworkHeard, modes: list[Mode], evidence: Evidence, found_m: Spots = (), *, box: Float[np.ndarray, "2 3"]
) -> Float[np.ndarray, "choice"]:
    """That the source is at each of the modes, and, last, at none; by what the pairs in this evidence say round them."""
    places = np.array([mode.position for mode in modes])
    return chances(heard, likelihoods_of(heard, evidence), places, found_m, box=box)


def chances(
    heard: NetworkHeard,
    said: PairLikelihoods,
    places_m: Float[np.ndarray, "place 3"],
    found_m: Spots = (),
    *,
    box: Float[np.ndarray, "2 3"],
) -> Float[np.ndarray, "choice"]:
    """The same of any places (m), by what the head said of some pairs."""
    assert heard.reranker is not None
    frame = heard.frame

    def inside(points_m: np.ndarray) -> Array:
        return as_kind(frame.inside(points_m)[None], said.curves)

    places, stand = inside(places_m), namespace(said.curves).nan_to_num(inside(heard.evidence.positions))
    speed = as_kind(np.array([frame.speed_m_s]), places)
    with inference(places):
        if len(found_m):
            found = inside(np.array(found_m))
            said = said.without(found, _all_there(found), stand, speed)
        odds = heard.reranker(said, places, _all_there(places), stand, inside(walls(heard.scene, box)), speed)
        return to_numpy(softmax(odds[0]))


def _all_there(places: Array) -> Bool[Array, "1 place"]:
    return of_kind(np.ones(places.shape[:2], dtype=bool), places)


def exact(
    plain: Evidence, sigma_m: Float[np.ndarray, "mic"], place: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"]
) -> Float[np.ndarray, "3"]:
    """The place as exactly as the unmasked curves and the errors of the positions allow."""
    return fit_with_position_errors(plain, sigma_m, polished(plain, place, box), box)


def walls(scene: Scene, box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "2 3"]:
    """What the network is told of walls, where the source is sought in this box: the room. A search region is none: with it
    alone the network is told what it is told of no room, the box round the microphones."""
    if scene.search is None:
        return with_height(box)
    if scene.room is not None:
        return with_height(search_box(scene.microphones, scene.room))
    untold = search_box(scene.microphones, None)
    return np.stack([np.minimum(untold[0], box[0]), np.maximum(untold[1], box[1])])


def with_height(box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "2 3"]:
    """The box as a room: where it is thin, because a coordinate is known, as far to both sides as walls usually are."""
    known = ~free_axes(box) * USUAL_WALL_M
    return np.stack([box[0] - known, box[1] + known])


def polished(
    evidence: Evidence, place: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"]
) -> Float[np.ndarray, "3"]:
    """The top of the peak that this place lies on; pairs with a higher curve there, whose delays are exacter, count more."""
    height = evidence.at(physics.range_differences(place, evidence.positions, evidence.pairs)).clip(LEAST_HEIGHT)
    weighted = replace(evidence, values=evidence.values * np.sqrt(height)[:, None].astype(evidence.values.dtype))
    return polish(weighted, place[None], box)[0].position
