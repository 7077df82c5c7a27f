"""Fits the factors of conformal.py: how much larger than in theory must a network's regions be?

    python bench/regions.py SET... [--checkpoint FILE] [--answers 560] [--cache FILE]

SETs are simulated (soundfix simulate --shards), of a validation part. Windows are drawn until each class of arrays has so
many answers, the same number of every set that has arrays so large. Of an answer count how many microphones it kept, its
doubt, and its score: the squared distance of the truth from the nearest place listed, in units of the region that theory
gives.

Printed: WEIGHTS, as the 90 % quantile of these scores given doubt would have them; CONFORMAL, for the WEIGHTS that
conformal.py holds, which were fitted to other sets (a shape that has seen the scores would flatter them); and the share of
regions that hold the truth: as theory has them / with the shape alone / with factors found on the other half of the clips.
"""

import argparse
import sys
from math import ceil
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linprog

import soundfix
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.opening import open_dataset
from soundfix.datasets.windows import draw_window
from soundfix.estimate import COVERAGE, Localizer
from soundfix.localization import conformal
from soundfix.localization.conformal import CONFORMAL
from soundfix.localization.consensus import Consensus
from soundfix.physics import REGION_90
from soundfix.scene import Scene

WINDOWS_S = (0.128, 0.25, 0.5)
SPANS = ((4, 5), (6, 8), (9, 12), (13, 16))  # microphones that are drawn for each class
PASSES = 4  # over a set, until its classes are full
GLANCE = 100  # clips of a set, which tell how large its arrays are
RIDGE = 0.01  # of the weights' sizes, the constant's excepted, beside the mean pinball loss
ANSWER = np.dtype([("clip", int), ("microphones", int), ("doubt", float), ("score", float)])
Answers = np.ndarray  # of ANSWER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--answers", type=int, default=560, help="of every class of arrays")
    parser.add_argument("--cache", type=Path, help="what was measured, as .npz: read if it is there, else written")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.cache and options.cache.exists():
        measured = dict(np.load(options.cache))
    else:
        measured = of_sets(options.sets, options.checkpoint, options.answers)
        if options.cache:
            np.savez(options.cache, **measured)
    report(measured)


def report(measured: dict[str, Answers]) -> None:
    every = np.concatenate(list(measured.values()))
    print(f"WEIGHTS = {tuple(np.round(fitted(measured), 3).tolist())}\nCONFORMAL = (")
    rounded = np.ceil(1000 * factors(every)) / 1000
    held_out = np.bincount(classes(every), minlength=len(CONFORMAL))
    for own, factor, count in zip(CONFORMAL, rounded, held_out, strict=True):
        print(f'    ArrayClass("{own.name}", {own.most}, {factor:.3f}, {count}),')
    print(f")\n| | {' | '.join(own.name for own in CONFORMAL)} | all |\n" + "|---" * (len(CONFORMAL) + 2) + "|")
    others = np.array([factors(every[every["clip"] % 2 != half]) for half in (0, 1)])
    for name, answers in (measured | {"all": every}).items():
        print(f"| {name} | {' | '.join(shares(answers, others))} |")


def shares(answers: Answers, others: np.ndarray) -> list[str]:
    """Of every class and of all: the share of regions that hold the truth. others: the factors of each half of the clips."""
    shape = shapes(answers)
    sizes = np.stack([np.ones_like(shape), shape, shape * others[answers["clip"] % 2, classes(answers)]])
    holds, own = answers["score"] <= REGION_90 * sizes, classes(answers)
    chosen = [own == k for k in range(len(CONFORMAL))] + [own >= 0]
    return [" / ".join(f"{each:.1%}" for each in holds[:, c].mean(axis=1)) if c.any() else "" for c in chosen]


def factors(answers: Answers) -> np.ndarray:
    """Of every class, by split conformal prediction."""
    scores, own = answers["score"] / shapes(answers), classes(answers)
    return np.array([conformal.split_conformal(scores[own == k]) for k in range(len(CONFORMAL))]) / REGION_90


