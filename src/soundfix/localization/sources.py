"""Where the source is, how well that is known, and where else it could be.

The covariance is the Cramér-Rao bound for the timing error that the microphones themselves show (their profiles peak a
little before or after zero) and for the declared errors of their positions, widened by a factor found on held-out
simulations. Another mode that explains the sound nearly as well, and a place that this array's symmetry cannot
exclude, are answers too: then the verdict is ambiguous and all of them are listed. A method that knows how probable its
modes are is believed: where those that are listed hold less than 90 %, the region widens until it does, towards the modes
that are not and, should it be at none of them, their surroundings and the room.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix import physics, quantiles
from soundfix.estimate import COVERAGE, Finding, Regions, Source
from soundfix.localization.arrival_errors import above_chance
from soundfix.localization.consensus import Consensus
from soundfix.localization.list_error import list_error_m
from soundfix.localization.modes import APART_M, Mode, merged
from soundfix.microphones import Microphones
from soundfix.physics import REGION_90
from soundfix.scene import LEAST_MARGIN_M, THIN_ROOM_M, Scene, free_axes, is_within, unknowns
from soundfix.search_region import SearchRegion

DETECTED = 7.0  # standard deviations of the mean evidence; noise alone reaches 5.5 somewhere in a room, rarely 6.7
CLEAR_LEAD = 1.5  # standard deviations by which the best mode must lead the next: then 1 in 100 is wrong
LIKELY = 0.1  # the probability from which another mode is listed, where the method knows it
LISTED, UNSURE = 0.9, 0.5  # of all probability: less in the list widens the region, more outside all modes is no answer
BELIEVED, SURE = 0.3, 0.5  # a first place that is less probable is none, or is called unsure
MOST_CANDIDATES = 4
EVENLY = np.stack(np.meshgrid(*3 * [(np.arange(6) + 0.5) / 6], indexing="ij"), axis=-1).reshape(-1, 3)  # in a unit cube
NEARBY_M = (
    0.7  # standard deviation from a mode of half of the sources that are at none (EXPERIMENTS.md, 26 November 2026)
)
TIMING_SIGMA_M, TIMING_PRIOR_WEIGHT = 0.006, 3.0  # prior on the timing error, and how many microphones it counts for
WIDENING = 1.0  # of the covariance, so that 90 % regions hold 90 %: measured by bench/luvira_twin.py
THEORY = Regions(method="theory (Cramér-Rao)", coverage=COVERAGE, held_out=0)
BORDER_M = 0.03  # a source this near the border of the box may lie beyond it
BORDER_SHARE = 0.1  # of the side of a thin box: there every place is near its border
POOR = "poor_"  # and the axis: the code of what is said where
LONG_AXIS_RATIO, LONG_AXIS_M = 3.0, 0.1  # an axis this much worse than the others, and this uncertain, is named


class Told(NamedTuple):
    """Beside the box: within how much (m) each coordinate of the source is known, and how strong the wind may be."""

    known_to_m: Float[np.ndarray, "3"]
    wind_share: float


def place_sources(
    scene: Scene, consensus: Consensus, box: Float[np.ndarray, "2 3"]
) -> tuple[tuple[Source, ...], tuple[Finding, ...]]:
    """The source, or all the places in the box it could be, best first; and what is to be said about them."""
    kept = scene.microphones.positions[consensus.is_kept]
    best = consensus.modes[0]
    microphones, told = scene.microphones.where(consensus.is_kept), Told(scene.known_to_m(), scene.wind_share)
    rivals = _rivals(consensus)
    if not is_within(
        best.position, scene.search_box()
    ):  # far away it has little but a direction, and peaks all along it
        region = _source(microphones, consensus, best, box, told)
        rivals = [mode for mode in rivals if not _holds(region, mode.position)]
    symmetric = _twins(best, kept, box, scene)
    if best.fix is not None and np.isfinite(scene.ground_m):  # a little above the plane of recorders, or a little below
        best, symmetric = replace(best, fix=best.fix.reaching(twin.position for twin in symmetric)), []
    further = _without(rivals[: MOST_CANDIDATES - 1], symmetric)
    if len(symmetric) == 1:  # a line has circles of them
        further += _without([twin for rival in further for twin in _twins(rival, kept, box, scene)], further)
    modes = [best, *symmetric, *further]
    sources = tuple(_source(microphones, consensus, mode, box, told) for mode in modes)
    if best.probability is not None:
        listed = likely_modes(consensus)
        unlisted = [mode for mode in consensus.modes if all(mode is not other for other in listed)]
        elsewhere, twins = Elsewhere(listed, unlisted, _elsewhere(listed, scene, box), kept), 1 + len(symmetric)
        sources = (*(_widened(source, elsewhere) for source in sources[:twins]), *sources[twins:])
    findings = [
        *_ambiguity(rivals, symmetric, physics.shape_rank(kept)),
        *_unsure(best, rivals),
        *_border(best.position, scene, box),
        *long_axis(sources[0].covariance_m2),
        *_integrity(consensus, kept, box),
    ]
    return sources, tuple(findings)


def is_held(place: Float[np.ndarray, "3"], mode: Mode) -> bool:
    """Whether the region of a mode that has one of its own (arrival_fit.py) holds this place."""
    return mode.fix is not None and mode.fix.holds(place)


def _holds(source: Source, place: Float[np.ndarray, "3"]) -> bool:
    """Whether its region does."""
    return physics.is_in_region(place - source.position_m, source.covariance_m2)


def one_of_twins(consensus: Consensus) -> Consensus:
    """The consensus with one mode for places that no delay can tell apart, as probable as they are together.

    A method that knows how probable its modes are spreads what it knows over both sides of a flat array.
    """
    kept = consensus.evidence.positions[consensus.is_kept]
    if consensus.modes[0].probability is None or physics.shape_rank(kept) == 3:
        return consensus

    def are_twins(mode: Mode, better: Mode) -> bool:
        return bool(np.linalg.norm(physics.beside(mode.position, better.position, kept) - better.position) < APART_M)

    return replace(consensus, modes=merged(consensus.modes, are_twins))


def likely_modes(consensus: Consensus) -> list[Mode]:
    """The first mode, and the others that are listed."""
    return [consensus.modes[0], *_rivals(consensus)[: MOST_CANDIDATES - 1]]


def _unsure(best: Mode, rivals: list[Mode]) -> list[Finding]:
    if rivals or best.probability is None or best.probability >= SURE:
        return []
    return [Finding("unsure", f"the source is here with {best.probability:.0%} only, and nowhere else in particular")]


def _rivals(consensus: Consensus) -> list[Mode]:
    """The other modes that explain the sound nearly as well as the best."""
    best, *others = consensus.modes
    if best.probability is not None:
        return [mode for mode in others if (mode.probability or 0.0) > LIKELY]
    close = best.score - CLEAR_LEAD / _standard_errors(consensus)
    return [mode for mode in others if mode.score > close]


class Elsewhere(NamedTuple):
    """What a region widens for: the modes that are listed, those that are not, spots (m) where a source may be that is at
    none of these, and where those stand (m) who were heard."""

    listed: list[Mode]
    unlisted: list[Mode]
    spots: Float[np.ndarray, "place 3"]
    kept: Float[np.ndarray, "mic 3"]


def _widened(source: Source, elsewhere: Elsewhere) -> Source:
    """The source, with a region that reaches as far as it must to hold LISTED of all probability: what is listed, and the
    nearest part of what is not. That is at other modes, or, where it is at none, at one of these spots, alike each.

    An ellipsoid: the second moments of all that is not listed give its shape, and their quantile its size. Mirror twins are
    alike in this, too: what is not listed is beside each of them, on whatever side of the array it was sought.
    """
    known, others = (sum(mode.probability or 0.0 for mode in modes) for modes in elsewhere[:2])
    missing = LISTED - known
    if missing <= 0:
        return source
    spots = elsewhere.spots
    weight = np.full(len(spots), (1 - known - others) / len(spots))
    weight = np.append(weight, [mode.probability or 0.0 for mode in elsewhere.unlisted])
    places = np.array([*spots, *(mode.position for mode in elsewhere.unlisted)])
    off_m = physics.beside(places, source.position_m, elsewhere.kept) - source.position_m
    moments = source.covariance_m2 + (weight[:, None] * off_m).T @ off_m / weight.sum()
    squared = np.einsum("ni,ij,nj->n", off_m, np.linalg.inv(moments), off_m)
    order = np.argsort(squared)
    last = np.searchsorted(np.cumsum(weight[order]), missing).clip(max=len(order) - 1)
    return source.spread(source.covariance_m2 + squared[order[last]] / REGION_90 * moments)


def _elsewhere(modes: list[Mode], scene: Scene, box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "place 3"]:
    """Where a source may be that is at none of these modes: half of the places near them, half anywhere."""
    low, high = box
    if scene.room is None and scene.search is None:
        known = scene.microphones.positions[scene.microphones.is_known]
        low = np.maximum(low, known.min(axis=0) - LEAST_MARGIN_M)
        high = np.minimum(high, known.max(axis=0) + LEAST_MARGIN_M)
    anywhere = low + EVENLY * (high - low)
    near = np.concatenate([mode.position + NEARBY_M * quantiles.normal(EVENLY) for mode in modes])
    return np.clip(np.concatenate([near, np.tile(anywhere, (len(modes), 1))]), box[0], box[1])


def doubt(consensus: Consensus) -> float:
    """The probability that none of the modes is the source, where the method knows it; else 0."""
    known = [mode.probability for mode in consensus.modes if mode.probability is not None]
    return 1 - sum(known) if known else 0.0


def least_expected_error(consensus: Consensus) -> Float[np.ndarray, "3"]:
    """Of the modes the one with the smallest expected distance to the source, were it at one of them."""
    modes = np.array([mode.position for mode in consensus.modes])
    known = np.array([mode.probability or 0.0 for mode in consensus.modes])
    return modes[int((physics.distances(modes, modes) @ known).argmin())]


def detection(consensus: Consensus) -> float:
    """How far the mean evidence at the best mode stands out of chance, in standard deviations."""
    if consensus.evidence.is_broad:
        return above_chance(consensus.evidence.among(consensus.is_kept), consensus.modes[0].score)
    return consensus.modes[0].score * _standard_errors(consensus)


def _standard_errors(consensus: Consensus) -> float:
    """How many standard deviations of the mean evidence make 1."""
    kept = consensus.evidence.among(consensus.is_kept)
    return len(kept.pairs) ** 0.5 / kept.deviation


def timing_sigma(consensus: Consensus) -> float:
    """Standard deviation (m) of one microphone's arrival, from where the kept profiles peak and a prior."""
    residuals = [p.residual_m for p, kept in zip(consensus.profiles, consensus.is_kept, strict=True) if p and kept]
    freedom, usual_m = TIMING_PRIOR_WEIGHT + len(residuals), TIMING_SIGMA_M * consensus.evidence.breadth
    return float(np.sqrt((TIMING_PRIOR_WEIGHT * usual_m**2 + np.sum(np.square(residuals))) / freedom))


