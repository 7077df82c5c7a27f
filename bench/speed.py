"""How long one 0.5 s window takes, against the same search as a plain loop over grid points, in the same run.

    python bench/speed.py

One thread (the network: two). The grid is kept from window to window, as in a recording; the first window, which builds
it, is timed apart.
"""

import time
from dataclasses import replace

import numpy as np
import torch

from soundfix import physics
from soundfix.localization.pairs import choose_pairs
from soundfix.methods.srp_phat import SrpPhat
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.testing import contract_scene

REPEATS = 15
LOOP_STEP_M = 0.25
THREADS, IN_TURN = 2, 15  # of the network, which is timed in turn with the loop


def main() -> None:
    torch.set_num_threads(1)
    localizer = SrpPhat()
    print("microphones   pairs   first window   one window   plain loop   ratio")
    for count in (4, 6, 8, 11, 16, 32, 64):
        scene = contract_scene(count)
        pairs, _ = choose_pairs(np.ones(count, dtype=bool))
        first = seconds(lambda scene=scene: localizer.locate(scene), repeats=1)
        one = seconds(lambda scene=scene: localizer.locate(scene))
        loop = seconds(lambda scene=scene: plain_loop(scene), repeats=1) if count <= 16 else np.nan
        print(
            f"{count:11d} {len(pairs):7d} {1e3 * first:11.1f} ms {1e3 * one:9.1f} ms {1e3 * loop:9.0f} ms {loop / one:7.1f}",
            flush=True,
        )
    flexible(localizer)
    network()


def flexible(localizer: SrpPhat) -> None:
    """The cost where no room is given, and where a microphone is wrong."""
    scene = contract_scene(11)
    nowhere = replace(scene, room=None)
    wrong = scene.microphones.positions.copy()
    wrong[3] += [0.6, 0.6, -0.5]
    moved = replace(scene, microphones=Microphones(positions=wrong))
    for label, variant in (("no room given", nowhere), ("one microphone moved", moved)):
        localizer.locate(variant)
        print(f"11 microphones, {label}: {1e3 * seconds(lambda v=variant: localizer.locate(v)):.1f} ms")


def network() -> None:
    """The network, and answers with it, in turn with the plain loop: a shared machine changes within seconds."""
    import soundfix
    import soundfix.training.info

    torch.set_num_threads(THREADS)
    scene, default = contract_scene(11), soundfix.training.info.named_network("default")
    localizer = soundfix.load("three-stream")
    localizer.locate(scene)
    loops, passes, answers = np.transpose(
        [
            (
                seconds(lambda: plain_loop(scene), repeats=1),
                soundfix.training.info.seconds_a_window(default),
                seconds(lambda: localizer.locate(scene), repeats=1),
            )
            for _ in range(IN_TURN)
        ]
    )
    print(f"11 microphones, {THREADS} threads, plain loop {1e3 * np.median(loops):.0f} ms")
    for label, times in (("forward pass of `default`", passes), ("whole answer of `three-stream`", answers)):
        print(
            f"{label}: {1e3 * np.median(times):.1f} ms, least {1e3 * times.min():.1f}, ratio {np.median(loops / times):.1f}"
        )


def plain_loop(scene: Scene) -> np.ndarray:
    """SRP-PHAT as one writes it first: correlate pair by pair, add up over a grid point by point, take the best."""
    n = 2 * scene.audio.shape[1]
    spectra = np.fft.rfft(scene.audio, n)
    pairs = physics.pair_indices(len(scene.microphones))
    low, high = scene.search_box()
    axes = [np.arange(a, b, LOOP_STEP_M) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    score = np.zeros(len(points))
    for i, j in pairs:
        cross = spectra[i] * np.conj(spectra[j])
        curve = np.fft.irfft(cross / (np.abs(cross) + 1e-12), 4 * n)
        difference = physics.range_differences(points, scene.microphones.positions, np.array([[i, j]]))[:, 0]
        score += curve[np.rint(difference / scene.speed * scene.sample_rate * 4).astype(int)]
    return points[score.argmax()]


def seconds(work, repeats: int = REPEATS) -> float:
    """Median time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


if __name__ == "__main__":
    main()
