"""Arrays of an .npz file, of which none is larger than what the file holds of it.

A header of a few bytes can claim terabytes, and a zip member unpack to as many: both are looked at before anything is read.
"""

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

MOST_BYTES = 4 << 30  # of all arrays of a file together
HEADER_BYTES = 1 << 16


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array by its name. Raises ValueError, or what numpy and zipfile raise, where it is none or claims too much."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if (total := sum(member.file_size for member in members)) > MOST_BYTES:
            raise ValueError(f"it unpacks to {total} bytes, wanted {MOST_BYTES} at most")
        for member in members:
            with archive.open(member) as file:
                _check_claim(file, member)
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {str(name): arrays[name] for name in arrays.files}


def _check_claim(file: Any, member: zipfile.ZipInfo) -> None:
    """That the header of an array wants no more than there is."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file, max_header_size=HEADER_BYTES)
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise ValueError(f"{member.filename} claims shape {shape} of {dtype}, more than its {member.file_size} bytes")
