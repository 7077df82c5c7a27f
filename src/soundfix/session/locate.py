"""A whole recording located, window by window."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.errors import SceneError
from soundfix.estimate import Estimate, Localizer, MicrophoneReport
from soundfix.methods.catalog import DEFAULT, load
from soundfix.microphones import Microphones
from soundfix.scene import Room, Scene
from soundfix.session.microphone_history import Event
from soundfix.session.session import SAMPLE_RATE, Session
from soundfix.survey.requirement import Requirement
from soundfix.survey.start_offsets import StartOffset
from soundfix.tracking.smoother import smoothed

WINDOW_S = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Located:
    """All windows of a recording, the verdict on every microphone over all of them, when it changed, and why it is bad.

    starts: microphones that do not begin with the others (start_offsets.py).
    """

    estimates: tuple[Estimate, ...]
    microphones: tuple[MicrophoneReport, ...]
    events: tuple[Event, ...] = ()
    explanations: Mapping[str, FaultHypothesis] = field(default_factory=dict)
    starts: tuple[StartOffset, ...] = ()


def locate(
    audio: ArrayLike,
    sample_rate: float,
    positions: ArrayLike | Microphones,
    *,
    method: str | Localizer = DEFAULT,
    window_s: float = WINDOW_S,
    hop_s: float | None = None,
    smooth: bool = False,
    room: Room | None = None,
    temperature_c: float | None = None,
    speed_of_sound_m_s: float | None = None,
    require: str | Requirement | None = None,
) -> Located:
    """Where the sounds of a recording came from, window by window.

    audio: (M, T), any rate (resampled to 16 kHz where higher). positions: (M, 3) metres, NaN rows for unknown ones, or
    Microphones. hop_s: from window to window; the window's length by default. smooth: over time, for
    one source that moves as people do (smoother.py). require: what must hold when microphones are lost (requirement.py);
    estimates then say where that is broken or at risk. Raises SceneError on what cannot be.
    """
    microphones = positions if isinstance(positions, Microphones) else Microphones(positions=np.asarray(positions))
    whole = Scene(audio=np.asarray(audio), sample_rate=sample_rate, microphones=microphones)
    samples, rate = _resampled(whole.audio, whole.sample_rate)
    session = Session(
        localizer=load(method) if isinstance(method, str) else method,
        microphones=microphones,
        room=room,
        temperature_c=temperature_c,
        speed_of_sound_m_s=speed_of_sound_m_s,
        require=require,
    )
    heard = (session.hear(start, part, rate) for start, part in _windows(samples, rate, window_s, hop_s))
    estimates = tuple(smoothed(heard) if smooth else heard)
    return Located(
        estimates=estimates,
        microphones=session.summary(),
        events=session.events,
        explanations=session.explanations(),
        starts=session.starts,
    )


def _resampled(audio: Float[np.ndarray, "mic time"], rate: float) -> tuple[Float[np.ndarray, "mic resampled"], float]:
    """At 16 kHz where the rate is higher. A resampler would spread a NaN over everything: it is put back afterwards."""
    import soxr

    if rate <= SAMPLE_RATE:
        return audio, rate
    is_bad = ~np.isfinite(audio)
    samples = soxr.resample(np.where(is_bad, 0, audio).T, rate, SAMPLE_RATE).T
    channel, place = np.nonzero(is_bad)
    samples[channel, np.minimum((place * SAMPLE_RATE / rate).astype(int), samples.shape[1] - 1)] = np.nan
    return samples, SAMPLE_RATE


def _windows(
    samples: Float[np.ndarray, "mic time"], rate: float, window_s: float, hop_s: float | None
) -> Iterator[tuple[float, Float[np.ndarray, "mic part"]]]:
    """Full windows; the whole, where it is shorter than one; a last shorter one for half a window of sound left over."""
    hop_s = window_s if hop_s is None else hop_s
    if not (np.isfinite([window_s, hop_s]).all() and min(window_s, hop_s) * rate >= 1):
        raise SceneError(f"window {window_s} s, hop {hop_s} s: wanted at least a sample each")
    length, hop, total = round(window_s * rate), round(hop_s * rate), samples.shape[1]
    starts = list(range(0, max(total - length, 0) + 1, hop))
    if total - max(starts[-1] + length, starts[-1] + hop) >= length / 2:
        starts.append(starts[-1] + hop)
    for start in starts:
        yield start / rate, samples[:, start : start + length]
