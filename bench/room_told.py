"""What a room box is worth to the packaged network, and what a wrong one costs.

    python bench/room_told.py SET [--windows 100] [--microphones 6]

SET is simulated (soundfix simulate --shards), of rooms that were told. The same windows of 0.5 s with the room as it is,
without one, with walls off by 5 and by 20 cm (standard deviation of each), and with every wall 1 m further out.
"""

import argparse
from dataclasses import replace

import numpy as np
import torch

import soundfix
from soundfix.datasets.opening import open_dataset
from soundfix.datasets.windows import draw_window
from soundfix.estimate import Localizer
from soundfix.evaluation.metrics import NEAR_M, score
from soundfix.scene import Room, Scene

WINDOW_S = 0.5
OUTWARDS = np.array([[-1.0] * 3, [1.0] * 3])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set")
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--microphones", type=int, default=6)
    options = parser.parse_args()
    torch.set_num_threads(1)
    localizer, data = soundfix.load(), open_dataset(options.set)
    errors: dict[str, list[float]] = {}
    for number in range(options.windows):
        rng = np.random.default_rng([3, number])
        scene = draw_window(data[number % len(data)], round(WINDOW_S * 16_000), options.microphones, rng)
        for label, room in rooms(scene, rng).items():
            errors.setdefault(label, []).append(error_m(localizer, scene, room))
    print("| the room | MAE | under 30 cm |\n|---|---|---|")
    for label, found in errors.items():
        print(f"| {label} | {100 * np.mean(found):.1f} cm | {np.mean(np.array(found) < NEAR_M):.1%} |")


def rooms(scene: Scene, rng: np.random.Generator) -> dict[str, Room | None]:
    """What is told of it."""
    true = np.array(scene.room)
    off = {f"walls {100 * sigma_m:.0f} cm off": true + sigma_m * rng.standard_normal((2, 3)) for sigma_m in (0.05, 0.2)}
    boxes = off | {"1 m larger on all sides": true + OUTWARDS}
    return {"as it is": scene.room, "not told": None} | {label: as_room(box) for label, box in boxes.items()}


def as_room(box: np.ndarray) -> Room:
    low, high = box.tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def error_m(localizer: Localizer, scene: Scene, room: Room | None) -> float:
    estimate = localizer.locate(replace(scene, room=room))
    assert scene.truth is not None
    return score(estimate, scene.truth.sources, middle_m=scene.search_box().mean(axis=0)).error_m


if __name__ == "__main__":
    main()
