"""How long an answer takes, beside a plain grid search in the same run: CPU time of one thread, the least of five.

    python bench/speed.py [--quick]

The plain loop is SRP-PHAT in 3-D as one writes it first with numpy: 44,838 points 15 cm apart on curves as broad as that,
the best five refined to a centimetre. Windows are those of a recording, one after the other, as `locate` has them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch

import soundfix
from soundfix import physics
from soundfix.files.microphones import write_microphones
from soundfix.scene import Scene
from soundfix.session.session import Session
from soundfix.simulation.outdoors import RATE_HZ, Wood, draw_singer, record
from soundfix.simulation.soundbank import open_sounds
from soundfix.simulation.synthesis import birds
from soundfix.simulation.worlds import LUVIRA_TWIN, World, draw_world
from soundfix.testing import contract_scene

LOW, HIGH = np.array([0.1, 0.1, 0.1]), np.array([7.1, 7.9, 2.3])  # 44,838 points in the studio
STEP_M, REFINED_M, UP, BAND_HZ = 0.15, (0.05, 0.02, 0.01), 4, (200.0, 7000.0)
METHODS = ("three-stream", "srp-phat")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the least of two")
    times = 2 if parser.parse_args().quick else 5
    torch.set_num_threads(1)
    studio = drawn(replace(LUVIRA_TWIN, duration_s=12.0), 5)
    few, many = (contract_scene(count, seconds=2.0) for count in (11, 64))
    loop = float(np.mean([least(lambda w=w: plain_loop(w), times) for w in parts(studio, 0.5, 0.5)[:3]]))
    print(f"plain loop: {1e3 * loop:.0f} ms a window of 0.5 s, 11 microphones")
    print("\n| what | three-stream | srp-phat |\n|---|---|---|", flush=True)
    told("a window in a recording, ms", lambda m: 1e3 * window_s(m, studio, times))
    told("the same in plain loops", lambda m: window_s(m, studio, times) / loop, "{:.2f}")
    told("64 microphones, times as long", lambda m: window_s(m, many, times) / window_s(m, few, times), "{:.1f}")
    for count in (9, 16):
        told(f"{count} recorders, 3 s, s", lambda m, n=count: window_s(m, wood(n), times, window=3.0), "{:.2f}")
    told("hop of 0.1 s: CPU seconds a second", lambda m: window_s(m, studio, 2, window=0.5, hop=0.1) / 0.1, "{:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        written(part(studio, 2.0, 0), Path(folder) / "clip.wav")
        written(repeated(studio, 60.0), Path(folder) / "minute.wav")
        told("first answer of a 2 s clip, CPU s", lambda m: command(m, Path(folder) / "clip.wav", times)[0], "{:.2f}")
        minute = {method: command(method, Path(folder) / "minute.wav", 1) for method in METHODS}
        told("a minute by the command, CPU s", lambda m: minute[m][0], "{:.1f}")
        told("its memory at most, MiB", lambda m: minute[m][1])
    peers(part(studio, 0.5, 0), loop, times)


def told(what: str, measure: Callable[[str], float], form: str = "{:.0f}") -> None:
    """A row of the table."""
    print(f"| {what} | " + " | ".join(form.format(measure(method)) for method in METHODS) + " |", flush=True)


def window_s(method: str, scene: Scene, times: int, *, window: float = 0.5, hop: float | None = None) -> float:
    """Mean CPU seconds of the windows of a recording, each the least of so many sessions; one before warms up."""
    localizer, runs = soundfix.load(method), []
    for _ in range(times + 1):
        session = Session(localizer=localizer, microphones=scene.microphones, room=scene.room)
        runs.append([timed(lambda s=session, w=w: heard(s, w)) for w in parts(scene, window, hop or window)])
    return float(np.min(runs[1:], axis=0).mean())


def heard(session: Session, window: Scene) -> None:
    session.hear(window.start_s, np.array(window.audio), window.sample_rate)


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def least(work: Callable[[], object], times: int) -> float:
    return min(timed(work) for _ in range(times))


def parts(scene: Scene, window_s: float, hop_s: float) -> list[Scene]:
    """Two dozen windows at most."""
    count = int((scene.duration_s - window_s) / hop_s + 1e-9) + 1
    return [part(scene, window_s, k * hop_s / window_s) for k in range(min(count, 24))]


def part(scene: Scene, seconds: float, number: float) -> Scene:
    length = round(seconds * scene.sample_rate)
    return scene.part(round(number * length), length)


def drawn(world: World, seed: int) -> Scene:
    return draw_world(world, open_sounds((), part="test"), np.random.default_rng(seed))


def wood(count: int) -> Scene:
    """Two songs of 3 s among recorders on a grid: 9 over 80 m, 16 over 120 m; a quarter of the windows is silent."""
    rng, side = np.random.default_rng(5), round(count**0.5)
    grid = 40.0 * np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    places = np.column_stack([grid + rng.uniform(-2, 2, grid.shape), rng.uniform(1.2, 2.0, count)])
    song = birds(1.2, sample_rate=RATE_HZ, rng=rng)
    return record(Wood(), song, places, draw_singer(places, Wood(), rng), rng, duration_s=3.0)


def repeated(scene: Scene, seconds: float) -> Scene:
    copies = round(seconds / scene.duration_s)
    return replace(scene, audio=np.tile(scene.audio, (1, copies)))


def written(scene: Scene, path: Path) -> None:
    soundfile.write(path, np.array(scene.audio).T, int(scene.sample_rate), subtype="FLOAT")
    write_microphones(path.with_suffix(".csv"), replace(scene.microphones, files=None))


MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""  # by a small process: what is started by a large one counts as large


def command(method: str, path: Path, times: int) -> tuple[float, float]:
    """CPU seconds (the least) of `soundfix locate`, and its largest memory (MiB)."""
    words = [sys.executable, "-m", "soundfix", "locate", path, "-m", path.with_suffix(".csv"), "--method", method]
    alone = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    told = [subprocess.check_output([sys.executable, "-c", MEASURED, *words], env=alone) for _ in range(times)]
    seconds, memory = np.array([each.split() for each in told], dtype=float).T
    return float(seconds.min()), float(memory.max())


def plain_loop(scene: Scene) -> np.ndarray:
    """Correlate every pair, add up over a grid, refine the best places."""
    curves, pairs, middle = correlated(np.array(scene.audio, dtype=float), scene.sample_rate)
    width = 2 * int(0.6 * STEP_M * scene.sample_rate * UP / scene.speed) + 1
    kernel = np.hanning(width) / np.hanning(width).sum()
    broad = np.array([np.convolve(np.maximum(curve, 0), kernel, "same") for curve in curves])

    def score(of: np.ndarray, points: np.ndarray) -> np.ndarray:
        lags = (
            np.linalg.norm(points[:, None] - scene.microphones.positions, axis=2) * scene.sample_rate * UP / scene.speed
        )
        index = np.rint(lags[:, pairs[:, 0]] - lags[:, pairs[:, 1]]).astype(np.int64) + middle
        return of[np.arange(len(pairs)), np.clip(index, 0, 2 * middle)].sum(axis=1)

    coarse = points_between(LOW, HIGH, STEP_M)
    best, highest = coarse[0], -np.inf
    for place in coarse[np.argsort(-score(broad, coarse))[:30:6]]:
        for step in REFINED_M:
            near = points_between(place - 3 * step, place + 3 * step, step)
            values = score(np.maximum(curves, 0), near)
            place = near[values.argmax()]
        if values.max() > highest:
            best, highest = place, values.max()
    return best


def correlated(audio: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray, int]:
    """GCC-PHAT of all pairs in a band, at UP lags a sample, and where lag 0 is."""
    length, pairs, reach = 2 * audio.shape[1], physics.pair_indices(len(audio)), int(0.022 * rate * UP)
    spectra, frequency = np.fft.rfft(audio, length), np.fft.rfftfreq(length, 1 / rate)
    cross = spectra[pairs[:, 0]] * np.conj(spectra[pairs[:, 1]])
    cross /= np.abs(cross) + 1e-9
    cross[:, (frequency < BAND_HZ[0]) | (frequency > BAND_HZ[1])] = 0
    curves = np.fft.irfft(cross, length * UP)
    return np.concatenate([curves[:, -reach:], curves[:, : reach + 1]], axis=1), pairs, reach


def points_between(low: np.ndarray, high: np.ndarray, step: float) -> np.ndarray:
    axes = [np.arange(a, b + 1e-9, step) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def peers(scene: Scene, loop: float, times: int) -> None:
    """What else is installed, on the same window."""
    try:
        import pyroomacoustics as pra
    except ImportError:
        return
    audio, stand = np.array(scene.audio, dtype=float), scene.microphones.positions.T
    spectra = np.array([pra.transform.stft.analysis(x, 512, 256).T for x in audio])
    for name in ("SRP", "MUSIC"):
        method = pra.doa.algorithms[name](stand, int(scene.sample_rate), 512, c=scene.speed, dim=3, n_grid=1000)
        seconds = least(lambda m=method: m.locate_sources(spectra, freq_range=[300, 3500]), times)
        print(f"\npyroomacoustics {name}, 1000 directions: {1e3 * seconds:.0f} ms, {seconds / loop:.2f} loops")


if __name__ == "__main__":
    main()
