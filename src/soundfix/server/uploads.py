"""What was sent: files are written into the folder of their job, under names that cannot lead out of it."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from fastapi import HTTPException
from starlette.datastructures import UploadFile

from soundfix.server.job import LIST, SOUND
from soundfix.server.limits import Limits

LONGEST_NAME = 120
ALLOWED = re.compile(r"[\w][\w .,()\[\]+@=~-]*")


def write_sound(files: Sequence[UploadFile], folder: Path, limits: Limits) -> None:
    """Into its folder, in any order. Raises HTTPException for a name that is none, or that comes twice."""
    if len(files) > limits.files:
        raise HTTPException(413, f"{len(files)} files, {limits.files} at most: send channels in fewer files")
    for file in files:
        _write(file, folder / SOUND)


def write_list(file: UploadFile, folder: Path) -> None:
    """The list of microphones."""
    _write(file, folder / LIST)


def write_kept_list(name: str, content: str, folder: Path) -> None:
    """A list that was kept under a name."""
    (folder / LIST).mkdir()
    (folder / LIST / name).write_text(content, encoding="utf-8")


def checked_name(name: str | None) -> str:
    """A file name without a path in it. Raises HTTPException."""
    if name is None or len(name) > LONGEST_NAME or not ALLOWED.fullmatch(name):
        raise HTTPException(
            422, f"a file called {(name or '')[:40]!r}: wanted a plain name of letters and digits, no path"
        )
    return name


def _write(file: UploadFile, folder: Path) -> None:
    target = folder / checked_name(file.filename)
    folder.mkdir(exist_ok=True)
    if target.exists():
        raise HTTPException(422, f"two files are called {target.name!r}: files are told apart by their names")
    with target.open("xb") as kept:
        shutil.copyfileobj(file.file, kept, 2**20)
