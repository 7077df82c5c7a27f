"""Second opinions on a network's answer: what SRP-PHAT and its own position decoder say of the same sound.

Where another opinion is far from the place, the region widens towards it, by what probability the place leaves, and the
verdict says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Finding, Source
from soundfix.localization.modes import APART_M

LEAST_DOUBT = 0.02  # that the other opinion is right, however sure the first one is

DECODER_ERRORS = 3.0  # standard errors that its coordinates are trusted to


@dataclass(frozen=True, kw_only=True, eq=False)
class Opinion:
    """Who says it is where; nearer than so many metres is agreement."""

    who: str
    position_m: Float[np.ndarray, "3"]
    near_m: float = APART_M


def widen_where_others_disagree(
    source: Source, others: Sequence[Source], opinions: Sequence[Opinion], doubt: float
) -> tuple[Source, tuple[Finding, ...]]:
    """The source with its region widened, and what is to be said; an opinion that is listed among the others is heeded.

    doubt: the probability that the source is elsewhere.
    """
    findings = []
    for opinion in opinions:
        off_m = opinion.position_m - source.position_m
        gaps_m = [float(np.linalg.norm(opinion.position_m - other.position_m)) for other in (source, *others)]
        if min(gaps_m) <= opinion.near_m:
            continue
        covariance = source.covariance_m2 + max(doubt, LEAST_DOUBT) * np.outer(off_m, off_m)
        source = source.spread(covariance)
        x, y, z = opinion.position_m
        sentence = f"{opinion.who} would say ({x:.2f}, {y:.2f}, {z:.2f}) m, {gaps_m[0]:.1f} m away"
        findings.append(Finding("second_opinion", sentence))
    return source, tuple(findings)
