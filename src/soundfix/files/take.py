"""A take: a recording and the list of its microphones, a row of sound for a row of the list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from soundfix.files.audio import Recording, open_recording
from soundfix.files.microphones import arrange, read_microphones
from soundfix.microphones import Microphones


@dataclass(frozen=True, kw_only=True)
class Take:
    """order: of each microphone the recording's channel. notes: what was assumed on the way, in sentences."""

    microphones: Microphones
    recording: Recording
    order: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def sample_rate(self) -> float:
        return self.recording.sample_rate

    def windows(self, window_s: float, hop_s: float) -> Iterator[tuple[float, Float[np.ndarray, "mic time"]]]:
        """(start in seconds, audio) of every window."""
        return ((start_s, part[list(self.order)]) for start_s, part in self.recording.windows(window_s, hop_s))

    def count_windows(self, window_s: float, hop_s: float) -> int:
        return self.recording.count_windows(window_s, hop_s)

    def beginning(self, seconds: float) -> Float[np.ndarray, "mic time"]:
        """Its first `seconds`, or all of it."""
        return next(self.recording.blocks(seconds))[list(self.order)]


def open_take(audio: Sequence[Path | str], microphones: Path) -> Take:
    """Files or folders of sound, and a list of microphones. Raises SoundfixError where they do not belong together."""
    listed, recording = read_microphones(microphones), open_recording(audio)
    order, notes = arrange(recording.channels, listed)
    return Take(microphones=listed, recording=recording, order=tuple(order), notes=(*recording.notes, *notes))
