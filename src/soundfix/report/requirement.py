"""What an array promises of a contract on loss, in two sentences and as in the JSON file."""

from collections.abc import Iterator
from math import inf
from typing import Any

from soundfix.survey.requirement import MOST_LOSSES, Promise


def promise_lines(promise: Promise) -> Iterator[str]:
    """Two sentences: whether it is kept, and by what loss that was decided."""
    yield f"contract: {promise.contract}: {'kept' if promise.is_kept else 'NOT kept'}"
    how = " (the worst found; not all choices were tried)" if promise.is_greedy else ""
    yield f"  {promise.worst.sentence(promise.contract.share)}{how}; {_most(promise)}"


def promise_dict(promise: Promise) -> dict[str, Any]:
    """Plain numbers, in SI units; reached_m is null where too few places have a position."""
    return {
        "radius_m": promise.contract.radius_m,
        "share": promise.contract.share,
        "losses": promise.contract.losses,
        "is_kept": promise.is_kept,
        "worst_loss": list(promise.worst.lost),
        "reached_m": None if promise.worst.radius_m == inf else promise.worst.radius_m,
        "can_lose": promise.can_lose,
    }


def _most(promise: Promise) -> str:
    if promise.can_lose is None:
        return promise.whole.sentence(promise.contract.share) if promise.worst.lost else "more microphones are needed"
    most = "at least" if promise.can_lose == MOST_LOSSES else "at most"
    return f"{most} {promise.can_lose} may be lost" if promise.can_lose else "none may be lost"
