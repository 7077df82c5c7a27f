"""How quickly a set to train on is made, and what the time of one scene goes into.

    python bench/simulated_set.py [--audio FOLDER] [--worlds luvira-twin] [--scenes 200] [--workers 2]

Scenes/s is by the clock, with shards written to a temporary folder; the split is processor time of one process, ms a scene.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from soundfix.datasets import members
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.simulation import worlds
from soundfix.simulation.soundbank import BuiltInSounds, read_bank

STAGES = {  # where the function of each stage is looked up
    "sound": (worlds, "_sources"),
    "responses": (worlds.talkers, "responses_of"),
    "convolution": (worlds.talkers, "heard"),
    "decay": (worlds, "measured_rt60"),
    "noise": (worlds, "_noise"),
    "writing": (members, "encode"),
}
TIMED = 40  # scenes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, help="folder of dry recordings; without it built-in sounds")
    parser.add_argument("--worlds", nargs="*", default=list(worlds.WORLDS))
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    sounds = read_bank([options.audio]) if options.audio else BuiltInSounds()
    print(f"{'world':14s} scenes/s" + "".join(f"{stage:>13s}" for stage in [*STAGES, "whole"]))
    for name in options.worlds:
        scenes = Simulated(world=worlds.WORLDS[name], sounds=sounds, seed=1, count=options.scenes)
        rate, split = scenes_a_second(scenes, options.workers), split_of(scenes)
        print(f"{name:14s} {rate:8.1f}" + "".join(f"{ms:10.1f} ms" for ms in split.values()), flush=True)


def scenes_a_second(scenes: Simulated, workers: int) -> float:
    """Written to the disk."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        write_set(Path(folder) / "set", scenes, workers=workers, scenes_a_shard=20)
        return len(scenes) / (time.monotonic() - started)


def split_of(scenes: Simulated) -> dict[str, float]:
    """Processor time of one scene, ms: of each stage, and of all of it."""
    spent = dict.fromkeys([*STAGES, "whole"], 0.0)
    with ExitStack() as stack:
        for stage, (module, function) in STAGES.items():
            stack.enter_context(patch.object(module, function, timed(getattr(module, function), stage, spent)))
        timed(make, "whole", spent)(scenes)
    return {stage: 1e3 * seconds / TIMED for stage, seconds in spent.items()}


def timed(function: Callable, stage: str, spent: dict[str, float]) -> Callable:
    """The function, adding the processor time it takes to a stage."""

    def run(*args: Any, **options: Any) -> Any:
        started = time.process_time()
        try:
            return function(*args, **options)
        finally:
            spent[stage] += time.process_time() - started

    return run


def make(scenes: Simulated) -> None:
    for k in range(TIMED):
        members.encode(scenes[k])


if __name__ == "__main__":
    main()
