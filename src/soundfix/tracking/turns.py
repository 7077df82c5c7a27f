"""Who sounded when and where: windows in turn of one track are a turn, and a pause ends it.

A window stands for the hop in its middle: where windows overlap, turns do not begin before the sound does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.errors import ConfigError
from soundfix.estimate import KINDS, Estimate, Source
from soundfix.tracking.tracker import RETURNED

LONGEST_PAUSE_S = 1.0  # within a turn
LEAST_PROBABILITY = 1e-3  # of a kind in a window: no window alone can rule a kind out


@dataclass(frozen=True, kw_only=True, eq=False)
class Turn:
    """One track from start_s to end_s (s from the start of the recording).

    position_m (3,): the median of its places; radius90_m: of the sphere that holds 90 %, the region of a window and how the
    places scatter together; moved_m: from its first place to the last. level_dbfs: mean power of its windows, where known
    (session/level.py). windows: how many. returned: whether it was silent before, and came back within its region.
    kind: the likeliest of KINDS by all windows together, and kind_probability: its probability (session/kinds.py); None
    where windows do not say.
    """

    start_s: float
    end_s: float
    track: int
    position_m: Float[np.ndarray, "3"]
    radius90_m: float
    moved_m: float
    level_dbfs: float | None
    windows: int
    returned: bool
    kind: str | None = None
    kind_probability: float | None = None


@dataclass(kw_only=True, eq=False)
class _Open:
    """A turn that may go on."""

    start_s: float
    end_s: float
    returned: bool
    sources: list[Source] = field(default_factory=list)


def turns(estimates: Iterable[Estimate]) -> list[Turn]:
    """Of estimates whose sources say their track; in order of their beginnings."""
    estimates = list(estimates)
    hop_s = _hop_s(estimates)
    opened, found = dict[int, _Open](), list[Turn]()
    for estimate in estimates:
        start_s, end_s = _span(estimate, hop_s)
        for source in estimate.sources:
            if source.track is None:
                continue
            turn = opened.get(source.track)
            if turn is None or start_s - turn.end_s > LONGEST_PAUSE_S:
                found += [_closed(source.track, turn)] if turn else []
                turn = opened[source.track] = _Open(start_s=start_s, end_s=end_s, returned=_returned(estimate, source))
            turn.end_s = end_s
            turn.sources.append(source)
    found += [_closed(track, turn) for track, turn in opened.items()]
    return sorted(found, key=lambda turn: (turn.start_s, turn.track))


def of_kinds(turns: Iterable[Turn], only: Iterable[str]) -> list[Turn]:
    """Those that are of one of these kinds; all, where there are none. Raises ConfigError on what is no kind."""
    wanted = checked_kinds(only)
    return [turn for turn in turns if not wanted or turn.kind in wanted]


def checked_kinds(only: Iterable[str]) -> tuple[str, ...]:
    """These kinds; a word alone is one. Raises ConfigError on what is none of KINDS."""
    wanted = (only,) if isinstance(only, str) else tuple(only)
    strange = [kind for kind in wanted if kind not in KINDS]
    if strange:
        told = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
        raise ConfigError(f"only {strange[0]!r}: no kind of sound is called so, wanted {told}; is it spelt otherwise?")
    return wanted


def _hop_s(estimates: Sequence[Estimate]) -> float:
    """From window to window, as usual."""
    starts = np.array([estimate.start_s for estimate in estimates])
    return float(np.median(np.diff(starts))) if len(starts) > 1 else np.inf


def _span(estimate: Estimate, hop_s: float) -> tuple[float, float]:
    """That it stands for."""
    middle_s, half_s = (estimate.start_s + estimate.end_s) / 2, min(hop_s, estimate.end_s - estimate.start_s) / 2
    return middle_s - half_s, middle_s + half_s


def _returned(estimate: Estimate, source: Source) -> bool:
    return f"{RETURNED}:{source.track}" in estimate.reasons


def _closed(track: int, turn: _Open) -> Turn:
    places = np.array([source.position_m for source in turn.sources])
    covariances = np.array([source.covariance_m2 for source in turn.sources])
    middle = np.median(places, axis=0)
    off = places - middle
    covariance = np.median(covariances, axis=0) + off.T @ off / len(off)
    kind, probability = _kind(turn.sources)
    levels = [source.level_dbfs for source in turn.sources if source.level_dbfs is not None]
    return Turn(
        start_s=turn.start_s,
        end_s=turn.end_s,
        track=track,
        position_m=middle,
        radius90_m=physics.radius90(covariance),
        moved_m=float(np.linalg.norm(places[-1] - places[0])),
        level_dbfs=10 * float(np.log10(np.mean(10 ** (np.array(levels) / 10)))) if levels else None,
        windows=len(places),
        returned=turn.returned,
        kind=kind,
        kind_probability=probability,
    )


def _kind(sources: Sequence[Source]) -> tuple[str | None, float | None]:
    """By the mean of the logarithms of what windows say: they overlap, so that they do not count as so many opinions."""
    told = [[source.kinds[kind] for kind in KINDS] for source in sources if source.kinds is not None]
    if not told:
        return None, None
    odds = np.exp(np.log(np.maximum(told, LEAST_PROBABILITY)).mean(axis=0))
    best = int(np.argmax(odds))
    return KINDS[best], float(odds[best] / odds.sum())
