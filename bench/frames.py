"""Is the answer the same in any order of microphones, turned, moved, at any level and sample rate? Windows of the twin.

    python bench/frames.py [--windows 200] [--methods ...] [--changes order,turn,shift,gain,channels,rate]

Each window is located as it is and changed; nothing is told of walls. Prints a table: how many answers are further than 1 mm
and 2 cm from where they were, the furthest, and other verdicts (those of which only one has an answer among them). A method
that learned rooms along x and y is not turned.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

import soundfix
from soundfix.estimate import Estimate, Localizer
from soundfix.resample import resampled
from soundfix.scene import Scene
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import draw_world, world_named

RATES_HZ = (22_050, 24_000, 32_000, 44_100, 48_000)
ROOMS_ALONG_AXES = ("three-stream-paper", "wav2pos", "gnn", "di-nn")


class Changed(NamedTuple):
    """A scene, and where a place (m) of the one before is in it."""

    scene: Scene
    moved: Callable[[np.ndarray], np.ndarray] = lambda place: place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--methods", default="three-stream,srp-phat,srp-phat-ascm,multilateration,multilat")
    parser.add_argument("--changes", default=",".join(CHANGES))
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'method':18} {'change':10} {'answers':>8} {'> 1 mm':>7} {'> 2 cm':>7} {'furthest':>12} {'other verdict':>14}"
    )
    for method in given.methods.split(","):
        localizer, known = soundfix.load(method), {}
        for change in given.changes.split(","):
            if method in ROOMS_ALONG_AXES and change == "turn":
                continue
            told = [gap_m(localizer, change, number, known) for number in range(given.windows)]
            print(f"{method:18} {change:10} {row(told)}", flush=True)


def row(told: list[float | None]) -> str:
    gaps_m = np.array([each for each in told if each is not None and np.isfinite(each)])
    far = [int(np.sum(gaps_m > limit)) for limit in (1e-3, 2e-2)]
    furthest = f"{1e3 * gaps_m.max(initial=0.0):.2g} mm"
    return f"{len(gaps_m):8} {far[0]:7} {far[1]:7} {furthest:>12} {sum(each is None for each in told):14}"


def gap_m(localizer: Localizer, change: str, number: int, known: dict[int, Estimate]) -> float | None:
    """How far the answer is from where it was (m); NaN where both are silent, None where the verdict is another."""
    rng = np.random.default_rng([9, number])
    scene = window(rng)
    if number not in known:
        known[number] = localizer.locate(scene)
    changed = CHANGES[change](scene, rng)
    one, other = known[number], localizer.locate(changed.scene)
    if one.verdict != other.verdict:
        return None
    if not (one.sources and other.sources):
        return float("nan")
    return float(np.linalg.norm(changed.moved(one.sources[0].position_m) - other.sources[0].position_m))


def window(rng: np.random.Generator) -> Scene:
    """Half a second, and nothing known of walls."""
    world = replace(world_named("luvira-twin"), duration_s=0.5)
    return replace(draw_world(world, BuiltInSounds(), rng), room=None, truth=None)


def ordered(scene: Scene, rng: np.random.Generator) -> Changed:
    order = rng.permutation(len(scene.microphones))
    listed = scene.microphones
    moved = {name: getattr(listed, name)[order] for name in ("sigma_m", "offset_s", "drift_ppm", "clock_sigma_s")}
    names = tuple(listed.names[m] for m in order)
    microphones = replace(listed, positions=listed.border_positions()[order], names=names, **moved)
    return Changed(
        replace(scene, audio=scene.audio[order], microphones=microphones, is_trusted=scene.is_trusted[order])
    )


def turned(scene: Scene, rng: np.random.Generator) -> Changed:
    angle = rng.uniform(0, 2 * np.pi)
    axes = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return Changed(at(scene, scene.microphones.border_positions() @ axes.T), lambda place: axes @ place)


def shifted(scene: Scene, rng: np.random.Generator) -> Changed:
    by_m = np.array([*rng.uniform(-100, 100, 2), 0.0])
    return Changed(at(scene, scene.microphones.border_positions() + by_m), lambda place: place + by_m)


def at(scene: Scene, positions: np.ndarray) -> Scene:
    return replace(scene, microphones=replace(scene.microphones, positions=positions))


def louder(scene: Scene, rng: np.random.Generator) -> Changed:
    return Changed(replace(scene, audio=scene.audio * np.float32(10 ** rng.uniform(-2, 1))))


def channels(scene: Scene, rng: np.random.Generator) -> Changed:
    gains = 10 ** rng.uniform(-0.5, 0.5, (len(scene.audio), 1))
    return Changed(replace(scene, audio=scene.audio * gains.astype(np.float32)))


def at_rate(scene: Scene, rng: np.random.Generator) -> Changed:
    rate = int(rng.choice(RATES_HZ))
    return Changed(replace(scene, audio=resampled(scene.audio, scene.sample_rate, rate), sample_rate=rate))


CHANGES = {"order": ordered, "turn": turned, "shift": shifted, "gain": louder, "channels": channels, "rate": at_rate}

if __name__ == "__main__":
    main()
