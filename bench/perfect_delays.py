"""Is it what networks hear, or how they make places of it? The paper's form, and wav2pos, learn from delays that are right.

    python bench/perfect_delays.py --out TABLES [--right 1.0] [--method wav2pos] [--steps 1140]

TABLES: the folder of a `soundfix reproduce --small` that has trained the method, and kept its windows. Instead of a pair's
logits there is a peak at the true delay, or for all but a share --right of pairs at any delay that their distance allows.
Printed: error on validation windows (4 to 11 microphones). --right -1: as NGCC-PHAT has it.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from soundfix.datasets.shards import Shards
from soundfix.networks.model import all_pairs
from soundfix.networks.pair_likelihoods import delays
from soundfix.overrides import apply_overrides
from soundfix.resample import SAMPLE_RATE
from soundfix.studies.reproduce import entrants
from soundfix.studies.setting import Setting
from soundfix.studies.study import Budget, Entrant, folder_of, recipe_of, with_ears
from soundfix.training.batches import Batch
from soundfix.training.fixed_batches import FixedBatches, FixedSet
from soundfix.training.fixed_validation import AT_ONCE, FixedValidation, places_of
from soundfix.training.fixed_windows import draw_of
from soundfix.training.loop import Job, start
from soundfix.training.recipes import Recipe
from soundfix.training.runs import MODEL
from soundfix.training.trainee import Trainee

PEAK = 20.0  # logit of the delay that is said


def main() -> None:
    given = arguments()
    torch.set_num_threads(1)
    setting = Setting(budget=Budget(minutes=1.0), small=True)
    entrant = next(each for each in entrants(setting) if each.label == given.method)
    recipe = apply_overrides(recipe_of(entrant), given.set)
    recipe = replace(recipe, localization=replace(recipe.localization, steps=given.steps, warm_up=100))
    trainee, batches = begun(recipe, entrant, given.out)
    trainee.begin("localization", recipe.localization, recipe)
    valid = Shards(given.out / "data" / "valid")
    validation = FixedValidation([valid], recipe.localization, windows=AT_ONCE, sources=1, folder=given.out / "cache")
    for step in range(given.steps):
        batch = with_delays(batches[step], given.right, step)
        terms = trainee.step(batch, recipe.localization, recipe)
        if (step + 1) % given.every == 0:
            off_m = validated(trainee, validation, given.right)
            losses = ", ".join(f"{name} {float(term):.3f}" for name, term in terms.items())
            print(f"{given.method}, right {given.right:g}, step {step + 1}: {summary(off_m)}; {losses}", flush=True)


def begun(recipe: Recipe, entrant: Entrant, out: Path) -> tuple[Trainee, FixedBatches]:
    """The network as it is before localization, with the ears it was trained with, and what it learns from."""
    data = Shards(out / "data" / "train")
    ears = entrant if entrant.recipe == "paper" else replace(entrant, label=entrant.ears_of)
    network = with_ears(recipe, Budget(minutes=1.0), out / "one" / "runs" / folder_of(ears) / MODEL)
    network = start(Job(recipe=recipe, data=[data], out=out, network=network))
    windows = FixedSet([data], draw_of(recipe.localization, sources=1, seed=0), network, out / "cache")
    return Trainee(network), FixedBatches(windows, recipe.localization, seed=2)


def with_delays(batch: Batch, right: float, seed: int) -> Batch:
    """The batch whose pairs say where they should, in a share of them; below 0: as NGCC-PHAT says."""
    if right < 0:
        return batch
    draw, logits = torch.Generator().manual_seed(seed), batch.frozen.correlation
    assert logits is not None
    pairs, middle = all_pairs(batch.windows.audio), logits.shape[-1] // 2
    said_s = delays(batch.sources_m[:, :1], batch.microphones_m, pairs, batch.speed_m_s)[..., 0]
    apart_m = (batch.microphones_m[:, pairs[:, 0]] - batch.microphones_m[:, pairs[:, 1]]).norm(dim=-1)
    anything_s = (2 * torch.rand(said_s.shape, generator=draw) - 1) * apart_m / batch.speed_m_s[:, None]
    is_right = torch.rand(said_s.shape, generator=draw) < right
    lags = torch.where(is_right, said_s, anything_s).nan_to_num() * SAMPLE_RATE
    at = (lags.round().long() + middle).clamp(0, 2 * middle)
    peaks: Tensor = torch.zeros_like(logits).scatter(-1, at[..., None], PEAK)
    return replace(batch, frozen=batch.frozen._replace(correlation=peaks))


@torch.no_grad()
def validated(trainee: Trainee, validation: FixedValidation, right: float) -> Tensor:
    """How far each axis is off (m), of every window."""
    network = trainee.averaged()
    batches = validation.batches(network)
    asked = [with_delays(batches[step], right, step) for step in range(len(batches))]
    return torch.cat([(places_of(network, each) - each.sources_m)[:, 0] for each in asked])


def summary(off_m: Tensor) -> str:
    """Of how far each axis is off."""
    error_m, flat_m, height_m = off_m.norm(dim=1), off_m[:, :2].norm(dim=1), off_m[:, 2].abs()
    said = (f"{name} {100 * each.mean():.1f} cm" for name, each in (("mean", error_m), ("xy", flat_m), ("z", height_m)))
    return f"{', '.join(said)}, {100 * (error_m < 0.3).float().mean():.0f} % under 30 cm"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--right", type=float, default=1.0)
    parser.add_argument("--method", default="three-stream (paper)")
    parser.add_argument("--set", action="append", default=[], help="a setting of the recipe, as in `soundfix train`")
    parser.add_argument("--steps", type=int, default=1140)
    parser.add_argument("--every", type=int, default=190)
    return parser.parse_args()


if __name__ == "__main__":
    main()