def _source(
    microphones: Microphones, consensus: Consensus, mode: Mode, box: Float[np.ndarray, "2 3"],
    told: Told,
) -> Source:  # fmt: skip
    if mode.fix is not None:
        covariance = mode.fix.covariance_m2
    else:
        sigma_m = np.hypot(timing_sigma(consensus), listed_sigma_m(microphones, consensus, mode))
        covariance = WIDENING * physics.cramer_rao(mode.position, microphones.positions, sigma_m, box)
        covariance = covariance + _of_known(mode.position, microphones.positions, sigma_m, box, told.known_to_m)
        covariance = covariance + _of_wind(mode.position, microphones.positions, sigma_m, box, told.wind_share)
    return Source(
        position_m=mode.position,
        covariance_m2=covariance,
        radius90_m=physics.radius90(covariance),
        score=float(np.clip(mode.score, 0, 1)),
    )


def listed_sigma_m(microphones: Microphones, consensus: Consensus, mode: Mode) -> Float[np.ndarray, "mic"]:
    """Standard errors of the listed positions: as declared, or where nothing is, as large as peaks miss each other."""
    if microphones.sigma_m.any() or consensus.is_moving:
        return microphones.sigma_m
    return microphones.sigma_m + list_error_m(consensus.evidence.among(consensus.is_kept), mode.position)


