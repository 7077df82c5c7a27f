"""Detections as CSV: BirdNET's, a row a detection, and OpenSoundscape's, a row a clip of a file with a column a species.

Cells of OpenSoundscape are 0 and 1, or scores: probabilities count from one half, and logits (any beyond 0 to 1) from 0.
"""

from soundfix.events import SoundEvent
from soundfix.files.events.table import Row, Table

BIRDNET = ("Start (s)", "End (s)")
CLIP = ("file", "start_time", "end_time")
NO_SPECIES = (*CLIP, "start_timestamp", "")
TRUTH = {"True": 1.0, "False": 0.0, "TRUE": 1.0, "FALSE": 0.0}


def is_birdnet(table: Table) -> bool:
    """By its header."""
    return set(BIRDNET) <= set(table.columns)


def read_birdnet(table: Table) -> list[SoundEvent]:
    """One event a row."""
    return [
        row.event(
            *BIRDNET, label=row.text("Common name", "Scientific name"), stations=[row.text("File")], number=number
        )
        for number, row in enumerate(table.rows)
    ]


def is_opensoundscape(table: Table) -> bool:
    """By its header."""
    return set(CLIP) <= set(table.columns)


def read_opensoundscape(table: Table) -> list[SoundEvent]:
    """One event for each species that is in a clip."""
    species = [column for column in table.columns if column not in NO_SPECIES]
    scores = [{name: _score(row, name) for name in species} for row in table.rows]
    is_logit = any(not 0 <= score <= 1 for each in scores for score in each.values())
    least = 0.0 if is_logit else 0.5
    return [
        row.event("start_time", "end_time", label=name, stations=[row.text("file")], number=number)
        for number, (row, each) in enumerate(zip(table.rows, scores, strict=True))
        for name, score in each.items()
        if score > least
    ]


def _score(row: Row, species: str) -> float:
    text = row.text(species)
    return TRUTH[text] if text in TRUTH else row.number(species) if text else 0.0
