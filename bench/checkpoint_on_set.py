"""A checkpoint against SRP-PHAT on the same windows of a data set: the place where the evidence of each is highest.

    python bench/checkpoint_on_set.py CHECKPOINT SET [--windows 400] [--out TABLE.md]

Neither verdicts nor consensus: every window counts, however doubtful. Windows and microphones are drawn by seed.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from soundfix.datasets.opening import open_dataset
from soundfix.networks import checkpoint
from soundfix.training.recipes import default
from soundfix.training.validation import NEAR_M, Validation

CONDITIONS = [(11, 0.5), (7, 0.5), (5, 0.5), (11, 0.128), (7, 0.128)]  # microphones, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("set")
    parser.add_argument("--windows", type=int, default=400)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, data = checkpoint.load(options.checkpoint), open_dataset(options.set)
    lines = [
        f"{options.windows} windows a row: mean error (standard error), median, share under 30 cm.",
        "",
        "| microphones | window (s) | SRP-PHAT | | | this network | | |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for microphones, window_s in CONDITIONS:
        stage = replace(default().localization, microphones=(microphones, microphones), windows_s=(window_s,))
        validation = Validation([data], stage, windows=options.windows, seed=1)
        lines.append(row(microphones, window_s, validation.errors(network)))
        print(lines[-1], file=sys.stderr, flush=True)
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


def row(microphones: int, window_s: float, errors_m: dict[str, np.ndarray]) -> str:
    return f"| {microphones} | {window_s} | {cells(errors_m['srp-phat'])} | {cells(errors_m['network'])} |"


def cells(errors_m: np.ndarray) -> str:
    mean_cm, error_cm = 100 * errors_m.mean(), 100 * errors_m.std(ddof=1) / len(errors_m) ** 0.5
    share = 100 * np.mean(errors_m < NEAR_M)
    return f"{mean_cm:.1f} ({error_cm:.1f}) cm | {100 * np.median(errors_m):.2f} cm | {share:.1f} %"


if __name__ == "__main__":
    main()
