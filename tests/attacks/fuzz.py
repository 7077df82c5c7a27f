"""Hostile files by the million, for minutes: each failure is saved, and its seed printed; what was tried is added up.

    PYTHONPATH=tests python -m attacks.fuzz [--minutes 5] [--seed 0] [--workers 1] [--only checkpoint,scene] [--out fuzz]

Every reader gets files of its own kind with a few small changes (mutations.py), in files that are in memory. It must read
them, with finite numbers, or refuse them with an error of ours, in 10 s of a processor and 1 GiB beyond the memory that it
began with, and its process must live. Readers share the time, not the count: a slice each in a process of its own
(slices.py), who had least time first. The exit status is 1 where one did not.

Input N of a reader is made from the seed, its name and N. The folder keeps, in ran.jsonl, which were tried: the same seed
goes on where it ended.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import torch

from attacks.readers import READERS, Reader
from attacks.slices import Slice, Tally, content, total

LEDGER = "ran.jsonl"
LONGEST_SLICE_S, SHORTEST_SLICE_S = 3.0, 0.1
IN_MEMORY = Path("/dev/shm")


def main() -> int:
    given = arguments()
    torch.set_num_threads(1)
    readers = {name: READERS[name] for name in (given.only.split(",") if given.only else READERS)}
    given.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        tempfile.tempdir = folder
        tallies = run(readers, given.seed, 60 * given.minutes, given.workers, given.out)
    print(table(tallies))
    print(f"in all runs kept in {given.out / LEDGER}: {tried(ran(given.out)):,} files")
    return int(any(each.failed for one in tallies.values() for each in one))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", help="names of readers, between commas")
    parser.add_argument(
        "--out", type=Path, default=Path("fuzz"), help="folder for files that failed, and what was tried"
    )
    return parser.parse_args()


def run(readers: dict[str, Reader], seed: int, lasts_s: float, workers: int, out: Path) -> dict[str, list[Tally]]:
    """Until the time is over. What each reader did, slice by slice."""
    wholes = {name: whole(reader) for name, reader in readers.items()}
    slice_s = min(LONGEST_SLICE_S, max(SHORTEST_SLICE_S, lasts_s * workers / len(readers) / 3))
    tallies: dict[str, list[Tally]] = {name: [] for name in readers}
    after, spent_s = following(ran(out), seed), dict.fromkeys(readers, 0.0)
    running: dict[str, Slice] = {}
    end = time.monotonic() + lasts_s
    while running or time.monotonic() < end:
        waiting = sorted(readers.keys() - running.keys(), key=lambda name: spent_s[name])
        for name in waiting[: workers - len(running)] if time.monotonic() < end else ():
            running[name] = Slice(readers[name], wholes[name], name, seed, after[name], slice_s, out)
        ready = wait([each.sentinel for each in running.values()])
        for name in [name for name, each in running.items() if each.sentinel in ready]:
            tally = running.pop(name).ended()
            tallies[name].append(tally)
            after[name], spent_s[name] = tally.next, spent_s[name] + tally.spent_s
            note(out, name, seed, tally)
    return tallies


def whole(reader: Reader) -> bytes:
    """A file that is read, which is tried: so that what readers import and keep is there before they are timed."""
    content = reader.whole()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"whole{reader.suffix}"
        path.write_bytes(content)
        reader.read(path)
    return content


def note(out: Path, name: str, seed: int, tally: Tally) -> None:
    """What was tried; `made` changes where the same number makes another file."""
    told = {"reader": name, "seed": seed, "made": MADE, "pid": os.getpid()} | tally._asdict()
    with (out / LEDGER).open("a", encoding="utf-8") as file:
        file.write(json.dumps(told) + "\n")


def made() -> str:
    """Of the changes that make files, as they are now."""
    samples = (b'{"a": [1, 2.5, "x"], "b": {"c": null}}', bytes(range(256)), b"x,y\n1,2\n3,4.5\n")
    return sha256(b"".join(content(each, 0, "", number) for each in samples for number in range(200))).hexdigest()[:8]


MADE = made()


def ran(out: Path) -> list[dict[str, Any]]:
    path = out / LEDGER
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def following(slices: Iterable[dict[str, Any]], seed: int) -> dict[str, int]:
    """The first number of each reader that was not tried with this seed."""
    found: dict[str, int] = defaultdict(int)
    for each in slices:
        if each["seed"] == seed:
            found[each["reader"]] = max(found[each["reader"]], each["next"])
    return found


def tried(slices: Iterable[dict[str, Any]]) -> int:
    return sum(each["next"] - each["first"] for each in slices)


def table(tallies: dict[str, list[Tally]]) -> str:
    lines = [
        "| reader | files | refused | read | failed | slowest, ms | most memory, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, slices in tallies.items():
        of = total(slices)
        counts = f"{of.next} | {of.refused} | {of.next - of.refused - of.failed} | {of.failed}"
        lines.append(f"| {name} | {counts} | {1000 * of.slowest_s:.0f} | {of.memory_mib:.0f} |")
    every = total([each for slices in tallies.values() for each in slices])
    rate = every.next / max(every.spent_s, 1e-9)
    return "\n".join([*lines, f"{every.next} files, {every.failed} failures, {rate:.0f} a second of each worker"])


if __name__ == "__main__":
    sys.exit(main())
