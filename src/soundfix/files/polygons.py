"""A search region as it is told: numbers, or a file with the corners of a polygon, a line x,y each (metres), in order.

The file is CSV, with or without the header x,y (or easting,northing); other columns beside those two need it. Blank lines
and those that begin with # are skipped.
"""

import csv
from pathlib import Path

from soundfix.errors import SceneError
from soundfix.files.coordinates import columns_of
from soundfix.gate import gate
from soundfix.search_region import Numbers, SearchRegion

MOST_CORNERS = 10_000  # more is a track, or a picture


def told_region(
    search: SearchRegion | Numbers | str | Path | None, height_m: Numbers | None = None
) -> SearchRegion | None:
    """Of a region, a box, corners, or the path of their file, and a height (m); None where nothing is told.

    Raises SceneError on what is no region, or no file of one.
    """
    if isinstance(search, str | Path):
        search = read_corners(search)
    return SearchRegion.of(search, height_m)


@gate(SceneError)
def read_corners(path: str | Path) -> list[tuple[float, float]]:
    """The x, y (m) of every corner. Raises SceneError, naming file and line."""
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SceneError(
            f"{path} cannot be read ({error}), wanted the corners of a polygon, a line x,y each"
        ) from error
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered or len(numbered) > MOST_CORNERS:
        raise SceneError(f"{path} has {len(numbered)} lines, wanted the corners of a polygon, a line x,y each")
    separator = max(",;\t", key=numbered[0][1].count)
    rows = [
        (number, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]) for number, line in numbered
    ]
    header = [cell.lower() for cell in rows[0][1]]
    named = columns_of(header)
    if named and named.is_degrees:
        raise SceneError(f"{path} has longitude and latitude, wanted x,y in metres, in the system of the microphones")
    columns = (header.index(named.east), header.index(named.north)) if named else None
    return [_corner(path, *row, columns) for row in (rows if columns is None else rows[1:])]


def _corner(path: Path, number: int, cells: list[str], columns: tuple[int, int] | None) -> tuple[float, float]:
    if columns is None and len(cells) != 2:
        raise SceneError(
            f"{path}, line {number} has {len(cells)} cells, wanted x,y in metres, or a header that names x and y first"
        )
    x, y = columns or (0, 1)
    try:
        return float(cells[x]), float(cells[y])
    except (ValueError, IndexError):
        raise SceneError(f"{path}, line {number}: {cells} wanted the numbers x,y in metres: a decimal comma?") from None
