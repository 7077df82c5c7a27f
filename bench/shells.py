"""Do the 90 % intervals of range_shell.py hold the distance of a microphone of unknown position from the source in 90 %?

    python bench/shells.py SET [--method three-stream] [--checkpoint FILE] [--windows 300]

SET is simulated (soundfix simulate --shards). One window of every clip for each length, 11 microphones heard, 2 to 4 of them
(in turn) of unknown position. Only windows that are answered count: an abstention says no distance.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import soundfix
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.opening import open_dataset
from soundfix.datasets.windows import draw_window
from soundfix.estimate import Localizer, Shell
from soundfix.evaluation.conditions import Condition, broken, hidden_positions
from soundfix.scene import Scene

WINDOWS_S = (0.128, 0.5)
HEARD, UNKNOWN = 11, (2, 3, 4)
HEAD = (
    "window (s)", "answered", "distances", "in the interval", "its width: median, 90 % below (cm)", "under 1 m",
    "error of the radius: median (cm)",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set")
    parser.add_argument("--method", default="three-stream")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--windows", type=int, default=300)
    options = parser.parse_args()
    torch.set_num_threads(1)
    files = {"checkpoint": options.checkpoint} if options.checkpoint else {}
    localizer, data = soundfix.load(options.method, **files), open_dataset(options.set)
    print(f"| {' | '.join(HEAD)} |")
    print("|---:" * len(HEAD) + "|")
    for window_s in WINDOWS_S:
        print(line(window_s, localizer, data, min(options.windows, len(data))), flush=True)


def line(window_s: float, localizer: Localizer, data: Dataset, windows: int) -> str:
    found = [of_window(localizer, window_of(data, k, window_s)) for k in range(windows)]
    answered = [each for each in found if each is not None]
    pairs = [pair for each in answered for pair in each]
    holds = np.array([shell.radius90_m[0] <= true_m <= shell.radius90_m[1] for shell, true_m in pairs])
    wide_m = np.array([shell.radius90_m[1] - shell.radius90_m[0] for shell, _ in pairs])
    off_m = np.array([abs(shell.radius_m - true_m) for shell, true_m in pairs])
    error = np.sqrt(
        holds.mean() * (1 - holds.mean()) / len(answered)
    )  # of windows: those of one are no independent draws
    return (
        f"| {window_s:g} | {len(answered)} of {windows} | {len(pairs)} | {holds.mean():.1%} ± {error:.1%} | "
        f"{100 * np.median(wide_m):.0f}, {100 * np.quantile(wide_m, 0.9):.0f} | {(wide_m < 1).mean():.0%} | "
        f"{100 * np.median(off_m):.1f} |"
    )


def window_of(data: Dataset, clip: int, window_s: float) -> Scene:
    scene, rng = data[clip], np.random.default_rng([23, clip])
    window = draw_window(scene, round(window_s * scene.sample_rate), HEARD, rng)
    unknown = UNKNOWN[clip % len(UNKNOWN)]
    return broken(window, Condition(window_s=window_s, microphones=HEARD, unknown=unknown), (23, clip))


def of_window(localizer: Localizer, scene: Scene) -> list[tuple[Shell, float]] | None:
    """The shell and the true distance of every unknown microphone that has one; None without an answer."""
    estimate, truth = localizer.locate(replace(scene, truth=None)), scene.truth
    if not estimate.sources or truth is None or truth.positions is None:
        return None
    true_m = np.linalg.norm(truth.positions - truth.sources[0], axis=1)
    return list(_shells(estimate.microphones, true_m, hidden_positions(scene)))


def _shells(reports: tuple, true_m: np.ndarray, is_hidden: np.ndarray) -> Iterator[tuple[Shell, float]]:
    for report, distance_m, hidden in zip(reports, true_m.tolist(), is_hidden, strict=True):
        if hidden and report.shell is not None:
            yield report.shell, distance_m


if __name__ == "__main__":
    main()
