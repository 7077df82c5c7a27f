"""What writers of other programs' formats know beside the answers: who heard the recording, when, and in which files."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Estimate, Source
from soundfix.files.events.reading import EventTable
from soundfix.files.take import Take
from soundfix.microphones import Microphones
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.scene import Room


class Listener(NamedTuple):
    """Somebody who listens: where (m), and which way is ahead, in degrees from the x axis towards the y axis."""

    position_m: Float[np.ndarray, "3"]
    heading_deg: float = 0.0


class Heard(NamedTuple):
    """The file in which a microphone is heard, and what time it is there (s from its start)."""

    file: str
    time_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Recorded:
    """microphones: their list. take: the recording, where it is in files. table: of its events, where there is one.

    hop_s: from window to window; None where answers are of events. room: the box that was given (m). speed_m_s: of sound.
    listener: for formats that are told from somebody's place.
    """

    microphones: Microphones
    take: Take | None = None
    table: EventTable | None = None
    hop_s: float | None = None
    room: Room | None = None
    speed_m_s: float = SPEED_OF_SOUND_M_S
    listener: Listener | None = None

    @property
    def starts_at(self) -> datetime | None:
        """Clock time of its start, where files tell it."""
        return self.take.starts_at if self.take else None

    def heard(self, microphone: int, time_s: float) -> Heard | None:
        """Where a moment of the recording is in this microphone's files; None where it has no sound then."""
        if self.take is None:
            return Heard(self.microphones.names[microphone], time_s)
        channel = self.take.order[microphone]
        recorder = None if channel is None else self.take.recorder(channel)
        begun = [part for part in recorder.parts if part.start_s <= time_s] if recorder else []
        if not begun or time_s >= begun[-1].covered(begun[-1].file.duration_s)[1]:
            return None
        return Heard(str(begun[-1].file.path), time_s - begun[-1].start_s)

    def span(self, estimate: Estimate) -> tuple[float, float]:
        """The seconds that an answer stands for: of an event its own, of a window the hop in its middle."""
        if self.hop_s is None or estimate.event is not None:
            return estimate.start_s, estimate.end_s
        middle_s = (estimate.start_s + estimate.end_s) / 2
        half_s = min(self.hop_s, estimate.end_s - estimate.start_s) / 2
        return middle_s - half_s, middle_s + half_s


def places(estimate: Estimate) -> tuple[Source, ...]:
    """The sources of an answer that are places: of alternatives the likeliest, of a direction none."""
    if estimate.direction is not None:
        return ()
    return estimate.sources[:1] if estimate.verdict == "ambiguous" else estimate.sources


def called(estimate: Estimate, source: Source) -> str:
    """What a sound is called: the event's label, else its track and its likeliest kind; "" where nothing is known."""
    if estimate.event is not None and estimate.event.label:
        return estimate.event.label
    track = "" if source.track is None else f"track {source.track}"
    return " ".join(word for word in (track, likeliest(source) or "") if word)


def likeliest(source: Source) -> str | None:
    """The likeliest of KINDS, where it is known."""
    kinds = source.kinds
    return None if kinds is None else max(kinds, key=lambda kind: kinds[kind])
