"""Windows that say places with errors, for those who follow them."""

import numpy as np

from soundfix.estimate import Estimate, Finding, MicrophoneReport, Source

CORNERS = ((-3.0, -3.5, 0.3), (3.0, -3.5, 1.5), (3.0, 3.5, 0.3), (-3.0, 3.5, 1.5))
ARRAY = tuple(
    MicrophoneReport(name=f"mic{k}", status="ok", weight=1.0, position_m=np.array(place))
    for k, place in enumerate(CORNERS, 1)
)


def source(place, sigma_m=0.05):
    return Source(
        position_m=np.array(place, dtype=float), covariance_m2=sigma_m**2 * np.eye(3), radius90_m=0.125, score=0.5
    )


def window(time_s, *places, codes=(), verdict="ok", sigma_m=0.05):
    """Half a second round time_s."""
    time_s = float(time_s)
    findings = [
        Finding(code, "", False) for code in (*codes, *(["several_sources"] if len(places) > 1 and not codes else []))
    ]
    return Estimate(
        method="test", start_s=time_s - 0.25, end_s=time_s + 0.25, verdict=verdict if places else "abstain",
        sources=tuple(source(place, sigma_m) for place in places), findings=tuple(findings), microphones=ARRAY,
    )  # fmt: skip


def noisy(place, rng, sigma_m=0.05):
    return np.asarray(place) + rng.normal(0, sigma_m, 3)


def told(estimates):
    """The tracks of every window."""
    return [tuple(each.track for each in estimate.sources) for estimate in estimates]
