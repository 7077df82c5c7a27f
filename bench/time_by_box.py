"""Where the time of one window goes: CPU milliseconds by box, with the packaged network.

    python bench/time_by_box.py [--windows 12] [--repeats 5] [--method three-stream]

Half seconds of the LuViRA twin, 11 microphones at 16 kHz, in one thread. What a box calls counts as its own, so indented
rows are parts of the one above. The least of all repeats is taken, window by window: a shared machine is never quicker than
itself. The profiler adds a tenth; the first line is without it.
"""

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

import soundfix
from soundfix.localization import (
    consensus,
    microphone_status,
    modes,
    motion,
    multi_source,
    pipeline,
    preparation,
    search,
)
from soundfix.methods import network_evidence, placing, polarity, reranking
from soundfix.networks.likelihood import LagNetwork, LikelihoodHead, TimeFrequencyMask
from soundfix.networks.model import Network
from soundfix.networks.reranker import Reranker
from soundfix.scene import Scene
from soundfix.simulation.soundbank import open_sounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world

WINDOW_S, SEED = 0.5, 7
BOXES: tuple[tuple[str, Callable], ...] = (
    ("health, pairs", preparation.prepare),
    ("hear", network_evidence.run),
    ("  network", network_evidence.forward),
    ("    acoustic encoder", Network.listen),
    ("    likelihood head", LikelihoodHead.forward),
    ("      mask", TimeFrequencyMask.forward),
    ("      lag network", LagNetwork.forward),
    ("  polarity", polarity.reversed_polarity),
    ("agree: search and consensus", search.agree_somewhere),
    ("  profiles (polarity's too)", consensus.profiles_at),
    ("place", placing.place_network_sources),
    ("  further sources", multi_source.further_sources),
    ("  other opinions", placing.opinions),
    ("motion", pipeline.follow),
    ("  pieces", motion.split_window),
    ("  ways", motion.best_ways),
    ("reports", microphone_status.report_microphones),
    ("all searches", modes.find_modes),
    ("  polish of what they find", modes.polish),
    ("all reranking", reranking.reranked),
    ("  the reranker itself", Reranker.forward),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--method", default="three-stream")
    options = parser.parse_args()
    torch.set_num_threads(1)
    localizer = soundfix.load(options.method)
    scenes = [scene(k) for k in range(options.windows)]
    whole = np.min([[spent(lambda s=s: localizer.locate(s)) for s in scenes] for _ in range(options.repeats)], axis=0)
    print(f"| {options.method}, CPU ms a window | {1e3 * whole.mean():.1f} |\n|---|---:|")
    times = np.min([[boxes(localizer, s) for s in scenes] for _ in range(options.repeats)], axis=0).mean(axis=0)
    for (label, _), seconds in zip(BOXES, times, strict=True):
        print(f"| {label.replace('  ', '&nbsp;&nbsp;')} | {1e3 * seconds:.1f} |")


def scene(k: int) -> Scene:
    world, sounds = replace(LUVIRA_TWIN, duration_s=WINDOW_S), open_sounds((), part="test")
    return draw_world(world, sounds, np.random.default_rng([SEED, k]))


def spent(work: Callable) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def boxes(localizer: soundfix.Localizer, scene: Scene) -> list[float]:
    """CPU seconds in every box, what it calls included."""
    profile = cProfile.Profile(time.thread_time, builtins=False)
    profile.runcall(localizer.locate, scene)
    found = pstats.Stats(profile).stats
    codes = [function.__code__ for _, function in BOXES]
    keys = [(code.co_filename, code.co_firstlineno, code.co_name) for code in codes]
    return [found[key][3] if key in found else 0.0 for key in keys]


if __name__ == "__main__":
    main()
