"""Sets of scenes on disk: tar shards in WebDataset's layout, with a manifest.

    set/manifest.json   what they were made from, and size and SHA-256 of every shard
    set/000000.tar      000000.wav 000000.json 000001.wav 000001.json ... (see members.py)

Any scene is read by its place in its shard, in about two milliseconds; a damaged shard takes no other one with it.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from soundfix.datasets.manifest import read_manifest
from soundfix.datasets.members import decode
from soundfix.errors import DatasetError
from soundfix.scene import Scene


class _Place(NamedTuple):
    offset: int
    size: int


class Shards:
    """The scenes of a set that `write_set` wrote; a Dataset.

    Raises DatasetError where the folder holds no finished set. Shards of the wrong size are found at opening, and told
    when a scene of theirs is asked for; `verify` reads everything.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.name = self.folder.name
        self.manifest = read_manifest(self.folder)
        self._names = self.manifest.names()
        missing = [name for name in self._names if name not in self.manifest.shards]
        if missing:
            raise DatasetError(
                f"{self.folder} is not finished: {len(self._names) - len(missing)} of {len(self._names)} shards are there; "
                "give the command that began it once more, and it goes on"
            )
        self._damage = {name: damage for name in self._names if (damage := self._size_damage(name))}
        self._places: dict[str, dict[str, _Place]] = {}

    def __len__(self) -> int:
        return self.manifest.scenes

    def __getitem__(self, clip: int) -> Scene:
        if not 0 <= clip < len(self):
            raise IndexError(f"scene {clip} of {len(self)}")
        name = self._names[clip // self.manifest.scenes_a_shard]
        if name in self._damage:
            raise DatasetError(f"{self.folder / name}: {self._damage[name]}")
        try:
            return decode(*self._read(name, (f"{clip:06d}.wav", f"{clip:06d}.json")))
        except (OSError, KeyError, OverflowError, ValueError, tarfile.TarError, DatasetError) as error:
            cause = f"no member {error}" if isinstance(error, KeyError) else error
            raise DatasetError(f"{self.folder / name}, scene {clip}: {cause}; was the file changed or cut?") from error

    def verify(self) -> dict[str, str]:
        """What is wrong with each damaged shard, by reading all of them: name -> damage. Empty where all is well."""
        return {name: damage for name in self._names if (damage := self._size_damage(name) or self._hash_damage(name))}

    def _read(self, name: str, members: tuple[str, ...]) -> list[bytes]:
        if name not in self._places:
            self._places[name] = _places(self.folder / name)
        with (self.folder / name).open("rb") as file:
            return [_read_at(file, self._places[name][member]) for member in members]

    def _size_damage(self, name: str) -> str | None:
        try:
            size, wanted = (self.folder / name).stat().st_size, self.manifest.shards[name].bytes
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        return None if size == wanted else f"{size} bytes, wanted {wanted}: was it cut, or not copied to the end?"

    def _hash_damage(self, name: str) -> str | None:
        is_same = sha256_of(self.folder / name) == self.manifest.shards[name].sha256
        return None if is_same else "its bytes are not those that were written (SHA-256 differs)"


def describe_set(folder: Path | str) -> Iterator[str]:
    """What a set holds, and which of its shards are not as they were written: every byte is read. Raises DatasetError."""
    shards = Shards(folder)
    damaged = shards.verify()
    yield f"{shards.name}: {len(shards)} scenes in {len(shards.manifest.shards)} shards, {len(damaged)} of them damaged"
    for name, damage in damaged.items():
        yield f"  {name}: {damage}"


def sha256_of(path: Path) -> str:
    """Of a whole file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _places(path: Path) -> dict[str, _Place]:
    with tarfile.open(path, "r:") as archive:
        return {member.name: _Place(member.offset_data, member.size) for member in archive}


def _read_at(file: BinaryIO, place: _Place) -> bytes:
    file.seek(place.offset)
    return file.read(place.size)
