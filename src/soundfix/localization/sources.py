"""Where the source is, how well that is known, and where else it could be.

The covariance is the Cramér-Rao bound for the timing error that the microphones themselves show (their profiles peak a
little before or after zero) and for the declared errors of their positions, widened by a factor found on held-out
simulations. Another mode that explains the sound nearly as well, and a place that this array's symmetry cannot
exclude, are answers too: then the verdict is ambiguous and all of them are listed. A method that knows how probable its
modes are is believed: where those that are listed hold less than 90 %, the region widens towards the whole room.
"""

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.estimate import COVERAGE, Finding, Regions, Source
from soundfix.localization.consensus import Consensus
from soundfix.localization.modes import Mode
from soundfix.microphones import Microphones
from soundfix.scene import THIN_ROOM_M, Scene, free_axes, unknowns

DETECTED = 7.0  # standard deviations of the mean evidence; noise alone reaches 5.5 somewhere in a room, rarely 6.7
CLEAR_LEAD = 1.5  # standard deviations by which the best mode must lead the next: then 1 in 100 is wrong
LIKELY = 0.1  # the probability from which another mode is listed, where the method knows it
LISTED, UNSURE = 0.9, 0.5  # of all probability: less in the list widens the region, more outside all modes is no answer
MOST_CANDIDATES = 4
TIMING_SIGMA_M, TIMING_PRIOR_WEIGHT = 0.006, 3.0  # prior on the timing error, and how many microphones it counts for
WIDENING = 1.0  # of the covariance, so that 90 % regions hold 90 %: measured by bench/luvira_twin.py
THEORY = Regions(method="theory (Cramér-Rao)", coverage=COVERAGE, held_out=0)
BORDER_M = 0.03  # a source this near the border of the box may lie beyond it
LONG_AXIS_RATIO, LONG_AXIS_M = 3.0, 0.1  # an axis this much worse than the others, and this uncertain, is named


def place_sources(
    scene: Scene, consensus: Consensus, box: Float[np.ndarray, "2 3"]
) -> tuple[tuple[Source, ...], tuple[Finding, ...]]:
    """The source, or all the places in the box it could be, best first; and what is to be said about them."""
    kept = scene.microphones.positions[consensus.is_kept]
    best = consensus.modes[0]
    rivals = _rivals(consensus)
    mirrored = [Mode(position=p, score=best.score) for p in physics.twins(best.position, kept) if _is_inside(p, box)]
    symmetric = [twin for twin in mirrored if np.linalg.norm(twin.position - best.position) > 2 * BORDER_M]
    modes = [best, *symmetric, *_without(rivals[: MOST_CANDIDATES - 1], symmetric)]
    sources = tuple(_source(scene.microphones.where(consensus.is_kept), consensus, mode, box) for mode in modes)
    elsewhere = 1 - sum(mode.probability or 0.0 for mode in [best, *rivals[: MOST_CANDIDATES - 1]])
    if best.probability is not None and elsewhere > 1 - LISTED:
        sources = (_widened(sources[0], elsewhere, box), *sources[1:])
    findings = [
        *_ambiguity(rivals, symmetric, physics.shape_rank(kept)),
        *_border(best.position, scene, box),
        *_long_axis(sources[0].covariance_m2),
        *_integrity(consensus, kept, box),
    ]
    return sources, tuple(findings)


def _rivals(consensus: Consensus) -> list[Mode]:
    """The other modes that explain the sound nearly as well as the best."""
    best, *others = consensus.modes
    if best.probability is not None:
        return [mode for mode in others if (mode.probability or 0.0) > LIKELY]
    close = best.score - CLEAR_LEAD / _standard_errors(consensus)
    return [mode for mode in others if mode.score > close]


def _widened(source: Source, elsewhere: float, box: Float[np.ndarray, "2 3"]) -> Source:
    """The source, which with this probability is anywhere in the box: the second moments of both together."""
    off_m = box.mean(axis=0) - source.position_m
    anywhere = np.diag(np.square(box[1] - box[0]) / 12) + np.outer(off_m, off_m)
    covariance = (1 - elsewhere) * source.covariance_m2 + elsewhere * anywhere
    return source.spread(covariance)


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


def _source(microphones: Microphones, consensus: Consensus, mode: Mode, box: Float[np.ndarray, "2 3"]) -> Source:
    sigma_m = np.hypot(timing_sigma(consensus), microphones.sigma_m)
    covariance = WIDENING * physics.cramer_rao(mode.position, microphones.positions, sigma_m, box)
    return Source(
        position_m=mode.position,
        covariance_m2=covariance,
        radius90_m=physics.radius90(covariance),
        score=float(np.clip(mode.score, 0, 1)),
    )


def _is_inside(point: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"]) -> bool:
    return bool(((point >= box[0] - THIN_ROOM_M) & (point <= box[1] + THIN_ROOM_M)).all())


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
    gap = np.minimum(position - box[0], box[1] - position)[free]
    if gap.min() > BORDER_M:
        return []
    where = "the room" if scene.room is not None else "the box searched round the microphones"
    return [Finding("at_border", f"the source lies at the border of {where}, and may lie outside")]


def _long_axis(covariance: Float[np.ndarray, "3 3"]) -> list[Finding]:
    deviation = np.sqrt(np.diag(covariance))
    worst = int(deviation.argmax())
    if deviation[worst] < max(LONG_AXIS_M, LONG_AXIS_RATIO * np.sort(deviation)[1]):
        return []
    sentence = f"{'xyz'[worst]} is poorly determined by this array here: +-{deviation[worst] * 100:.0f} cm"
    return [Finding(f"poor_{'xyz'[worst]}", sentence, degrades=False)]


def _integrity(consensus: Consensus, kept: np.ndarray, box: np.ndarray) -> list[Finding]:
    fewest = unknowns(box)
    if consensus.is_contradicted:
        return [Finding("inconsistent", "the microphones contradict each other, and are too few to say which is wrong")]
    if len(kept) == fewest:
        sentence = f"with {fewest} microphones every set of delays fits somewhere: a fault would go unnoticed"
        return [Finding("no_integrity_check", sentence)]
    return []