def _of_known(
    point: Float[np.ndarray, "3"], positions: Float[np.ndarray, "mic 3"], sigma_m: Float[np.ndarray, "mic"],
    box: Float[np.ndarray, "2 3"], known_to_m: Float[np.ndarray, "3"],
) -> Float[np.ndarray, "3 3"]:  # fmt: skip
    """What is added to the covariance (m²) of a place sought in the middle of known coordinates.

    With J the Fisher information, a known coordinate that is off by e moves the others by -J_ff^-1 J_fk e; e is uniform.
    """
    if not known_to_m.any():
        return np.zeros((3, 3))
    is_free, is_thick = free_axes(box), known_to_m > 0
    information = physics.fisher_information(point, positions, sigma_m)
    moved = np.eye(3)[:, is_thick]
    within = information[np.ix_(is_free, is_free)] + np.diag(12 / (box[1] - box[0])[is_free] ** 2)
    moved[is_free] = -np.linalg.solve(within, information[np.ix_(is_free, is_thick)])
    return (moved * known_to_m[is_thick] ** 2 / 12) @ moved.T


def _of_wind(
    point: Float[np.ndarray, "3"], positions: Float[np.ndarray, "mic 3"], sigma_m: Float[np.ndarray, "mic"],
    box: Float[np.ndarray, "2 3"], share: float,
) -> Float[np.ndarray, "3 3"]:  # fmt: skip
    """What a wind of this standard error, a share of the speed of sound, adds to the covariance (m²): it carries what all
    microphones hear away together (arrival_fit.py), and the place with it."""
    if not share:
        return np.zeros((3, 3))
    weight, units = np.square(1 / sigma_m)[:, None], physics.directions(point, positions)
    centred = units - (weight * units).sum(axis=0) / weight.sum()
    information = physics.fisher_information(point, positions, sigma_m) + np.diag(
        12 / np.maximum(box[1] - box[0], 1e-3) ** 2
    )
    moved = np.linalg.solve(information, centred.T @ (weight * (point - positions)))
    return share**2 * moved @ moved.T


