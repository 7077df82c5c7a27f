"""What the calls take for a recording: a Take, paths, or an array; opened once, all three are heard window by window."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from soundfix.errors import SceneError
from soundfix.files.silences import Silence
from soundfix.files.take import Take, listed_microphones, read
from soundfix.microphones import Microphones
from soundfix.resample import resampled, working_rate
from soundfix.scene import Band, Room, Scene
from soundfix.spans import in_samples, spans

Audio = Take | str | Path | Sequence[str | Path] | ArrayLike
Listed = str | Path | Microphones | ArrayLike


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """A recording in memory, (M, T) at native_rate (Hz), heard as a Take is: at sample_rate (Hz)."""

    microphones: Microphones
    given: Float[np.ndarray, "mic time"]
    native_rate: float
    sample_rate: float
    notes: tuple[str, ...] = ()
    silences: tuple[Silence, ...] = ()
    starts_at: None = None  # an array has no clock

    @cached_property
    def audio(self) -> Float[np.ndarray, "mic part"]:
        """The whole, at sample_rate."""
        return resampled(self.given, self.native_rate, self.sample_rate)

    def at(self, sample_rate: float) -> "Samples":
        """The same, heard at another rate (Hz)."""
        return replace(self, sample_rate=sample_rate)

    @property
    def duration_s(self) -> float:
        """Of the whole."""
        return self.audio.shape[1] / self.sample_rate

    def windows(self, window_s: float, hop_s: float) -> Iterator[tuple[float, Float[np.ndarray, "mic part"]]]:
        """(start in seconds, audio) of every window (spans.py)."""
        for start, stop in self._spans(window_s, hop_s):
            yield start / self.sample_rate, self.audio[:, start:stop]

    def blocks(self, block_s: float) -> Iterator[Float[np.ndarray, "mic part"]]:
        """All of it in pieces of block_s seconds, the last one shorter."""
        block = in_samples(block_s, self.sample_rate, "block_s")
        return (self.audio[:, start : start + block] for start in range(0, self.audio.shape[1], block))

    def count_windows(self, window_s: float, hop_s: float) -> int:
        """How many windows `windows` gives."""
        return sum(1 for _ in self._spans(window_s, hop_s))

    def _spans(self, window_s: float, hop_s: float) -> Iterator[tuple[int, int]]:
        return spans(self.audio.shape[1], self.sample_rate, window_s=window_s, hop_s=hop_s)


Sound = Take | Samples


def open_sound(audio: Audio, sample_rate: float | None, microphones: Listed | None) -> Sound:
    """The recording, whichever way it was given: see `soundfix.locate`. Raises SoundfixError on what cannot be."""
    if isinstance(sample_rate, str | Path | Microphones):
        raise SceneError(f"sample_rate is {sample_rate!r}, wanted a number in Hz: was it meant as microphones=?")
    if isinstance(audio, Take):
        _refuse("a Take has its own", sample_rate=sample_rate, microphones=microphones)
        return audio
    if (paths := paths_of(audio)) is not None:
        _refuse("files say their own", sample_rate=sample_rate)
        return read(paths, listed_microphones(None) if microphones is None else microphones)
    if sample_rate is None:
        raise SceneError("audio is an array, and sample_rate is missing: wanted its rate in Hz")
    return _samples(audio, sample_rate, listed_microphones(microphones))


def scenes(
    sound: Sound, window_s: float, hop_s: float, *, room: Room | None, temperature_c: float | None, speed: float | None,
    band_hz: Band | None = None, watch: Callable[[], None] = lambda: None,
) -> Iterator[Scene]:  # fmt: skip
    """Every window of a recording; `watch` is called after each."""
    for start_s, part in sound.windows(window_s, hop_s):
        yield Scene(
            audio=part, sample_rate=sound.sample_rate, microphones=sound.microphones, room=room,
            temperature_c=temperature_c, speed_of_sound_m_s=speed, start_s=start_s,
            band_hz=band_hz,
        )  # fmt: skip
        watch()


def _refuse(why: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise SceneError(f"{name} was given, but {why}: leave it out")


def paths_of(audio: Any) -> list[str | Path] | None:
    """Of files or folders, if that is what was given."""
    if isinstance(audio, str | Path):
        return [audio]
    is_several = isinstance(audio, list | tuple) and len(audio) > 0
    return list(audio) if is_several and all(isinstance(each, str | Path) for each in audio) else None


def _samples(audio: Any, sample_rate: float, microphones: Microphones) -> Samples:
    """Checked as a Scene is; at 16 kHz where the rate is higher."""
    whole = Scene(audio=np.asarray(audio), sample_rate=sample_rate, microphones=microphones)
    rate = whole.sample_rate
    return Samples(
        microphones=microphones, given=whole.audio, native_rate=rate, sample_rate=working_rate(rate), notes=microphones.notes
    )  # fmt: skip
