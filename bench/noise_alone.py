"""Who stays silent where nothing sounds? Silence, and noise that comes from no place.

    python bench/noise_alone.py [--methods three-stream,srp-phat] [--windows 40] [--out TABLE.md]

Arrays: 11, 7 and 5 microphones of the LuViRA studio, far apart, and random arrays of 4 to 16 in random rooms; windows of 0.5
and 0.128 s. Noise: white, pink and brown, independent at every microphone, or the same from everywhere.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import soundfix
from soundfix.estimate import Localizer
from soundfix.evaluation.conditions import spread
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.simulation import placement
from soundfix.simulation.diffuse import diffuse_noise
from soundfix.simulation.worlds import LUVIRA_TWIN

RATE, SPEED_M_S, SEED = 16_000.0, 343.0, 99
SLOPES = {"white": 0.0, "pink": 1.0, "brown": 2.0}  # minus the exponent of frequency, of the power
KINDS = ("silence", *SLOPES, "diffuse")
ARRAYS = ("11", "7", "5", "random")
WINDOWS_S = (0.5, 0.128)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="three-stream,srp-phat", help="NAME or NAME=CHECKPOINT, with commas")
    parser.add_argument("--windows", type=int, default=40, help="of every kind, array and length")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    methods = {text: loaded(text) for text in options.methods.split(",")}
    lines = [f"| windows without an answer | {' | '.join(methods)} |", "|---|" + "---:|" * len(methods)]
    for kind in KINDS:
        counts = [silent(method, kind, options.windows) for method in methods.values()]
        lines.append(f"| {kind} | " + " | ".join(f"{count} of {of}" for count, of in counts) + " |")
        print(lines[-1], file=sys.stderr, flush=True)
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


def loaded(text: str) -> Localizer:
    name, _, checkpoint = text.partition("=")
    return soundfix.load(name, **({"checkpoint": checkpoint} if checkpoint else {}))


def silent(method: Localizer, kind: str, windows: int) -> tuple[int, int]:
    """How many windows of this kind got no answer, of how many."""
    verdicts = [method.locate(scene).verdict for scene in scenes(kind, windows)]
    return verdicts.count("abstain"), len(verdicts)


def scenes(kind: str, windows: int) -> Iterator[Scene]:
    for number, array in enumerate(ARRAYS):
        for window_s in WINDOWS_S:
            for k in range(windows):
                rng = np.random.default_rng([SEED, KINDS.index(kind), number, round(window_s * RATE), k])
                yield scene_of(kind, array, round(window_s * RATE), rng)


def scene_of(kind: str, array: str, samples: int, rng: np.random.Generator) -> Scene:
    size_m = np.array(LUVIRA_TWIN.size_m if array != "random" else placement.random_size(rng))
    positions = studio(int(array)) if array != "random" else anywhere(size_m, rng)
    origin_m = np.array(LUVIRA_TWIN.origin_m if array != "random" else (0.0, 0.0, 0.0))
    return Scene(
        audio=sound(kind, positions, samples, rng),
        sample_rate=RATE,
        microphones=Microphones(positions=positions),
        room=(tuple(origin_m.tolist()), tuple((origin_m + size_m).tolist())),
        speed_of_sound_m_s=SPEED_M_S,
    )


def studio(count: int) -> np.ndarray:
    positions = np.array(LUVIRA_TWIN.positions_m)
    whole = Scene(
        audio=np.zeros((len(positions), 8000)), sample_rate=RATE, microphones=Microphones(positions=positions)
    )
    return positions[spread(whole, np.random.default_rng(0))[:count]]


def anywhere(size_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return placement.random_microphones(size_m, int(rng.integers(4, 17)), rng)


def sound(kind: str, positions: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    shape = (len(positions), samples)
    if kind == "silence":
        return np.zeros(shape, dtype=np.float32)
    if kind == "diffuse":
        return 0.05 * diffuse_noise(positions, samples, speed_m_s=SPEED_M_S, sample_rate=RATE, rng=rng)
    frequency_hz = np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 20.0)
    spectrum = np.fft.rfft(rng.standard_normal(shape)) * frequency_hz ** (-SLOPES[kind] / 2)
    made = np.fft.irfft(spectrum, samples)
    return (0.05 * made / made.std()).astype(np.float32)


if __name__ == "__main__":
    main()
