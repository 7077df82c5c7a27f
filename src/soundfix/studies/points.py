"""Rows of evaluated windows -> the points of a curve: one method at one value of what is varied."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from soundfix.evaluation.metrics import NEAR_M, ErrorSummary, Number, assign, bootstrap, summarize
from soundfix.evaluation.rows import Row

SEVERAL = "several_sources"  # the reason code of an answer that lists sources that sound at once


@dataclass(frozen=True, kw_only=True)
class Point:
    """curve: what else is told apart. x: what is varied, in the unit of the axis. value: x in words, for tables.

    found: share of windows in which every source has a place of its own within 30 cm; counted: in which as many are told
    as there are.
    """

    curve: str
    x: float
    value: str
    method: str
    summary: ErrorSummary
    found: Number
    counted: Number


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a row is read: x is a number, curve and value are words."""

    x: Callable[[Row], float]
    curve: Callable[[Row], str]
    value: Callable[[Row], str]


def points_of(rows: Sequence[Row], reading: Reading) -> list[Point]:
    """By method, then by curve, then by x; those in the order in which they first appear, x rising."""
    groups: dict[tuple[str, str, float, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.method, reading.curve(row), reading.x(row), reading.value(row)), []).append(row)
    methods, curves = (list(dict.fromkeys(key[k] for key in groups)) for k in (0, 1))
    keys = sorted(groups, key=lambda key: (methods.index(key[0]), curves.index(key[1]), key[2]))
    return [_point(key, groups[key]) for key in keys]


def _point(key: tuple[str, str, float, str], rows: Sequence[Row]) -> Point:
    method, curve, x, value = key
    recordings = [row.recording for row in rows]
    return Point(
        curve=curve,
        x=x,
        value=value,
        method=method,
        summary=summarize([row.score for row in rows], recordings),
        found=_share([is_found(row) for row in rows], recordings),
        counted=_share([told(row) == row.sources for row in rows], recordings),
    )


def is_found(row: Row) -> bool:
    """Whether each true source is within 30 cm of a place that was said for it, and for no other."""
    if row.sources == 1:
        return row.score.error_m < NEAR_M
    true_m, said_m = np.array(row.true_m), np.array(row.said_m[: row.sources]).reshape(-1, 3)
    if len(said_m) < len(true_m):
        return False
    return bool((cdist(true_m, said_m)[np.arange(len(true_m)), assign(true_m, said_m)] < NEAR_M).all())


def told(row: Row) -> int:
    """How many sources were told; places that explain one source are one."""
    if not row.score.is_answered:
        return 0
    return len(row.said_m) if SEVERAL in row.reasons else 1


def _share(facts: Sequence[bool], recordings: Sequence[tuple]) -> Number:
    number = {each: k for k, each in enumerate(sorted(set(recordings)))}
    groups = np.array([number[each] for each in recordings])
    return bootstrap(np.array(facts, dtype=float), groups, np.random.default_rng(0))
