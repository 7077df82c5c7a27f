"""How many windows a second the paper's form learns from: all parts in every step, and from what frozen parts made once.

    python bench/training_speed.py [--scenes 16] [--steps 6] [--published]

One thread; scenes of luvira-like, 11 microphones, 0.128 s. The loss of the same windows is printed for all, so that nobody
is quick by learning something else. --published: NGCC-PHAT of 128 channels instead of 8. Reading and hiding are counted too.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import torch

from soundfix.datasets.simulated import Simulated
from soundfix.networks.frozen import Frozen
from soundfix.overrides import apply_overrides
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_LIKE
from soundfix.studies.reproduce import FIXED, SHORT_TRAINING, SMALL_NGCC
from soundfix.training.batches import Batch
from soundfix.training.fixed_batches import FixedBatches, FixedSet
from soundfix.training.fixed_windows import draw_of
from soundfix.training.lessons import loss_terms
from soundfix.training.loop import Job, start
from soundfix.training.recipes import RECIPES, Recipe
from soundfix.training.trainee import Trainee

STAGE = "localization"


def main() -> None:
    given = arguments()
    torch.set_num_threads(1)
    data = Simulated(world=LUVIRA_LIKE, sounds=BuiltInSounds(), seed=1, count=given.scenes)
    ngcc = () if given.published else SMALL_NGCC
    changes = (*SHORT_TRAINING, *FIXED, *ngcc, "network.acoustic=small", "localization.microphones=[11,11]")
    recipe = apply_overrides(RECIPES["paper"](), changes)
    with tempfile.TemporaryDirectory() as folder:
        slow = rate(recipe, data, Path(folder), given.steps, batch=8, is_kept=False, half=False)
        print(f"{'':34}windows a second   of the first   loss")
        print(line("all parts in every step, 8", slow, slow))
        for batch, half in ((8, False), (32, False), (32, True)):
            quick = rate(recipe, data, Path(folder), given.steps, batch=batch, is_kept=True, half=half)
            print(line(f"kept, {batch}{', bfloat16' if half else ''}", quick, slow))


def line(name: str, what: tuple[float, float], beside: tuple[float, float]) -> str:
    return f"{name:34}{what[0]:16.1f}{what[0] / beside[0]:15.1f}{what[1]:7.4f}"


def rate(
    recipe: Recipe, data: Simulated, folder: Path, steps: int, *, batch: int, is_kept: bool, half: bool
) -> tuple[float, float]:
    """Windows a second, the best of `steps`; and the loss of 32 windows before anything was learned."""
    recipe = replace(recipe, localization=replace(recipe.localization, batch=batch, steps=steps), bfloat16=half)
    trainee = Trainee(start(Job(recipe=recipe, data=[data], out=folder)))
    trainee.begin(STAGE, recipe.localization, recipe)
    windows = FixedSet([data], draw_of(recipe.localization, sources=1, seed=0), trainee.network, folder)
    windows.fill(workers=0, progress=lambda what, done, of: None)
    alike = FixedBatches(windows, replace(recipe.localization, batch=32), seed=0)[0]
    loss = float(sum(loss_terms(trainee.network, shown(alike, is_kept), recipe, STAGE).values()))
    best = min(timed(recipe, trainee, windows, is_kept))
    return batch / best, loss


def timed(recipe: Recipe, trainee: Trainee, windows: FixedSet, is_kept: bool) -> Iterator[float]:
    batches = FixedBatches(windows, recipe.localization, seed=0)
    for step in range(len(batches)):
        started = perf_counter()
        trainee.step(shown(batches[step], is_kept), recipe.localization, recipe)
        yield perf_counter() - started


def shown(batch: Batch, is_kept: bool) -> Batch:
    return batch if is_kept else replace(batch, frozen=Frozen())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--published", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
