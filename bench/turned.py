"""Does a turned and moved array answer at the turned and moved place? Windows of the studio's twin, each turned about z.

    python bench/turned.py [--windows 40] [--methods srp-phat,three-stream]

Prints a table: how many answers are further than 1 mm and 2 cm from where they were, the furthest, and other verdicts.
"""

import argparse
from dataclasses import replace

import numpy as np
import torch

import soundfix
from soundfix.estimate import Localizer
from soundfix.scene import Scene
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import draw_world, world_named

SHIFT_M = np.array([3.0, -7.0, 0.0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=40)
    parser.add_argument("--methods", default="srp-phat,three-stream")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("method          both answer   > 1 mm   > 2 cm   furthest (mm)   other verdict")
    for method in given.methods.split(","):
        told = [gap_m(soundfix.load(method), number) for number in range(given.windows)]
        gaps_m = np.array([each for each in told if each is not None and np.isfinite(each)])
        other = sum(each is None for each in told)
        far = [int(np.sum(gaps_m > limit)) for limit in (1e-3, 2e-2)]
        print(f"{method:15} {len(gaps_m):11} {far[0]:8} {far[1]:8} {1e3 * gaps_m.max(initial=0.0):15.1f} {other:15}")


def gap_m(localizer: Localizer, number: int) -> float | None:
    """How far the answer is from where it was (m); NaN where both are silent, None where the verdict is another."""
    rng = np.random.default_rng([9, number])
    scene = window(rng)
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    listed = replace(scene.microphones, positions=scene.microphones.positions @ turn.T + SHIFT_M)
    one, other = localizer.locate(scene), localizer.locate(replace(scene, microphones=listed))
    if one.verdict != other.verdict:
        return None
    if not (one.sources and other.sources):
        return float("nan")
    return float(np.linalg.norm(turn @ one.sources[0].position_m + SHIFT_M - other.sources[0].position_m))


def window(rng: np.random.Generator) -> Scene:
    """Half a second, and nothing known of walls."""
    world = replace(world_named("luvira-twin"), duration_s=0.5)
    return replace(draw_world(world, BuiltInSounds(), rng), room=None, truth=None)


if __name__ == "__main__":
    main()
