"""Writing a set of shards, with several processes or machines, in a way that no crash harms.

Scene k is the same whoever draws it, and tar headers hold no time and no owner: so the bytes of a set are the same however
many processes wrote it, and however often it was interrupted. A shard is written beside its place, flushed to the disk and
then renamed; the manifest names it only afterwards. What a killed run finished is checked and kept, the rest is made again.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from soundfix.alone import alone_in
from soundfix.atomic import CAUSES, remove_parts
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.manifest import NAME, Manifest, ShardEntry, read_manifest, write_manifest
from soundfix.datasets.members import encode
from soundfix.datasets.shards import sha256_of
from soundfix.datasets.simulated import Simulated
from soundfix.engines.engine import Engine, all_done
from soundfix.engines.local import HERE
from soundfix.errors import OutputError

BLOCK = tarfile.BLOCKSIZE
PART = ".part"
Progress = Callable[[int], None]


def write_set(
    folder: Path,
    scenes: Simulated,
    *,
    engine: Engine = HERE,
    scenes_a_shard: int = 100,
    progress: Progress = lambda count: None,
) -> Manifest:
    """Write these scenes into a folder, which all workers of the engine see, or go on where an earlier call was interrupted.

    progress is called with the number of scenes that have just been finished, those that were there already included.
    Raises OutputError where the folder holds another set, or the system does not let us write.
    """
    folder = Path(folder)
    wanted = Manifest(
        world=asdict(scenes.world),
        sounds=scenes.sounds.describe(),
        seed=scenes.seed,
        scenes=scenes.count,
        scenes_a_shard=scenes_a_shard,
    )
    with _said_plainly(folder), alone_in(folder):
        manifest = _begun(folder, wanted)
        missing = [number for number, name in enumerate(manifest.names()) if name not in manifest.shards]
        progress(sum(entry.scenes for entry in manifest.shards.values()))
        try:
            for k, entry in all_done(engine.map(partial(_writer, folder, scenes, manifest), missing)):
                manifest = manifest.with_shard(manifest.names()[missing[k]], entry)
                write_manifest(folder, manifest)
                progress(entry.scenes)
        finally:
            _remove_parts(folder)
    return manifest


def write_shard(folder: Path, scenes: Dataset, manifest: Manifest, number: int) -> ShardEntry:
    """Draw and write one shard; it is there whole, or not at all."""
    path = folder / manifest.names()[number]
    part = path.with_name(path.name + PART)
    digest, size = hashlib.sha256(), 0
    try:
        with part.open("wb") as file:
            for block in _blocks(scenes, manifest.numbers(number)):
                file.write(block)
                digest.update(block)
                size += len(block)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return ShardEntry(scenes=len(manifest.numbers(number)), bytes=size, sha256=digest.hexdigest())


def _blocks(scenes: Dataset, numbers: range) -> Iterator[bytes]:
    """The bytes of a tar archive."""
    for k in numbers:
        for suffix, content in zip(("wav", "json"), encode(scenes[k]), strict=True):
            member = tarfile.TarInfo(f"{k:06d}.{suffix}")
            member.size = len(content)
            yield member.tobuf(tarfile.USTAR_FORMAT)
            yield content
            yield bytes(-len(content) % BLOCK)
    yield bytes(2 * BLOCK)


def _begun(folder: Path, wanted: Manifest) -> Manifest:
    """The manifest so far, less what is not on the disk as it says; a new one where there is none."""
    _remove_parts(folder)
    if not (folder / NAME).exists():
        write_manifest(folder, wanted)
        return wanted
    found = read_manifest(folder)
    if difference := found.difference(wanted):
        raise OutputError(f"{folder} holds another set: {difference}; choose another folder, or the same settings")
    return replace(
        found, shards={name: entry for name, entry in found.shards.items() if _is_there(folder / name, entry)}
    )


def _remove_parts(folder: Path) -> None:
    """What killed runs left half written: shards, and manifests."""
    remove_parts(folder)
    for part in folder.glob(f"*.tar{PART}"):
        part.unlink()


def _is_there(path: Path, entry: ShardEntry) -> bool:
    return path.is_file() and path.stat().st_size == entry.bytes and sha256_of(path) == entry.sha256


def _writer(folder: Path, scenes: Dataset, manifest: Manifest) -> Callable[[int], ShardEntry]:
    """What writes shards by their numbers, in a process of its own or here."""
    return partial(write_shard, folder, scenes, manifest)


@contextmanager
def _said_plainly(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = CAUSES.get(error.errno or 0) or error.strerror or str(error)
        raise OutputError(
            f"cannot write in {folder}: {cause}; finished shards are kept, and the same command goes on after them"
        ) from error
