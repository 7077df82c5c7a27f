"""What all results can do: be JSON, a table of pandas, a picture in a notebook, a few lines of text."""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from soundfix.atomic import atomic_path
from soundfix.errors import MissingPackageError

MOST_LINES = 8  # of a repr
MOST_ROWS = 12  # of a table in a notebook


class Image(NamedTuple):
    """A picture that a notebook shows: the bytes of a PNG file."""

    png: bytes

    def __repr__(self) -> str:
        return f"Image({len(self.png)} bytes of PNG)"

    def _repr_png_(self) -> bytes:
        return self.png


def write_json(path: str | Path, document: Mapping[str, Any]) -> None:
    """The whole document or nothing. Raises OutputError where it cannot be written."""
    with atomic_path(path) as part:
        part.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")


def dataframe(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> Any:
    """A pandas.DataFrame; None is missing. Raises MissingPackageError without pandas."""
    try:
        pandas = import_module("pandas")
    except ImportError as error:
        raise MissingPackageError("pandas", "dataframe") from error
    return pandas.DataFrame(list(rows), columns=list(columns))


def picture(draw: Callable[[Path], None], path: str | Path | None) -> Image | None:
    """Drawn to this file; without one, an Image for a notebook."""
    if path is not None:
        draw(Path(path))
        return None
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder) / "picture.png")
        return Image((Path(folder) / "picture.png").read_bytes())


def shortened(lines: Iterable[str], most: int = MOST_LINES) -> list[str]:
    """The first lines, and how many more there are."""
    lines = list(lines)
    return lines if len(lines) <= most else [*lines[: most - 1], f"... and {len(lines) - most + 1} more"]


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], notes: Iterable[str] = ()) -> str:
    """A small table with lines below it, every text escaped; of many rows the first."""
    shown = rows if len(rows) <= MOST_ROWS else rows[: MOST_ROWS - 1]
    left = [f"... and {len(rows) - len(shown)} more"] if len(rows) > len(shown) else []
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in shown)
    below = "<br>".join(escape(line) for line in (*left, *notes))
    return f"<table><thead><tr>{_cells('th', head)}</tr></thead><tbody>{body}</tbody></table><p>{below}</p>"


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
