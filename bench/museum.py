"""Is `soundfix calibrate` right, or doubtful? A talker roams a museum; its list was taped by hand, two cables are exchanged.

    python bench/museum.py [--audio FOLDER] [--seeds 0 20] [--rt60 0.3 0.6] [--tape 0.04 0.16] [--exchanged 2]

A hall of 9 x 8 x 3.5 m, 60 s, SNR 20-25 dB, 6 to 12 microphones; every listed position is off by --tape metres in some
direction, and the channels of --exchanged microphones go round. Told: the list, with no word of its errors; of every other
seed the room. Errors of positions are taken in the frame of the list, and after the best turn and shift onto the truth:
what moves all microphones alike nothing can be heard of, and six unknowns of it stay from errors of the list.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from calibration import heard, sounds
from soundfix.calibration.calibrate import calibrate
from soundfix.calibration.findings import Calibration
from soundfix.calibration.observations import Observations
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.simulation.worlds import World, draw_world

MUSEUM = World(
    size_m=(9.0, 8.0, 3.5),
    microphones=(6, 12),
    duration_s=60.0,
    share_moving=1.0,
    moving_m_s=(0.4, 1.0),
    roams=True,
    snr_db=(20.0, 25.0),
)
FAR_M, SPEED_SHARE = 0.15, 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, help="folder of dry recordings; without it built-in voices")
    parser.add_argument("--part", default="test", help="of the speakers: train, valid or test")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 20), help="the first, and the one after the last")
    parser.add_argument("--rt60", type=float, nargs="+", default=(0.3, 0.6))
    parser.add_argument("--tape", type=float, nargs=2, default=(0.04, 0.16), help="metres that a position is off")
    parser.add_argument("--exchanged", type=int, default=2, help="microphones whose channels go round")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for seed in range(*options.seeds):
        for rt60_s in options.rt60:
            scene, truth = recording(options, seed, rt60_s)
            started = process_time()
            result = calibrated(heard(scene), scene, seed)
            took_s = process_time() - started
            rows.append({"seed": seed, "rt60_s": rt60_s, "took_s": round(took_s)} | judged(result, scene, truth))
            print(rows[-1], flush=True)
    print("\n".join(report(rows)))


def recording(options: argparse.Namespace, seed: int, rt60_s: float) -> tuple[Scene, np.ndarray]:
    """What is told and heard, and the true place of every channel's microphone (M, 3)."""
    rng = np.random.default_rng([seed, round(1000 * rt60_s)])
    kinds = {"speech": 1.0} if options.audio else {"voice": 1.0}
    world = replace(MUSEUM, rt60_s=(rt60_s, rt60_s), sound_shares=kinds)
    scene = draw_world(world, sounds(options.audio, options.part), rng)
    places = scene.microphones.positions
    way = rng.standard_normal(places.shape)
    off_m = rng.uniform(*options.tape, len(places))[:, None] * way / np.linalg.norm(way, axis=1, keepdims=True)
    order = np.arange(len(places))
    ring = rng.permutation(len(places))[: options.exchanged]
    order[ring] = np.roll(order[ring], 1)
    listed = Microphones(positions=places + off_m)
    return replace(scene, audio=scene.audio[order], microphones=listed), places[order]


def calibrated(hearing: Observations, scene: Scene, seed: int) -> Calibration:
    return calibrate(hearing, scene.microphones, room=scene.room if seed % 2 else None)


def judged(result: Calibration, scene: Scene, truth: np.ndarray) -> dict[str, Any]:
    """Of one recording: errors in metres, and what was said."""
    found = result.microphones.border_positions()
    off_m = np.linalg.norm(found - truth, axis=1)
    aligned_m = np.linalg.norm(aligned(found, truth) - truth, axis=1)
    listed_off_m = np.linalg.norm(scene.microphones.positions - truth, axis=1)
    is_exchanged = np.array([np.linalg.norm(truth - row, axis=1).argmin() for row in scene.microphones.positions])
    other = is_exchanged != np.arange(len(truth))
    told = np.array([repair.finding for repair in result.repairs])
    assert scene.truth is not None
    return {
        "exchanged_told": bool(np.array_equal(told == "swapped", other)),
        "off_m": off_m.round(3).tolist(),
        "aligned_m": aligned_m.round(3).tolist(),
        "listed_off_m": listed_off_m.round(3).tolist(),
        "told": told.tolist(),
        "exchanged": np.flatnonzero(other).tolist(),
        "speed_m_s": round(result.speed_m_s, 1),
        "true_speed_m_s": scene.truth.speed_of_sound_m_s or scene.speed,
        "is_doubtful": result.is_doubtful,
        "doubts": result.doubts,
        "sigma_m": result.microphones.sigma_m.round(3).tolist(),
    }


def aligned(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Turned and shifted onto the truth, not mirrored (Kabsch, 1976)."""
    centre, there = found.mean(axis=0), truth.mean(axis=0)
    left, _, right = np.linalg.svd((found - centre).T @ (truth - there))
    left[:, -1] *= np.sign(np.linalg.det(left @ right))
    return (found - centre) @ left @ right + there


def report(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown: a line a T60, and all."""
    lines = [
        "| T60 (s) | recordings | exchanged found | doubtful | off: median, 90 % (cm) | aligned: median, 90 % (cm) "
        "| `good` beyond 15 cm, aligned | of the list, aligned | speed within 1 % or doubtful | time (CPU s) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for rt60_s in [*sorted({row["rt60_s"] for row in rows}), None]:
        lines.append(_line(rt60_s, [row for row in rows if rt60_s in (None, row["rt60_s"])]))
    return lines


def _line(rt60_s: float | None, rows: Sequence[dict[str, Any]]) -> str:
    off, near = (100 * np.concatenate([row[name] for row in rows]) for name in ("off_m", "aligned_m"))
    listed = np.concatenate([row["listed_off_m"] for row in rows])
    good = np.concatenate([np.array(row["told"]) == "good" for row in rows])
    speeds = [abs(row["speed_m_s"] / row["true_speed_m_s"] - 1) < SPEED_SHARE or row["is_doubtful"] for row in rows]
    return (
        f"| {rt60_s or 'all'} | {len(rows)} | {np.sum([row['exchanged_told'] for row in rows])} "
        f"| {np.sum([row['is_doubtful'] for row in rows])} | {np.median(off):.1f}, {np.quantile(off, 0.9):.1f} "
        f"| {np.median(near):.1f}, {np.quantile(near, 0.9):.1f} "
        f"| {np.sum(good & (off > 100 * FAR_M))}, {np.sum(good & (near > 100 * FAR_M))} of {len(off)} "
        f"| {np.sum(good & (listed > FAR_M))} | {np.sum(speeds)} | {np.median([row['took_s'] for row in rows]):.0f} |"
    )


if __name__ == "__main__":
    main()
