"""Files that are whole or as they were before, whatever fails: a full disk, a kill, a power cut.

Everything is written to a file of another name in the same folder, which takes the place of the old one only when
it is complete and on the disk. Whatever fails before that moment leaves the old file as it was.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EDQUOT, ENAMETOOLONG, ENOSPC, EPERM, EROFS
from pathlib import Path

from soundfix.errors import OutputError

CAUSES = {
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EROFS: "the disk is read-only",
    EACCES: "writing in this folder is not allowed",
    EPERM: "writing in this folder is not allowed",
    ENAMETOOLONG: "the name is too long",
}


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path to write to inside the `with`; on success it takes the place of `path`, on failure it goes.

    Raises OutputError for whatever the operating system refuses: the body must do nothing but write.
    """
    target = target_of(path)
    part = part_path(target)
    try:
        yield part
        publish(part, target)
    except OSError as error:
        raise refused(target, error) from error
    finally:
        discard(part)


def make_folder(folder: Path) -> None:
    """And those above it. Raises OutputError where the operating system refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(folder, error) from error


def target_of(path: Path | str) -> Path:
    """Where the file will really be: a symbolic link keeps pointing to it."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {target.parent}; make it first, or is it a typo?")
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write {path}: it is no regular file, wanted a file name such as {target.name}.json")
    return target


def part_path(target: Path) -> Path:
    """Where the file is written first; what programs that were killed on this machine left beside it goes."""
    for part in target.parent.glob(f".soundfix-{_machine()}-*-*.part"):
        if not _is_running(int(part.name.split("-")[-2])):
            discard(part)
    return target.with_name(f".soundfix-{_machine()}-{os.getpid()}-{secrets.token_hex(8)}.part")


def _machine() -> str:
    """A folder on a network is written by several, and the same number is another program there."""
    name = os.uname().nodename if hasattr(os, "uname") else ""
    return "".join(letter if letter.isalnum() else "_" for letter in name)[:40]


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True  # there the question below is a signal
    try:
        os.kill(process, 0)  # asks, and sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # of somebody else
    return True


def remove_parts(folder: Path) -> None:
    """What killed programs left half written here; nobody else may be writing into this folder."""
    for part in folder.glob(".soundfix-*.part"):
        discard(part)


def publish(part: Path, target: Path) -> None:
    """Onto the disk, then into place: in the other order a power cut could leave an empty file."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(part, target)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """Make a rename last, where the system allows folders to be synced."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)


def discard(part: Path) -> None:
    with suppress(OSError):  # already in place, or the folder is gone: nothing of ours is left to clean up
        if part.is_dir():  # of an output that is a folder
            shutil.rmtree(part)
        part.unlink(missing_ok=True)


def refused(target: Path, error: OSError, kept: str | None = None) -> OutputError:
    """kept: what is left, where that is not the old file."""
    cause = CAUSES.get(error.errno or 0) or error.strerror or str(error)
    usual = "the old file is untouched" if target.exists() else "no half-written file was left"
    return OutputError(f"cannot write {target}: {cause}; {kept or usual}. Free some space or choose another folder")
