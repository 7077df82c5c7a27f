"""Estimates to draw."""

import numpy as np
from matplotlib.image import imread

from soundfix.estimate import Direction, Estimate, Finding, MicrophoneReport, Source
from soundfix.microphones import Microphones

ROOM = ((0.0, 0.0, 0.0), (6.0, 4.0, 3.0))
POSITIONS = np.array([[0.5, 0.5, 0.5], [5.5, 0.5, 2.5], [0.5, 3.5, 2.5], [5.5, 3.5, 0.5], [3, 0.2, 1.5], [3, 3.8, 1]])
MICROPHONES = Microphones(positions=POSITIONS, names=("door", "$desk$", "<b>", "shelf", "lamp", "roof"))
STATUSES = ("ok", "ok", "dead", "ok", "inverted", "late")


def estimate(start_s=0.0, places=((2.0, 2.0, 1.0),), statuses=STATUSES):
    return Estimate(
        method="srp-phat", start_s=start_s, end_s=start_s + 0.5,
        verdict="abstain" if not places else "ambiguous" if len(places) > 1 else "ok",
        sources=tuple(
            Source(position_m=np.array(p), covariance_m2=np.diag([0.01, 0.04, 0.09]), radius90_m=0.6, score=0.5)
            for p in places
        ),
        microphones=tuple(
            MicrophoneReport(name=name, status=status, weight=1.0, position_m=None)
            for name, status in zip(MICROPHONES.names, statuses, strict=True)
        ),
    )  # fmt: skip


def directed(start_s=0.0, *, azimuth_deg=20.0, elevation_deg=14.0, is_flat=False, range_m=None):
    """A direction seen from (1, 1, 1), its source 1.5 m away; or two, on both sides of a level plane."""
    sides = [
        Direction(
            azimuth_deg=azimuth_deg, elevation_deg=each, cone90_deg=6.0, from_m=np.array([1.0, 1, 1]), range_m=range_m
        )
        for each in (elevation_deg, -elevation_deg)[: 1 + is_flat]
    ]  # fmt: skip
    sources = tuple(
        Source(position_m=side.from_m + 1.5 * side.unit, covariance_m2=0.2 * np.eye(3), radius90_m=1.1, score=0.5)
        for side in sides
    )
    return Estimate(
        method="srp-phat", start_s=start_s, end_s=start_s + 0.5, verdict="direction only", sources=sources,
        direction=sides[0].mirrored_by(*sides[1:]), findings=(Finding("direction_only", "", degrades=False),),
    )  # fmt: skip


def walk(count):
    """Somebody walks; every seventh window has no answer, every eleventh two."""
    for k in range(count):
        place = (3 + 2 * np.cos(k / 20), 2 + np.sin(k / 20), 1.5)
        places = () if k % 7 == 3 else (place, (1.0, 1.0, 1.0)) if k % 11 == 5 else (place,)
        yield estimate(0.5 * k, places)


def assert_is_drawn(path):
    """An image with some ink and some paper."""
    image = imread(path)
    assert image.shape[0] > 600
    assert image.shape[1] > 900
    ink = (image[..., :3] < 0.9).any(axis=2).mean()
    assert 0.005 < ink < 0.9
    return image
