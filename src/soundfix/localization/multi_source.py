"""Several sources at once: what is left of the evidence when one of them was found?

A source explains the evidence round its own delays. If the rest still agrees on a place, there is another source; where a
second look tells how probable places are, it must find this one more likely than not. Of places that compete for one sound
(sources.py: ambiguous) none is left: what explains a peak at one of them is gone with the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.estimate import Finding
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import APART_M, Mode
from soundfix.localization.sources import DETECTED, UNSURE, detection
from soundfix.physics import EXPLAINED_M

MOST_SOURCES = 3  # at once
LEAST_SHARE = 0.1  # of the first one's evidence: less is what is left of it; real ones have 0.4 and more
CLEAR, REAL_SHARE = 40.0, 0.4  # standard deviations, and share of the first one's evidence, that leave no doubt
Spots = Sequence[Float[np.ndarray, "3"]]


def further_sources(
    consensus: Consensus, heard: Sequence[Evidence], find: Callable[[Evidence, Spots], list[Mode]]
) -> list[Consensus]:
    """For each source after the first what the microphones agree on, its own place the only mode.

    heard: the evidence each is sought in, in turn. find: modes in evidence, given the sources found before.
    """
    found: list[Consensus] = []
    for evidence in heard:
        places = [each.modes[0].position for each in (consensus, *found)]
        modes = find(evidence.among(consensus.is_kept), places)
        fresh = [mode for mode in modes if _is_elsewhere(mode, places) and not _is_echo(mode, places, consensus)]
        other = replace(consensus, modes=fresh[:1], evidence=cancel_sources(evidence, places))
        share = fresh[0].score / consensus.modes[0].score if fresh else 0.0
        if share < LEAST_SHARE or not _is_source(other, share):
            break
        found.append(other)
    return found


def _is_source(consensus: Consensus, share: float) -> bool:
    """Whether it stands out, and a network believes it; or it stands out beyond all doubt, whatever a network says."""
    sure, stands_out = consensus.modes[0].probability, detection(consensus)
    is_clear = stands_out >= CLEAR and share >= REAL_SHARE
    return stands_out >= DETECTED and (sure is None or sure > UNSURE or is_clear)


def apart_from(consensus: Consensus, places: Spots) -> Consensus:
    """The consensus on a source that is none of those at these places: their modes are no rivals of its own."""
    modes = [consensus.modes[0], *(mode for mode in consensus.modes[1:] if _is_elsewhere(mode, places))]
    kept, whole = (sum(mode.probability or 0.0 for mode in some) for some in (modes, consensus.modes))
    share = 1 - (whole - kept)
    known = [m if m.probability is None else replace(m, probability=min(1.0, m.probability / share)) for m in modes]
    return replace(consensus, modes=known)


def multi_source_findings(sources: Sequence[object]) -> list[Finding]:
    """What is to be said of so many sources at once."""
    sentence = f"{len(sources)} sources sound at once"
    return [Finding("several_sources", sentence, degrades=False)] if len(sources) > 1 else []


def cancel_sources(evidence: Evidence, places: Spots) -> Evidence:
    """The evidence without what sources at these places explain: a sound heard once is one source."""
    differences_m = evidence.step_m * (np.arange(evidence.values.shape[1]) - evidence.values.shape[1] // 2)
    values = evidence.values.copy()
    for place in places:
        expected_m = physics.range_differences(place, evidence.positions, evidence.pairs)
        values[np.abs(differences_m - expected_m[:, None]) < EXPLAINED_M] = 0.0
    return replace(evidence, values=values)


def _is_elsewhere(mode: Mode, places: Spots) -> bool:
    return all(np.linalg.norm(mode.position - place) > APART_M for place in places)


def _is_echo(mode: Mode, places: Spots, consensus: Consensus) -> bool:
    kept = consensus.evidence.positions[consensus.is_kept]
    return bool(physics.level_images(mode.position, np.array(places), kept).any())
