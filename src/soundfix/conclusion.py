"""What a recording says of its microphones when it is over: when their states changed, how they are, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from soundfix.explanations import Explanation
from soundfix.history import Event
from soundfix.localizer import MicrophoneReport
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.starts import Start
from soundfix.wording import describe_events, describe_microphones, plain_events, plain_explanations


@dataclass(frozen=True, kw_only=True, eq=False)
class Conclusion:
    """microphones: over all windows. explanations: by name, metres of path at this speed of sound. starts: that differ."""

    events: tuple[Event, ...] = ()
    microphones: tuple[MicrophoneReport, ...] = ()
    explanations: Mapping[str, Explanation] = field(default_factory=dict)
    speed_m_s: float = SPEED_OF_SOUND_M_S
    starts: tuple[Start, ...] = ()

    def lines(self) -> Iterator[str]:
        """As text."""
        yield from describe_events(self.events)
        yield from describe_microphones(self.microphones, self.explanations, self.speed_m_s)
        for start in self.starts:
            yield f"  {start.microphone}: {start.sentence}"

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, named as in the JSON file."""
        text = list(describe_microphones(self.microphones, self.explanations, self.speed_m_s))
        return {
            "events": plain_events(self.events),
            "summary": {"text": text, "microphones": [report.to_dict() for report in self.microphones]},
            "explanations": plain_explanations(self.microphones, self.explanations, self.speed_m_s),
            "starts": [start._asdict() | {"text": start.sentence} for start in self.starts],
        }
