"""Is there anything to hear, is it at one of these places, and is it the majority that says so? Else an abstention."""

from collections.abc import Sequence

import numpy as np

from soundfix.estimate import Finding, Source
from soundfix.localization.abstention import Abstention
from soundfix.localization.consensus import Consensus
from soundfix.localization.preparation import Prepared
from soundfix.localization.sources import (
    BELIEVED,
    DETECTED,
    LISTED,
    UNSURE,
    detection,
    doubt,
    least_expected_error,
    likely_modes,
    one_of_twins,
)


def believe(prepared: Prepared, consensus: Consensus, sources: Sequence[Source]) -> None:
    """Nothing, where these sources can be believed; raises Abstention with what it does not believe in."""
    unsure = doubt(consensus)
    why = _why_not(prepared, one_of_twins(consensus), unsure)
    if why is None:
        return
    guess_m = np.array([source.position_m for source in sources])
    if unsure > UNSURE:
        guess_m = least_expected_error(consensus)[None]
    low, high = prepared.scene.search_box()
    guess_m = np.clip(guess_m, low, high)  # not even a guess is beyond where a source may be
    raise Abstention(why, prepared.health, consensus, guess_m)


def _why_not(prepared: Prepared, consensus: Consensus, unsure: float) -> Finding | None:
    accused, heard = int(consensus.is_named.sum()), int(prepared.is_used.sum())
    if detection(consensus) < DETECTED:
        return Finding("no_signal", "the microphones hear nothing in common")
    if unsure > UNSURE:
        return Finding("no_fix", f"more likely than not ({unsure:.0%}) the source is at none of the best places")
    best, listed = consensus.modes[0].probability, sum(mode.probability or 0.0 for mode in likely_modes(consensus))
    if best is not None and best < BELIEVED and listed < LISTED:
        return Finding("no_fix", f"the best place is unlikely ({best:.0%}), and so are the others")
    return _no_majority(accused, heard) if 2 * accused >= heard else None


def _no_majority(accused: int, heard: int) -> Finding:
    return Finding(
        "inconsistent",
        f"{accused} of {heard} microphones contradict the rest, and a minority cannot outvote them: "
        "are the positions in metres, and does each channel belong to its row?",
    )
