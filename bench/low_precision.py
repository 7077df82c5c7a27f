"""Does the packaged network do with fewer bits? float32, bfloat16 and int8 weights on the CPU: time, and what is answered.

    python bench/low_precision.py [--windows 60] [--repeats 5]

Half seconds of the LuViRA twin with its faults and of its hard variant, 11 microphones, one thread. `network`: CPU
milliseconds of a forward pass of all pairs, the least of the repeats, mean over windows; the rest is of `locate`.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import nn

import soundfix
from soundfix.estimate import Estimate
from soundfix.methods import network_evidence
from soundfix.networks.model import Answers, Network
from soundfix.networks.model import all_pairs as pairs_of
from soundfix.scene import Scene
from soundfix.simulation.soundbank import open_sounds
from soundfix.simulation.worlds import LUVIRA_HARD, LUVIRA_TWIN, draw_world

SEED, CLOSE_M, SAME_M = 11, 0.10, 0.001


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    scenes = drawn(given.windows)
    print("| numbers | network, ms | error, median cm | within 10 cm | places moved > 1 mm | other verdicts |")
    print("|---|---:|---:|---:|---:|---:|")
    before: list[Estimate] = []
    for name, lower in KINDS.items():
        localizer = soundfix.load()
        lower(localizer.network)
        answers = [localizer.locate(scene) for scene in scenes]
        print(row(name, network_ms(localizer.network, scenes, given.repeats), answers, before or answers, scenes))
        before = before or answers


def drawn(count: int) -> list[Scene]:
    """Windows of half a second."""
    rng, sounds = np.random.default_rng(SEED), open_sounds((), part="test")
    worlds = [replace(world, duration_s=0.5) for world in (LUVIRA_TWIN, LUVIRA_HARD)]
    return [draw_world(worlds[k % 2], sounds, rng) for k in range(count)]


def as_it_is(network: Network) -> None:
    """float32."""


def in_bfloat16(network: Network) -> None:
    """Products in bfloat16, all else as autocast has it; what comes out is float32 again."""
    forward = network.forward

    def lowered(*given, **named) -> Answers:
        with torch.autocast("cpu", torch.bfloat16):
            return _as_float(forward(*given, **named))

    network.forward = lowered  # type: ignore[method-assign]


def in_int8(network: Network) -> None:
    """Weights of linear layers in 8 bits, what goes in quantized as it comes."""
    torch.ao.quantization.quantize_dynamic(network, {nn.Linear}, dtype=torch.qint8, inplace=True)


KINDS: dict[str, Callable[[Network], None]] = {"float32": as_it_is, "bfloat16": in_bfloat16, "int8": in_int8}


def _as_float(answers: Answers) -> Answers:
    for said in (answers, answers.likelihoods):
        for name, value in vars(said).items():
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                object.__setattr__(said, name, value.float())
    return answers


def network_ms(network: Network, scenes: list[Scene], repeats: int) -> float:
    """Of a forward pass, mean over a few windows of the least of all repeats."""
    return 1e3 * float(np.mean([min(_seconds(network, scene) for _ in range(repeats)) for scene in scenes[:12]]))


def _seconds(network: Network, scene: Scene) -> float:
    pairs = pairs_of(torch.zeros(1, *scene.audio.shape)).numpy()
    start = time.process_time()
    network_evidence.forward(network, scene.audio, scene, pairs)
    return time.process_time() - start


def row(name: str, ms: float, answers: list[Estimate], before: list[Estimate], scenes: list[Scene]) -> str:
    """One line of the table."""
    off_m = np.array([error_m(each, scene) for each, scene in zip(answers, scenes, strict=True)])
    moved = [distance_m(a, b) > SAME_M for a, b in zip(answers, before, strict=True)]
    other = [a.verdict != b.verdict for a, b in zip(answers, before, strict=True)]
    said = off_m[np.isfinite(off_m)]
    return (
        f"| {name} | {ms:.0f} | {100 * np.median(said):.1f} | {100 * np.mean(off_m < CLOSE_M):.0f} % | "
        f"{sum(moved)} of {len(moved)} | {sum(other)} |"
    )


def error_m(answer: Estimate, scene: Scene) -> float:
    """From the true place; inf where nothing is answered."""
    assert scene.truth is not None
    true_m = scene.truth.sources[0]
    return min((float(np.linalg.norm(each.position_m - true_m)) for each in answer.sources), default=np.inf)


def distance_m(answer: Estimate, other: Estimate) -> float:
    """Between the first places of two answers; 0 where both have none."""
    places = [[each.position_m for each in said.sources[:1]] for said in (answer, other)]
    if len(places[0]) != len(places[1]):
        return np.inf
    return float(np.linalg.norm(np.subtract(*places))) if places[0] else 0.0


if __name__ == "__main__":
    main()
