"""What a recording says of its microphones when it is over: when their states changed, how they are, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.estimate import Air, MicrophoneReport
from soundfix.files.silences import Silence
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.scene import Band
from soundfix.session.microphone_history import Event
from soundfix.survey.start_offsets import StartOffset


class Interruption(NamedTuple):
    """After how many windows, or events, of how many somebody stopped it."""

    done: int
    of: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Summary:
    """microphones: over all windows. explanations: by name, metres of path at this speed of sound. starts: that differ.
    silences: when files of some microphones have no sound, but others have.

    band_hz: that was listened to, where it was not the usual one. exchanged: each channel that hears as if it stood at
    another's row of the list, and whose. list_unit: in which the positions fit the sound, where that is not metres.
    passed_over: windows in which nothing stood out. air: the speed of sound that fits all events, if the array is wide
    enough to tell, and air_contradicts: whether that is clearly not speed_m_s. interrupted: where it was stopped before its
    end; all that is said is of what came before.
    """

    events: tuple[Event, ...] = ()
    microphones: tuple[MicrophoneReport, ...] = ()
    explanations: Mapping[str, FaultHypothesis] = field(default_factory=dict)
    speed_m_s: float = SPEED_OF_SOUND_M_S
    starts: tuple[StartOffset, ...] = ()
    band_hz: Band | None = None
    silences: tuple[Silence, ...] = ()
    exchanged: tuple[tuple[str, str], ...] = ()
    list_unit: str | None = None
    passed_over: int = 0
    air: Air | None = None
    air_contradicts: bool = False
    interrupted: Interruption | None = None
