"""The gate that all comes in by: whatever a parser makes of a broken file, what leaves is an error of ours.

    @gate(DatasetError)
    def read_room(path: Path) -> Room: ...

Readers say themselves what is wrong where they know it; the gate is for what nobody thought of: a size that overflows, a
list where a number was wanted, a text that nests a thousand deep. What would take all memory or hours is refused before.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from soundfix.errors import SoundfixError

LONGEST = 200  # characters of somebody else's message
Asked = ParamSpec("Asked")
Content = TypeVar("Content")


def gate(
    refusal: type[SoundfixError], *, what: str | None = None
) -> Callable[[Callable[Asked, Content]], Callable[Asked, Content]]:
    """A reader whose every error is one of ours: its own, or this refusal, naming what it was given first, or `what`."""

    def gated(read: Callable[Asked, Content]) -> Callable[Asked, Content]:
        @wraps(read)
        def reader(*given: Asked.args, **options: Asked.kwargs) -> Content:
            try:
                return read(*given, **options)
            except SoundfixError:
                raise
            except Exception as error:
                raise refusal(refused(what or next(iter(given), "the file"), error)) from error

        return reader

    return gated


def refused(source: Any, error: Exception) -> str:
    """That this cannot be read, with the head of what the parser said."""
    said = " ".join(str(error).split())
    said = f"{said[:LONGEST]} ..." if len(said) > LONGEST else said
    return f"{source} cannot be read ({type(error).__name__}: {said}): is it damaged, or of another kind?"
