"""Which recordings do not begin together? Speech and music in a studio's twin, all together, one apart, all apart.

python bench/starts.py [--recordings 24] [--seed 1000]
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from soundfix.scene import Scene
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world
from soundfix.survey.start_offsets import StartOffset, starts_of

SECONDS, MOST_S, WINDOW_S = 12.0, 2.0, 0.5
NEAR_S = 0.07
ONE = (0.2, 0.5, 2.0, -2.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1000)
    options = parser.parse_args()
    scenes = list(drawn(options.recordings, options.seed))
    print("| begin | apart | named rightly | missed | named wrongly |\n|---|---:|---:|---:|---:|")
    for name in ("together", "one apart", "all apart"):
        counts = np.sum([score(scene, lateness(name, k), k) for k, scene in enumerate(scenes)], axis=0)
        print(f"| {name} | {counts[0] + counts[1]} | {counts[0]} | {counts[1]} | {counts[2]} |")


def drawn(count: int, seed: int) -> Iterator[Scene]:
    """Every other one walks about."""
    for k in range(count):
        walks = {"share_moving": 1.0, "moving_m_s": (0.4, 1.0), "roams": True} if k % 2 == 0 else {}
        world = replace(LUVIRA_TWIN, duration_s=SECONDS, **walks)  # type: ignore[arg-type]
        yield draw_world(world, BuiltInSounds(), np.random.default_rng(seed + k))


def lateness(name: str, k: int) -> np.ndarray:
    rng, late_s = np.random.default_rng(k), np.zeros(len(LUVIRA_TWIN.positions_m or ()))
    if name == "one apart":
        late_s[2] = rng.choice(ONE)
    if name == "all apart":
        late_s = rng.uniform(-MOST_S, MOST_S, len(late_s))
    return late_s


def score(scene: Scene, late_s: np.ndarray, k: int) -> tuple[int, int, int]:
    """(named rightly, missed, named wrongly) of one recording."""
    names, found = scene.microphones.names, {start.microphone: start for start in apart(scene, late_s)}
    reference = names.index(next(iter(found.values())).reference) if found else int(np.argmin(np.abs(late_s)))
    wanted = dict(zip(names, late_s - late_s[reference], strict=True))
    right = sum(abs(start.late_s - wanted[name]) < NEAR_S and wanted[name] != 0 for name, start in found.items())
    missed = sum(name not in found for name, late in wanted.items() if abs(late) > 2 * NEAR_S)
    return right, missed, len(found) - right


def apart(scene: Scene, late_s: np.ndarray) -> tuple[StartOffset, ...]:
    """What is found where every channel begins that much later."""
    rate, starts = scene.sample_rate, starts_of(scene.microphones, scene.speed)
    firsts = [round((MOST_S - late) * rate) for late in late_s]
    length = scene.audio.shape[1] - round(2 * MOST_S * rate)
    audio = np.stack([channel[first : first + length] for channel, first in zip(scene.audio, firsts, strict=True)])
    for start in range(0, length, round(WINDOW_S * rate)):
        starts.hear(start / rate, audio[:, start : start + round(WINDOW_S * rate)], rate)
    return starts.apart()


if __name__ == "__main__":
    main()
