"""Fits the factors of regions.py: how much larger than in theory must a network's regions be?

    python bench/regions.py SET... [--checkpoint FILE] [--windows 300]

SETs are simulated (soundfix simulate --shards), of a validation part. For every window: how far the truth lies from the
nearest place listed, in units of its region as theory has it, and the circumstances. Fitted is the 90 % quantile of the
first given the second, each set weighing the same. Printed: WEIGHTS, and the share of regions that hold the truth, before
and after, where the weights were fitted to the other half of the windows.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linprog

import soundfix
from soundfix import regions
from soundfix.consensus import Consensus
from soundfix.datasets.opening import open_dataset
from soundfix.datasets.windows import draw_window
from soundfix.localizer import Localizer
from soundfix.metrics import REGION_90
from soundfix.scene import Scene

MICROPHONES, WINDOWS_S = (5, 11), (0.128, 0.25, 0.5)
SHARE = 0.9
RIDGE = 0.01  # of the weights' sizes, the constant's excepted, beside the mean pinball loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--windows", type=int, default=300, help="of every set")
    parser.add_argument("--save", type=Path, help="what was measured, as .npz")
    options = parser.parse_args()
    torch.set_num_threads(1)
    measured = [of_set(name, options.checkpoint, options.windows) for name in options.sets]
    if options.save:
        np.savez(
            options.save, **{f"{k}_{n}": v for k, pair in enumerate(measured) for n, v in zip("xy", pair, strict=True)}
        )
    print(f"WEIGHTS = {tuple(np.round(fitted(measured), 3).tolist())}")
    halves = [[(x[k::2], y[k::2]) for x, y in measured] for k in (0, 1)]
    others = [fitted(half) for half in halves[::-1]]
    for k, name in enumerate(options.sets):
        before = np.mean(measured[k][1] <= np.log(REGION_90))
        after = np.mean(
            np.concatenate(
                [y <= x @ w + np.log(REGION_90) for (x, y), w in zip([h[k] for h in halves], others, strict=True)]
            )
        )
        print(
            f"{name}: {len(measured[k][1])} answers, {before:.1%} in their regions as in theory, {after:.1%} with factors"
        )


def of_set(name: str, checkpoint: Path | None, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """Circumstances, and the logarithm of the squared distance in units of the region, of every answer."""
    localizer = soundfix.load("three-stream", **({"checkpoint": checkpoint} if checkpoint else {}))
    data, rows = open_dataset(name), []
    for number in range(windows):
        rng = np.random.default_rng([17, number])
        scene = data[number % len(data)]
        count = int(rng.integers(MICROPHONES[0], MICROPHONES[1] + 1))
        rows.append(
            measured(localizer, draw_window(scene, round(float(rng.choice(WINDOWS_S)) * scene.sample_rate), count, rng))
        )
        if number % 50 == 49:
            print(f"{name}: {number + 1} of {windows}", file=sys.stderr, flush=True)
    found = [row for row in rows if row is not None]
    return np.array([x for x, _ in found]), np.array([y for _, y in found])


def measured(localizer: Localizer, scene: Scene) -> tuple[np.ndarray, float] | None:
    """Of one window; None without an answer."""
    seen: list[np.ndarray] = []

    def noted(consensus: Consensus) -> float:
        seen.append(np.array([1.0, regions.doubt(consensus)]))
        return 1.0

    ours, regions.factor = regions.factor, noted
    try:
        estimate = localizer.locate(scene)
    finally:
        regions.factor = ours
    if not estimate.sources or scene.truth is None:
        return None
    off = [(source.position_m - scene.truth.sources[0], source.covariance_m2) for source in estimate.sources]
    return seen[-1], float(np.log(min(e @ np.linalg.solve(c, e) for e, c in off) + 1e-9))


def fitted(measured: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Quantile regression as a linear programme: the smallest mean of SHARE * above + (1 - SHARE) * below."""
    x = np.concatenate([x for x, _ in measured])
    y = np.concatenate([y for _, y in measured]) - np.log(REGION_90)
    weight = np.concatenate([np.full(len(y), 1 / len(y) / len(measured)) for _, y in measured])
    n, d = x.shape
    small = np.full(d, RIDGE)
    small[0] = 0.0
    costs = np.concatenate([small, small, SHARE * weight, (1 - SHARE) * weight])
    equal = np.hstack([x, -x, np.eye(n), -np.eye(n)])
    solution = linprog(costs, A_eq=equal, b_eq=y, method="highs").x
    return solution[:d] - solution[d : 2 * d]


if __name__ == "__main__":
    main()