def shapes(answers: Answers) -> np.ndarray:
    constant, slope = conformal.WEIGHTS
    return np.exp(constant + slope * answers["doubt"])


def classes(answers: Answers) -> np.ndarray:
    """Which of CONFORMAL."""
    return np.searchsorted([each.most for each in CONFORMAL], answers["microphones"])


def of_sets(names: list[str], checkpoint: Path | None, answers: int) -> dict[str, Answers]:
    """Of every class so many answers, in equal parts of the sets that have arrays so large."""
    localizer = soundfix.load("three-stream", **({"checkpoint": checkpoint} if checkpoint else {}))
    data = {Path(name).name: open_dataset(name) for name in names}
    largest = [max(len(each[k].microphones) for k in range(min(GLANCE, len(each)))) for each in data.values()]
    quotas = [ceil(answers / max(1, sum(most >= fewest for most in largest))) for fewest, _ in SPANS]
    return {name: of_set(name, each, localizer, quotas) for name, each in data.items()}


def of_set(name: str, data: Dataset, localizer: Localizer, quotas: list[int]) -> Answers:
    """Windows of the clips in turn, always for the class that is furthest from its quota, until all are full."""
    found: list[np.ndarray] = []
    missing = np.array(quotas)
    for number in range(PASSES * len(data)):
        clip, rng = number % len(data), np.random.default_rng([17, number])
        scene = data[clip]
        is_open = (missing > 0) & ([fewest <= len(scene.microphones) for fewest, _ in SPANS])
        if not is_open.any():
            continue
        fewest, most = SPANS[int((is_open * missing / quotas).argmax())]
        count = int(rng.integers(fewest, min(most, len(scene.microphones)) + 1))
        window = draw_window(scene, round(float(rng.choice(WINDOWS_S)) * scene.sample_rate), count, rng)
        answer = of_window(clip, localizer, window)
        if answer is not None and missing[classes(answer)] > 0:
            found.append(answer)
            missing[classes(answer)] -= 1
        if number % 50 == 49:
            print(f"{name}: {number + 1} windows, still wanted {missing.tolist()}", file=sys.stderr, flush=True)
    return np.array(found, dtype=ANSWER)


def of_window(clip: int, localizer: Localizer, scene: Scene) -> np.ndarray | None:
    """None without an answer."""
    seen: list[Consensus] = []

    def noted(consensus: Consensus) -> float:
        seen.append(consensus)
        return 1.0

    ours, conformal.factor = conformal.factor, noted
    try:
        estimate = localizer.locate(scene)
    finally:
        conformal.factor = ours
    if not estimate.sources or scene.truth is None:
        return None
    off = [(source.position_m - scene.truth.sources[0], source.covariance_m2) for source in estimate.sources]
    score = min(float(e @ np.linalg.solve(c, e)) for e, c in off)
    return np.array((clip, seen[-1].is_kept.sum(), conformal.remaining_doubt(seen[-1]), score), dtype=ANSWER)


def fitted(measured: dict[str, Answers]) -> np.ndarray:
    """Quantile regression as a linear programme: the smallest mean of q * above + (1 - q) * below; sets weigh the same."""
    every = np.concatenate(list(measured.values()))
    x = np.stack([np.ones(len(every)), every["doubt"]], axis=1)
    y = np.log(every["score"] + 1e-9) - np.log(REGION_90)
    weight = np.concatenate([np.full(len(each), 1 / len(each) / len(measured)) for each in measured.values()])
    n, d = x.shape
    small = np.full(d, RIDGE)
    small[0] = 0.0
    costs = np.concatenate([small, small, COVERAGE * weight, (1 - COVERAGE) * weight])
    equal = np.hstack([x, -x, np.eye(n), -np.eye(n)])
    solution = linprog(costs, A_eq=equal, b_eq=y, method="highs").x
    return solution[:d] - solution[d : 2 * d]


if __name__ == "__main__":
    main()
