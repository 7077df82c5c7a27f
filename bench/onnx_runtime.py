"""The trained network in onnxruntime beside PyTorch: places, errors, time, and how large an environment is.

    python bench/onnx_runtime.py [--windows 200] [--int8 FOLDER] [--environment FOLDER]

Windows of half a second of the simulated twin, each located by PyTorch, by the packaged graphs in float32, and by graphs in
int8 (FOLDER of `soundfix export --int8 --out FOLDER`, exported here where it is not there); `without numba` is float32 with
loops in numpy, as soundfix-onnx has them. Printed of each: the share of windows whose place is PyTorch's to 1 cm, the
furthest, the error against the truth, and the CPU time of a whole answer.
--environment makes a virtual environment there, installs soundfix-onnx into it, and says how large it is.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import soundfix
from soundfix import compiled
from soundfix.estimate import Localizer
from soundfix.networks.checkpoint import PACKAGED
from soundfix.networks.export import export
from soundfix.scene import Scene
from soundfix.simulation.soundbank import open_sounds
from soundfix.simulation.worlds import WORLDS, draw_world

ROOT = Path(__file__).parents[1]
WINDOW_S, SEED, NEAR_M = 0.5, 2711, 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--int8", type=Path)
    parser.add_argument("--environment", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.environment:
        print_sizes(options.environment)
    with tempfile.TemporaryDirectory() as made:
        int8 = options.int8 or Path(made)
        if not (int8 / "network.json").exists():
            export(PACKAGED, int8, precision="int8")
        compare(list(scenes(options.windows)), int8)


def scenes(count: int):
    """The windows."""
    sounds, world = open_sounds((), part="test"), replace(WORLDS["luvira-twin"], duration_s=WINDOW_S)
    for number in range(count):
        yield draw_world(world, sounds, np.random.default_rng([SEED, number]))


def compare(windows: list[Scene], int8: Path) -> None:
    runs = {
        "torch": soundfix.load("three-stream"),
        "onnxruntime": soundfix.load("three-stream", checkpoint=PACKAGED.parent),
        "onnxruntime int8": soundfix.load("three-stream", checkpoint=int8),
    }
    runs["without numba"] = runs["onnxruntime"]
    found = {}
    for name, localizer in runs.items():
        compiled.HAS_COMPILER = name != "without numba"  # as in soundfix-onnx
        localizer.locate(windows[0])
        found[name] = [located(localizer, scene) for scene in windows]
    truth = np.array([scene.truth.sources[0] for scene in windows])
    places = {name: np.array([place for place, _ in answers]) for name, answers in found.items()}
    times = {name: np.array([spent for _, spent in answers]) for name, answers in found.items()}
    print(f"{len(windows)} windows of {WINDOW_S} s; cm and ms")
    print(f"{'':18s} to 1 cm  furthest  median  mean   time  ratio")
    for name in runs:
        apart = np.linalg.norm(places[name] - places["torch"], axis=1)
        apart = np.where(np.isnan(places[name]).any(axis=1) & np.isnan(places["torch"]).any(axis=1), 0.0, apart)
        error = np.linalg.norm(places[name] - truth, axis=1)
        mean_s, ratio = times[name].mean(), times[name].mean() / times["torch"].mean()
        print(
            f"{name:18s} {np.mean(apart <= NEAR_M):6.1%}  {1e2 * np.nanmax(apart):8.2f}  {1e2 * np.nanmedian(error):6.2f}  "
            f"{1e2 * np.nanmean(error):5.2f}  {1e3 * mean_s:5.0f}  {ratio:.2f}"
        )


def located(localizer: Localizer, scene: Scene) -> tuple[np.ndarray, float]:
    """Where the source is (m), NaN where it is not said; and the CPU time (s)."""
    start = time.process_time()
    estimate = localizer.locate(scene)
    spent = time.process_time() - start
    return (estimate.sources[0].position_m if estimate.sources else np.full(3, np.nan)), spent


def print_sizes(folder: Path) -> None:
    """Of a fresh environment with soundfix-onnx, whole and package by package."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [folder / "bin/python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", ROOT / "slim"]
    subprocess.run(install, check=True)
    print(f"environment: {size_mb(folder):.0f} MB, with pip")
    for package in sorted((folder / "lib").glob("python*/site-packages/*"), key=size_mb, reverse=True)[:8]:
        print(f"  {package.name:24s} {size_mb(package):5.0f}")


def size_mb(path: Path) -> float:
    """On the disk, as du counts."""
    return int(subprocess.run(["du", "-sk", path], check=True, capture_output=True, text=True).stdout.split()[0]) / 1024


if __name__ == "__main__":
    main()
