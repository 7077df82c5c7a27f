"""Which file is meant by what a table calls it, whatever the system, the case and the suffix: copies are made."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

What = TypeVar("What")


class Named(Generic[What]):
    """Files and what each stands for, by the end of a path, the name alone, or the name without suffix. A name is nobody's
    that files have which stand for different things."""

    def __init__(self, files: Iterable[tuple[Path, What]]) -> None:
        self._by_end: dict[tuple[str, ...], What | None] = {}
        self._by_stem: dict[str, What | None] = {}
        for path, what in files:
            parts = parts_of(str(path))
            for end in (parts[-2:], parts[-1:]):
                self._by_end[end] = what if self._by_end.get(end, what) == what else None
            stem = PurePosixPath(parts[-1]).stem
            self._by_stem[stem] = what if self._by_stem.get(stem, what) == what else None

    def find(self, text: str) -> What | None:
        """What the file stands for that this path, or this name, means; None where it means none, or several."""
        parts = parts_of(text)
        for end in (parts[-2:], parts[-1:]):
            if (found := self._by_end.get(end)) is not None:
                return found
        return self._by_stem.get(PurePosixPath(parts[-1]).stem) if parts else None

    def beside(self, path: Path) -> What | None:
        """What the file stands for whose name this one's begins with, as tables are called that are written beside it."""
        words = path.name.casefold().split(".")
        stems = (".".join(words[:count]) for count in range(len(words), 0, -1))
        return next((found for stem in stems if (found := self._by_stem.get(stem)) is not None), None)


def parts_of(text: str) -> tuple[str, ...]:
    """Of a path, as Windows or others write it, in small letters."""
    return PurePosixPath(text.replace("\\", "/").casefold()).parts
