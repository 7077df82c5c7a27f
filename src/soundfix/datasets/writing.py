"""Writing a set of shards, with several processes, in a way that no crash harms.

Scene k is the same whoever draws it, and tar headers hold no time and no owner: so the bytes of a set are the same however
many processes wrote it, and however often it was interrupted. A shard is written beside its place, flushed to the disk and
then renamed; the manifest names it only afterwards. What a killed run finished is checked and kept, the rest is made again.
"""

import hashlib
import os
import signal
import tarfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from soundfix.alone import alone_in
from soundfix.atomic import CAUSES, remove_parts
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.manifest import NAME, Manifest, ShardEntry, read_manifest, write_manifest
from soundfix.datasets.members import encode
from soundfix.datasets.shards import sha256_of
from soundfix.datasets.simulated import Simulated
from soundfix.errors import OutputError, SoundfixError
from soundfix.scene import Scene

BLOCK = tarfile.BLOCKSIZE
PART = ".part"
Progress = Callable[[int], None]


def write_set(
    folder: Path,
    scenes: Simulated,
    *,
    workers: int = 1,
    scenes_a_shard: int = 100,
    progress: Progress = lambda count: None,
) -> Manifest:
    """Write these scenes into a folder, or go on where an earlier call was interrupted.

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
        for number, entry in _made(folder, scenes, manifest, missing, workers):
            manifest = manifest.with_shard(manifest.names()[number], entry)
            write_manifest(folder, manifest)
            progress(entry.scenes)
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


def _made(
    folder: Path, scenes: Dataset, manifest: Manifest, missing: list[int], workers: int
) -> Iterator[tuple[int, ShardEntry]]:
    """These shards as they are finished, each worker making every so-manieth of them."""
    if workers == 1:
        for number in missing:
            yield number, write_shard(folder, scenes, manifest, number)
        return
    processes = [_start(folder, scenes, manifest, missing[first::workers]) for first in range(workers)]
    try:
        yield from _reports([pipe for _, pipe in processes])
    finally:
        for process, _ in processes:
            process.terminate()
        for process, pipe in processes:
            process.join()
            pipe.close()
        _remove_parts(folder)


def _start(
    folder: Path, scenes: Dataset, manifest: Manifest, numbers: list[int]
) -> tuple[BaseProcess, connection.Connection]:
    """Forked, so that all share one copy of the sounds."""
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(folder, scenes, manifest, numbers, theirs), daemon=True)
    with warnings.catch_warnings():  # the thread that draws a progress bar holds nothing that a worker needs
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    theirs.close()
    return process, ours


def _work(folder: Path, scenes: Dataset, manifest: Manifest, numbers: list[int], pipe: connection.Connection) -> None:
    """Report every shard with its number, then None; or the error that ended the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears of it and ends us
    try:
        for number in numbers:
            pipe.send((number, write_shard(folder, _UntilOrphaned(scenes), manifest, number)))
        pipe.send(None)
    except (SoundfixError, OSError) as error:
        pipe.send(error)


class _UntilOrphaned:
    """The same scenes, for a worker that ends with the process that started it, however that ended."""

    def __init__(self, scenes: Dataset) -> None:
        self.name, self._scenes, self._parent = scenes.name, scenes, os.getppid()

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, clip: int) -> Scene:
        if os.getppid() != self._parent:
            os._exit(1)
        return self._scenes[clip]


def _reports(pipes: list[connection.Connection]) -> Iterator[tuple[int, ShardEntry]]:
    waiting = list(pipes)
    while waiting:
        ready = connection.wait(waiting)
        for pipe in [pipe for pipe in waiting if pipe in ready]:
            try:
                report = pipe.recv()
            except EOFError:
                raise OutputError(
                    "a worker ended without a word: was it killed, or is memory short? Go on later"
                ) from None
            if isinstance(report, Exception):
                raise report
            if report is None:
                waiting.remove(pipe)
            else:
                yield report


@contextmanager
def _said_plainly(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = CAUSES.get(error.errno or 0) or error.strerror or str(error)
        raise OutputError(
            f"cannot write in {folder}: {cause}; finished shards are kept, and the same command goes on after them"
        ) from error
