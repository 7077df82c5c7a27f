"""How well a method does in the LuViRA studio's twin: clean, and with 1 to 3 of 11 microphones broken.

    python bench/luvira_twin.py [--audio FOLDER] [--recordings 200] [--method srp-phat] [--seed 1000]

Recordings of 5 s of the test speakers, ten windows of 0.5 s each; T60 0.2/0.4/0.6/0.8 s, SNR 5/15/30 dB, source anywhere
0.5 m from the walls and 0.5-2.0 m high. Broken: dead, late by 1-15 ms, or moved by 1 m. Prints errors (MAE is the mean
Euclidean distance), how often exactly the right microphones are named and how many of them, false alarms, and the share
of windows whose 90 % region holds the truth; for every window alone, and for recordings (windows in turn).
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

import soundfix
from soundfix.estimate import Estimate
from soundfix.evaluation.metrics import is_inside
from soundfix.scene import Scene
from soundfix.session.session import Session
from soundfix.simulation.faults import Fault, break_scene
from soundfix.simulation.soundbank import Sounds, open_sounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world

RECORDING_S, WINDOW_S = 5.0, 0.5
RT60S_S, SNRS_DB = (0.2, 0.4, 0.6, 0.8), (5.0, 15.0, 30.0)
KINDS = ("dead", "late", "moved")
NAMED = ("dead", "late", "misplaced", "noisy", "excluded", "duplicate")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, help="folder of dry recordings; without it built-in voices")
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--method", default="srp-phat")
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    jobs = [(options.method, options.audio, options.seed + k) for k in range(options.recordings)]
    with get_context("spawn").Pool(options.processes, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        rows = [row for rows in pool.imap(run, jobs, chunksize=4) for row in rows]
    report(np.array(rows, dtype=ROW))


ROW = np.dtype(
    [
        *[("mode", "U9"), ("verdict", "U10"), ("answered", bool), ("inside", bool), ("exact", bool)],
        *[(name, int) for name in ("faults", "hits", "alarms")],
        *[(name, float) for name in ("rt60", "snr", "error", "nearest")],
    ]
)


def run(job: tuple[str, Path | None, int]) -> list[tuple]:
    """Rows of one recording, clean and broken."""
    method, audio, seed = job
    rng = np.random.default_rng(seed)
    rt60_s, snr_db = rng.choice(RT60S_S), rng.choice(SNRS_DB)
    world = replace(LUVIRA_TWIN, rt60_s=(rt60_s, rt60_s), snr_db=(snr_db, snr_db), duration_s=RECORDING_S)
    clean = draw_world(world, sounds(audio), rng)
    count = int(rng.integers(1, 4))
    mics = rng.choice(len(clean.microphones), count, replace=False) + 1
    broken = break_scene(clean, [Fault(str(rng.choice(KINDS)), str(m)) for m in mics], rng)
    localizer = soundfix.load(method)
    rows: list[tuple] = []
    for scene in (clean, broken):
        alone = [localizer.locate(window) for window in windows(scene)]
        session = Session(
            localizer=localizer, microphones=scene.microphones, room=scene.room, speed_of_sound_m_s=scene.speed
        )
        in_turn = [session.hear(w.start_s, w.audio, w.sample_rate) for w in windows(scene)]
        rows += [row(scene, e, named(e.microphones), "window") for e in alone]
        rows += [row(scene, e, named(session.summary()), "recording") for e in in_turn]
    return rows


@cache
def sounds(audio: Path | None) -> Sounds:
    return open_sounds([audio], part="test") if audio else open_sounds([])


def windows(scene: Scene) -> Iterable[Scene]:
    length = round(WINDOW_S * scene.sample_rate)
    for start in range(0, scene.audio.shape[1] - length + 1, length):
        yield replace(scene, audio=scene.audio[:, start : start + length], start_s=start / scene.sample_rate)


def named(reports: Iterable) -> set[str]:
    return {report.name for report in reports if report.status in NAMED}


def row(scene: Scene, estimate: Estimate, accused: set[str], mode: str) -> tuple:
    guilty = {fault.split(":")[1] for fault in scene.truth.faults}
    errors = [float(np.linalg.norm(s.position_m - scene.truth.sources[0])) for s in estimate.sources]
    inside = bool(errors) and is_inside(estimate.sources[0], scene.truth.sources[0])
    named_or_not = (len(guilty), len(accused & guilty), len(accused - guilty))
    numbers = (scene.truth.rt60_s, scene.truth.snr_db, errors[0] if errors else np.nan, min(errors, default=np.nan))
    return (mode, estimate.verdict, bool(errors), inside, accused == guilty, *named_or_not, *numbers)


def report(rows: np.ndarray) -> None:
    for mode in ("window", "recording"):
        print(f"\n{'each window alone' if mode == 'window' else 'windows of a recording in turn'}")
        clean = rows[(rows["faults"] == 0) & (rows["mode"] == mode)]
        faulty = rows[(rows["faults"] > 0) & (rows["mode"] == mode)]
        line("clean", clean)
        for rt60 in RT60S_S:
            line(f"  T60 {rt60} s", clean[is_about(clean["rt60"], rt60)])
        line("1-3 broken", faulty)
        for rt60 in RT60S_S:
            line(f"  T60 {rt60} s", faulty[is_about(faulty["rt60"], rt60)])
        ratio = median(faulty) / median(clean)
        print(f"median broken / clean {ratio:.2f}; false alarms on clean {100 * np.mean(clean['alarms'] > 0):.1f} %")


def is_about(measured_s: np.ndarray, rt60_s: float) -> np.ndarray:
    """Which scenes were made for this T60: the measured one differs a little."""
    return np.abs(measured_s[:, None] - RT60S_S).argmin(axis=1) == RT60S_S.index(rt60_s)


def line(label: str, rows: np.ndarray) -> None:
    if not len(rows):
        return
    error = np.where(rows["answered"], rows["error"], np.inf)
    answered, sure = rows[rows["answered"]], rows[np.isin(rows["verdict"], ["ok", "degraded"])]
    columns = [
        f"{label:14s} {len(rows):5d}  MAE {100 * answered['error'].mean():5.1f} cm  median {100 * np.median(error):5.2f} cm",
        f"<30cm {share(error < 0.3)}  no answer {share(~rows['answered'])}",
        f"ambiguous {share(rows['verdict'] == 'ambiguous')}",
        f"| unambiguous: <30cm {share(sure['error'] < 0.3)}  in region {share(sure['inside'])}",
    ]
    if rows["faults"].sum():
        columns.append(
            f"| named {100 * rows['hits'].sum() / rows['faults'].sum():.1f} %, all exactly {share(rows['exact'])}"
        )
    print("  ".join(columns), flush=True)


def median(rows: np.ndarray) -> float:
    """Median error; no answer counts as infinitely far."""
    return float(np.median(np.where(rows["answered"], rows["error"], np.inf)))


def share(flags: np.ndarray) -> str:
    return f"{100 * np.mean(flags):5.1f} %"


if __name__ == "__main__":
    main()
