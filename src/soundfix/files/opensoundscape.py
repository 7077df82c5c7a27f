"""What OpenSoundscape keeps: a table of files with the places of their recorders, and in JSON what it located.

The table is indexed by file, with columns x, y and perhaps z in metres; written by pandas its first column may have no name.
A recorder of several files has a row for each of them.

The JSON is a list of what to_dict gives of SpatialEvents or PositionEstimates, in s and m.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from soundfix.errors import DelayFileError, SoundfixError
from soundfix.files.listing import AUDIO_SUFFIXES
from soundfix.files.start_times import time_in_name
from soundfix.files.tables import TableRow
from soundfix.microphones import Microphones

UNNAMED = ""  # pandas' index without a name
SAME_SPOT_M = 0.01  # a receiver so near to a listed microphone is that
MOST_BYTES = 256 * 2**20
Number = Annotated[float, Field(allow_inf_nan=False)]


class Located(BaseModel):
    """A SpatialEvent or a PositionEstimate, as far as it is asked for; one entry a receiver."""

    model_config = ConfigDict(extra="ignore")
    class_name: str | None = None
    duration: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    receiver_files: list[str] | None = None
    receiver_locations: list[Annotated[list[Number], Field(min_length=2, max_length=3)]] | None = None
    receiver_start_time_offsets: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = None
    tdoas: list[float | None] | None = None
    bandpass_range: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None


LOCATED = TypeAdapter(list[Located])  # made once: it takes longer than a file


def read_located(path: Path, refusal: type[SoundfixError]) -> list[Located]:
    """All of a file. Raises this refusal."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise refusal(f"{path} has {path.stat().st_size} bytes, wanted a list of events: is it another file?")
        return LOCATED.validate_json(path.read_bytes())
    except OSError as error:
        raise refusal(f"{path} cannot be read ({error.strerror}), wanted OpenSoundscape's events in JSON") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise refusal(
            f"{path}: {where or 'the file'}: {first['msg']}; wanted a list of what SpatialEvent.to_dict or "
            "PositionEstimate.to_dict gives"
        ) from error


def receivers(located: Located, microphones: Microphones, place: str) -> list[int]:
    """The listed microphone of each receiver, by where it stands. Raises DelayFileError for a stranger."""
    found = []
    for spot in located.receiver_locations or []:
        axes = len(spot)  # without heights: seen from above
        apart_m = np.linalg.norm(microphones.border_positions()[:, :axes] - np.array(spot), axis=1)
        nearest = int(np.nanargmin(apart_m)) if np.isfinite(apart_m).any() else -1
        if nearest < 0 or apart_m[nearest] > SAME_SPOT_M:
            raise DelayFileError(f"{place}: a receiver stands at {spot}, where no listed microphone is: another list?")
        found.append(nearest)
    return found


def recorder_rows(rows: Sequence[TableRow]) -> list[TableRow]:
    """The rows of a list, with its files in the column `file`, and one for each recorder: of several on one spot the first,
    with what their files have in common, a folder or a name, for a file."""
    named = [_named(row) for row in rows]
    if any("name" in row.cells for row in named) or not all(row.text("file") for row in named):
        return named
    groups: dict[tuple[str, ...], list[TableRow]] = defaultdict(list)
    for row in named:
        spot = tuple(row.text(axis) for axis in ("x", "y", "z"))
        groups[spot if any(spot) else (row.place,)].append(row)
    if len(groups) == len(named):
        return named
    folders = [{PurePosixPath(_path(row)).parent for row in group} for group in groups.values()]
    is_by_folder = all(len(each) == 1 for each in folders) and len({*map(tuple, folders)}) == len(folders)
    return [_of_recorder(group, is_by_folder=is_by_folder) for group in groups.values()]


def _named(row: TableRow) -> TableRow:
    """With pandas' unnamed index as its file, where that is one of sound."""
    told = row.cells.get(UNNAMED, "").strip()
    is_file = "file" not in row.cells and PurePosixPath(told).suffix.lower() in AUDIO_SUFFIXES
    return row._replace(cells={**row.cells, "file": told}) if is_file else row


def _of_recorder(group: Sequence[TableRow], *, is_by_folder: bool) -> TableRow:
    """Rows that have nothing in common stay two on one spot, which is refused as such: the first is kept with its file."""
    paths = [PurePosixPath(_path(row)) for row in group]
    names = {path.parent / time_in_name(path.stem)[1] for path in paths}
    if len(group) == 1 and not is_by_folder:
        return group[0]
    common = paths[0].parent if is_by_folder else next(iter(names)) if len(names) == 1 else paths[0]
    return group[0]._replace(cells={**group[0].cells, "file": str(common)})


def _path(row: TableRow) -> str:
    return row.text("file").replace("\\", "/")
