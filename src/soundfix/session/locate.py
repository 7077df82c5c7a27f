"""A whole recording located, window by window."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.estimate import Estimate, Localizer, MicrophoneReport
from soundfix.methods.catalog import DEFAULT, load
from soundfix.microphones import Microphones
from soundfix.resample import resampled, working_rate
from soundfix.scene import Room, Scene
from soundfix.session.microphone_history import Event
from soundfix.session.session import Session
from soundfix.spans import spans
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
    rate = working_rate(whole.sample_rate)
    samples = resampled(whole.audio, whole.sample_rate, rate)
    windows = spans(samples.shape[1], rate, window_s=window_s, hop_s=window_s if hop_s is None else hop_s)
    session = Session(
        localizer=load(method) if isinstance(method, str) else method,
        microphones=microphones,
        room=room,
        temperature_c=temperature_c,
        speed_of_sound_m_s=speed_of_sound_m_s,
        require=require,
    )
    heard = (session.hear(start / rate, samples[:, start:stop], rate) for start, stop in windows)
    estimates = tuple(smoothed(heard) if smooth else heard)
    return Located(
        estimates=estimates,
        microphones=session.summary(),
        events=session.events,
        explanations=session.explanations(),
        starts=session.starts,
    )
