"""Answers as writers of other programs' formats are given them, with numbers that are easy to follow."""

from datetime import UTC, datetime

import numpy as np

from soundfix.estimate import Direction, Estimate, Finding, MicrophoneReport, Source
from soundfix.events import SoundEvent
from soundfix.microphones import Microphones
from soundfix.report.recorded import Listener, Recorded

MICROPHONES = Microphones(
    positions=np.array([[0.0, 0, 1], [4, 0, 1], [4, 3, 1], [np.nan] * 3]), names=("a", "b", "c", "d")
)
RECORDED = Recorded(microphones=MICROPHONES, speed_m_s=340.0, hop_s=0.5)
OF_EVENTS = Recorded(microphones=MICROPHONES, speed_m_s=340.0)
AHEAD = Listener(np.array([1.0, 1.0, 1.0]), 0.0)
BEGUN = datetime(2025, 6, 15, 12, 0, 0, 250_000, tzinfo=UTC)


def source(*place_m, track=None, kinds=None, covariance=None):
    covariance_m2 = 0.01 * np.eye(3) if covariance is None else np.array(covariance, dtype=float)
    return Source(
        position_m=np.array(place_m, dtype=float), covariance_m2=covariance_m2, radius90_m=0.25, score=0.5, track=track,
        kinds=kinds,
    )  # fmt: skip


def answer(*sources, start_s=1.0, end_s=1.5, verdict="ok", event=None, residuals=(), clock=None):
    """residuals: of each microphone how much later it heard it (m); None: it is left out."""
    reports = tuple(
        MicrophoneReport(
            name=name,
            status="dead" if residual is None else "ok",
            weight=float(residual is not None),
            position_m=None,
            residual_m=residual,
        )
        for name, residual in zip(MICROPHONES.names, residuals, strict=False)
    )
    found = (Finding("several_places", "two"),) if verdict == "ambiguous" else ()
    return Estimate(
        method="x", start_s=start_s, end_s=end_s, verdict=verdict if sources else "abstain", sources=sources, event=event,
        findings=found, microphones=reports, clock=clock,
    )  # fmt: skip


def direction(azimuth_deg=90.0, elevation_deg=10.0, from_m=(1.0, 1.0, 1.0)):
    """An answer of a compact array, whose source is the middle of a ray."""
    where = Direction(azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, cone90_deg=4.0, from_m=np.array(from_m))
    return Estimate(
        method="x", start_s=1.0, end_s=1.5, verdict="direction only", direction=where, sources=(source(1, 3, 1.3),)
    )


def event(label="owl", band_hz=(200.0, 900.0), rows=(0,)):
    return SoundEvent(start_s=1.0, end_s=1.5, label=label, band_hz=band_hz, rows=rows)
