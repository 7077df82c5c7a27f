"""Rows and points of curves, made by hand."""

from soundfix.evaluation.metrics import Number, Score, summarize
from soundfix.evaluation.rows import Row
from soundfix.studies.points import Point


def row(**changes):
    """One source at the origin, said 10 cm beside it."""
    usual = {
        "clip": 0, "moment": 0, "labels": {}, "sources": 1,
        "window_s": 0.5, "microphones": 11, "unknown": 0, "fault": "none",
        "rt60_s": 0.4, "snr_db": 20.0, "method": "a", "verdict": "ok", "score": score(0.1), "true_m": [[0.0, 0.0, 0.0]],
        "said_m": [[0.1, 0.0, 0.0]], "seconds": 0.1,
    }  # fmt: skip
    return Row(**usual | changes)


def score(error_m, *, is_answered=True, microphones_m=()):
    covered = 1.0 if is_answered else float("nan")
    return Score(error_m, error_m, 0.0, is_answered, covered, microphones_m)


def point(x, errors_m, *, curve="", value=None, method="a", found=1.0, counted=1.0, microphones_m=()):
    """So many windows with these errors."""
    return Point(
        curve=curve,
        x=float(x),
        value=value or f"{x:g}",
        method=method,
        summary=summarize([score(error, microphones_m=microphones_m) for error in errors_m]),
        found=Number(found, 0.01, 0.0, 1.0),
        counted=Number(counted, 0.01, 0.0, 1.0),
    )