def _twins(mode: Mode, kept: Float[np.ndarray, "mic 3"], box: Float[np.ndarray, "2 3"], scene: Scene) -> list[Mode]:
    """As good as this mode, and apart from it: where else the source may be, by the array's symmetry."""
    places = (place for place in physics.twins(mode.position, kept) if _may_be(place, box, scene))
    twins = (replace(mode, position=place) for place in places)
    return [twin for twin in twins if np.linalg.norm(twin.position - mode.position) > 2 * BORDER_M]


def _may_be(point: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"], scene: Scene) -> bool:
    """Whether a source may be there, as far as that was told."""
    is_in_box = bool(((point >= box[0] - THIN_ROOM_M) & (point <= box[1] + THIN_ROOM_M)).all())
    return is_in_box and (scene.search is None or bool(scene.search.may_hold(point)))


def _without(modes: list[Mode], others: list[Mode]) -> list[Mode]:
    """The modes that are not one of the others, found again."""
    return [m for m in modes if all(np.linalg.norm(m.position - o.position) > 0.3 for o in others)]


def _ambiguity(rivals: list[Mode], symmetric: list[Mode], rank: int) -> list[Finding]:
    if symmetric and rank == 1:
        sentence = "the microphones stand on a line: the source is somewhere on a circle round it, shown as points"
        return [Finding("collinear", sentence)]
    if symmetric:
        sentence = "the microphones lie in a plane: the source may as well be at its mirror image; a room box decides"
        return [Finding("mirror_twin", sentence)]
    if rivals:
        return [Finding("several_places", f"{len(rivals) + 1} places explain the sound about equally well")]
    return []


def _border(position: np.ndarray, scene: Scene, box: np.ndarray) -> list[Finding]:
    free = free_axes(box)
    low = np.where(box[0] > scene.ground_m, box[0], -np.inf)  # nobody doubts the ground
    gap = np.minimum(position - low, box[1] - position)[free]
    near = np.minimum(BORDER_M, BORDER_SHARE * (box[1] - box[0])[free])
    if (gap > near).all() and not _is_at_edge(position, scene.search):
        return []
    where = "the room" if scene.room is not None else "the box searched round the microphones"
    if scene.search is not None:
        where = "the search region"
    return [Finding("at_border", f"the source lies at the border of {where}, and may lie outside")]


def _is_at_edge(position: np.ndarray, search: SearchRegion | None) -> bool:
    if search is None:
        return False
    return bool(search.may_hold(position) & ~search.may_hold(position, margin_m=-BORDER_M))


def long_axis(covariance: Float[np.ndarray, "3 3"]) -> list[Finding]:
    """The coordinate that is known much less well than the others, if there is one."""
    deviation = np.sqrt(np.diag(covariance))
    worst = int(deviation.argmax())
    if deviation[worst] < max(LONG_AXIS_M, LONG_AXIS_RATIO * np.sort(deviation)[1]):
        return []
    sentence = f"{'xyz'[worst]} is poorly determined by this array here: +-{deviation[worst]:.2g} m"
    return [Finding(f"{POOR}{'xyz'[worst]}", sentence, degrades=False)]


def _integrity(consensus: Consensus, kept: np.ndarray, box: np.ndarray) -> list[Finding]:
    fewest = unknowns(box)
    if consensus.is_contradicted:
        return [Finding("inconsistent", "the microphones contradict each other, and are too few to say which is wrong")]
    if len(kept) == fewest:
        sentence = f"with {fewest} microphones every set of delays fits somewhere: a fault would go unnoticed"
        return [Finding("no_integrity_check", sentence)]
    return []
