"""Hostile files by the thousand, for minutes: each failure is saved, and its seed printed.

    PYTHONPATH=tests python -m attacks.fuzz [--minutes 5] [--seed 0] [--only checkpoint,scene] [--out fuzz]

Every reader in turn gets a file of its own kind with a few small changes (mutations.py). It must read it, with finite
numbers, or refuse it with an error of ours, in 10 s and 4 GiB of addresses beyond what it began with. The exit status is 1
where one did not.
"""

import argparse
import itertools
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from attacks.attack import complaint
from attacks.mutations import mutated
from attacks.readers import READERS

MEMORY_BYTES = 4 << 30


def main() -> int:
    given = arguments()
    torch.set_num_threads(1)
    names = given.only.split(",") if given.only else list(READERS)
    wholes = {name: READERS[name].whole() for name in names}
    limit_memory()
    tried, failed = Counter[str](), Counter[str]()
    end = time.monotonic() + 60 * given.minutes
    for number in itertools.takewhile(lambda _: time.monotonic() < end, itertools.count()):
        turn, which = divmod(number, len(names))
        name = names[which]
        if turn % READERS[name].turns:
            continue
        content = mutated(wholes[name], np.random.default_rng([given.seed, number]))
        if why := complaint(READERS[name], content):
            failed[name] += 1
            report(given.out, name, [given.seed, number], content, why)
        tried[name] += 1
    print(f"{sum(tried.values())} files, {sum(failed.values())} failures, seeds [{given.seed}, 0 to {number}]")
    return int(bool(failed))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="names of readers, between commas")
    parser.add_argument("--out", type=Path, default=Path("fuzz"), help="folder for files that failed")
    return parser.parse_args()


def limit_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, resource.RLIM_INFINITY))


def report(out: Path, name: str, seed: list[int], content: bytes, why: str) -> None:
    out.mkdir(exist_ok=True)
    (out / f"{name}-{seed[0]}-{seed[1]}{READERS[name].suffix}").write_bytes(content)
    print(f"{name} {seed}: {why}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
