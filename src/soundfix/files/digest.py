"""Which file it was: its size, and the SHA-256 of its contents."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from soundfix.errors import AudioFileError, ConfigError

GLIMPSE_BYTES = 4096


class Digest(NamedTuple):
    """path: as it was given."""

    path: str
    bytes: int
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """As in the JSON file."""
        return self._asdict()


def digest(path: str | Path) -> Digest:
    """Of the file as it is now; read whole, once for each time it changes. Raises ConfigError where it cannot be."""
    try:
        state = Path(path).stat()
        return Digest(str(path), state.st_size, _sha256(str(path), state.st_size, state.st_mtime_ns))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): was it moved or deleted?") from error


def contents(path: Path | None) -> str | None:
    """The SHA-256 of a file alone, where there is one."""
    return digest(path).sha256 if path else None


def glimpse(path: Path) -> str:
    """What tells recordings of one length apart, wherever they lie: a hash of the file's size and of GLIMPSE_BYTES at its
    beginning, in its middle and at its end. Raises AudioFileError where it cannot be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            told = hashlib.sha256(str(size).encode())
            for start in (0, (size - GLIMPSE_BYTES) // 2, size - GLIMPSE_BYTES):
                file.seek(max(0, start))
                told.update(file.read(GLIMPSE_BYTES))
    except OSError as error:
        raise AudioFileError(f"{path} cannot be read ({error.strerror}): was it moved or deleted meanwhile?") from error
    return told.hexdigest()


def differences(before: Iterable[Digest], now: Iterable[Digest]) -> Iterator[str]:
    """Of files in the same order, in sentences."""
    olds, news = list(before), list(now)
    if len(olds) != len(news):
        yield f"there are {len(news)} files, and there were {len(olds)}: the answers are of other sound"
        return
    for old, new in zip(olds, news, strict=True):
        if old.bytes != new.bytes:
            yield f"{new.path} has changed: it has {new.bytes} bytes, and had {old.bytes}"
        elif old.sha256 != new.sha256:
            yield f"{new.path} has changed: as many bytes, but others"


@lru_cache(maxsize=1024)
def _sha256(path: str, _bytes: int, _mtime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
