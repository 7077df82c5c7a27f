"""Do regions hold sources that move? Against where each was in the middle of the window, 0.5 s, 11, 7 and 5 microphones.

    python bench/moving.py --audio FOLDER [--part valid] [--scenes 60] [--worlds luvira-twin luvira-hard random-rooms]

One talker a scene, who stands or walks at one speed; three windows of each. Printed, for every world and speed: the answers;
the share of their regions that hold the place; the median error and the median radius; as if nobody moved -> as it is; by
how much the volume of regions grew (geometric mean), and how many answers say "moves".
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import soundfix
from soundfix.estimate import Localizer, Source
from soundfix.evaluation.metrics import is_inside
from soundfix.localization import pipeline
from soundfix.scene import Scene
from soundfix.simulation.soundbank import Sounds, open_sounds
from soundfix.simulation.worlds import WORLDS, draw_world

SPEEDS_M_S = (0.0, 0.1, 0.3, 1.0)
MICROPHONES = (11, 7, 5)
WINDOW_S = 0.5
PARTS = {"train": 0, "valid": 1, "test": 2}
ONE_TALKER = {"sources": (1, 1), "sound_shares": {"speech": 1.0}, "share_faulty": 0.0, "unknown_positions": (0, 0)}


class Result(NamedTuple):
    """One window: where the source was, what was said of it without and with motion, and whether "moves" was."""

    truth_m: np.ndarray
    before: tuple[Source, ...]
    after: tuple[Source, ...]
    is_said: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--part", default="valid", choices=tuple(PARTS))
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--worlds", nargs="+", default=["luvira-twin", "luvira-hard", "random-rooms"])
    parser.add_argument("--method", default="three-stream")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sounds, localizer = open_sounds([options.audio], part=options.part), soundfix.load(options.method)
    print(
        "| | answers | in their regions | median error, cm | median radius, cm | volume | moves |"
        + "\n"
        + "|---" * 7
        + "|"
    )
    for name in options.worlds:
        for speed_m_s in SPEEDS_M_S:
            drawn = (scene(name, speed_m_s, sounds, [PARTS[options.part], k]) for k in range(options.scenes))
            found = [result for k, each in enumerate(drawn) for result in results(each, k, localizer)]
            print(f"| {name}, {speed_m_s} m/s | {row(found)} |", flush=True)


def scene(name: str, speed_m_s: float, sounds: Sounds, seed: list[int]) -> Scene:
    rng = np.random.default_rng([*seed, list(WORLDS).index(name), round(100 * speed_m_s)])
    moving = {"share_moving": 1.0, "moving_m_s": (speed_m_s, speed_m_s)} if speed_m_s else {"share_moving": 0.0}
    return draw_world(replace(WORLDS[name], duration_s=3 * WINDOW_S, **ONE_TALKER, **moving), sounds, rng)


def results(scene: Scene, number: int, localizer: Localizer) -> list[Result]:
    """Of those windows that are answered."""
    rng, samples = np.random.default_rng(number), round(WINDOW_S * scene.sample_rate)
    found = []
    for turn in range(3):
        chosen = np.zeros(len(scene.microphones), dtype=bool)
        chosen[rng.permutation(len(chosen))[: MICROPHONES[(number + turn) % 3]]] = True
        window = scene.where(chosen).part(turn * samples, samples)
        found += one_result(window, localizer)
    return found


def one_result(window: Scene, localizer: Localizer) -> list[Result]:
    before: list[tuple[Source, ...]] = []
    ours = pipeline.followed

    def noted(told, sources):
        before.append(tuple(sources))
        return ours(told, sources)

    pipeline.followed = noted
    try:
        estimate = localizer.locate(window)
    finally:
        pipeline.followed = ours
    if not estimate.sources:
        return []
    assert window.truth is not None
    return [Result(window.truth.sources[0], before[-1], estimate.sources, "moves" in estimate.reasons)]


def row(found: list[Result]) -> str:
    """Numbers of one world and speed."""
    sides = [[each.before for each in found], [each.after for each in found]]
    truths = [each.truth_m for each in found]
    holds = [
        np.mean([any(is_inside(s, t) for s in said) for said, t in zip(side, truths, strict=True)]) for side in sides
    ]
    errors = [
        np.median([np.linalg.norm(said[0].position_m - t) for said, t in zip(side, truths, strict=True)])
        for side in sides
    ]
    radii = [np.median([said[0].radius90_m for said in side]) for side in sides]
    volumes = [np.array([np.linalg.slogdet(said[0].covariance_m2)[1] / 2 for said in side]) for side in sides]
    cells = [
        str(len(found)),
        " -> ".join(f"{100 * each:.1f}%" for each in holds),
        *(" -> ".join(f"{100 * each:.1f}" for each in pair) for pair in (errors, radii)),
        f"x {np.exp(np.mean(volumes[1] - volumes[0])):.2f}",
        f"{100 * np.mean([each.is_said for each in found]):.0f}%",
    ]
    return " | ".join(cells)


if __name__ == "__main__":
    main()
