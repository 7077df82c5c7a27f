"""What calibration finds in 30 s of a talker who walks through the LuViRA studio's twin: writes docs/calibration.md.

    python bench/calibration.py [--audio FOLDER] [--recordings 30] [--seed 3000] [--processes 2]

Recordings of 30 s, T60 0.4 s, SNR 5-30 dB, 11 microphones; the test speakers of --audio, or built-in voices. The talker goes
from place to place through the whole room at 0.4-1 m/s, 0.5-2 m high. Of each: 1 to 4 positions unknown (drawn); all clocks
off by up to 20 ms; all positions unknown. Sources: windows of 0.5 s located with the corrected list, and with the true one.
Beside the errors of 7, 8 and 9 known positions of 11 stand those of one window (docs/paper.md, Table 3).
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import chi2

import soundfix
from soundfix.calibration.bundle import Layout
from soundfix.calibration.calibrate import calibrate
from soundfix.calibration.findings import Calibration, MicrophoneFinding
from soundfix.calibration.initial_guess import procrustes
from soundfix.calibration.observations import Observations, moments, observe
from soundfix.files.take import WINDOW_S
from soundfix.microphones import Microphones
from soundfix.networks import checkpoint
from soundfix.networks.model import Network
from soundfix.scene import Scene
from soundfix.simulation.soundbank import Sounds, open_sounds
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world

WORLD = replace(
    LUVIRA_TWIN,
    duration_s=30.0,
    share_moving=1.0,
    moving_m_s=(0.4, 1.0),
    roams=True,
    rt60_s=(0.4, 0.4),
    snr_db=(5.0, 30.0),
)
UNKNOWN = (1, 2, 3, 4)
LARGEST_OFFSET_S = 0.02
LOCATED = 59  # windows, one after the other
# docs/paper.md, Table 3: three-stream (paper), wav2pos, three-stream (ours), and ours in an array that is new to it
ONE_WINDOW_CM = {4: (265.1, 268.1, 88.4, 261.8), 3: (255.4, 257.7, 64.4, 258.2), 2: (250.0, 247.0, 40.3, 260.3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, help="folder of dry recordings; without it built-in voices")
    parser.add_argument("--part", default="test", help="of the speakers: train, valid or test")
    parser.add_argument("--recordings", type=int, default=30)
    parser.add_argument("--seed", type=int, default=3000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs/calibration.md"))
    options = parser.parse_args()
    jobs = [(options.audio, options.part, options.seed, k) for k in range(options.recordings)]
    with get_context("spawn").Pool(options.processes, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        rows = []
        for row in pool.imap_unordered(run, jobs):
            rows.append(row)
            print(f"{len(rows)} of {len(jobs)}: {row}", flush=True)
    text = report(rows, options)
    options.out.write_text(text, encoding="utf-8")
    print(text)


def run(job: tuple[Path | None, str, int, int]) -> dict[str, Any]:
    """Everything that is measured of one recording; lengths in metres."""
    audio, part, seed, number = job
    rng = np.random.default_rng([seed, number])
    scene = draw_world(
        replace(WORLD, sound_shares={"speech": 1.0} if audio else {"voice": 1.0}), sounds(audio, part), rng
    )
    hearing, row = heard(scene), {}
    for count in UNKNOWN:
        row |= unknown_positions(hearing, scene, rng.permutation(11)[:count])
    row |= free_clocks(scene, np.round(rng.uniform(-LARGEST_OFFSET_S, LARGEST_OFFSET_S, 11) * scene.sample_rate))
    row["shape"] = shape_error(calibrate(hearing, unlisted(scene, np.arange(11))), scene)
    return row


@cache
def sounds(audio: Path | None, part: str) -> Sounds:
    return open_sounds([audio], part=part) if audio else open_sounds([])


@cache
def network() -> Network:
    return checkpoint.load(checkpoint.PACKAGED)


def heard(scene: Scene) -> Observations:
    """The scene's arrivals."""
    window_s, hop_s = moments(scene.duration_s, WINDOW_S)
    length, hop = round(window_s * scene.sample_rate), round(hop_s * scene.sample_rate)
    firsts = range(0, scene.audio.shape[1] - length + 1, hop)
    return observe(network(), [scene.part(first, length) for first in firsts])


def unlisted(scene: Scene, unknown: np.ndarray) -> Microphones:
    positions = scene.microphones.border_positions()
    positions[unknown] = np.nan
    return replace(scene.microphones, positions=positions)


def unknown_positions(hearing: Observations, scene: Scene, unknown: np.ndarray) -> dict[str, Any]:
    """Errors of these positions, and of sources with them."""
    result = calibrate(hearing, unlisted(scene, unknown), room=scene.room)
    off = np.linalg.norm(result.microphones.border_positions() - scene.microphones.positions, axis=1)[unknown]
    within = [is_within(result.repairs[m], scene.microphones.positions[m]) for m in unknown.tolist()]
    row: dict[str, Any] = {f"unknown{len(unknown)}": off.round(4).tolist(), f"held{len(unknown)}": within}
    if len(unknown) == max(UNKNOWN):
        row["sources"] = [source_error(scene, each) for each in (scene.microphones, result.microphones)]
    return row


def is_within(repair: MicrophoneFinding, true_m: np.ndarray) -> bool:
    """Whether this place is in the region that is to hold it with 90 %."""
    off = repair.position_m - true_m
    return bool(off @ np.linalg.solve(repair.covariance_m2 + 1e-12 * np.eye(3), off) < chi2.ppf(0.9, 3))


def source_error(scene: Scene, microphones: Microphones) -> float:
    """Mean distance of the first place from the truth, over windows spread over the recording."""
    length = round(0.5 * scene.sample_rate)
    errors = []
    for first in np.linspace(0, scene.audio.shape[1] - length, LOCATED).astype(int):
        window = replace(scene.part(int(first), length), microphones=microphones)
        places = soundfix.load().locate(window).sources
        assert window.truth is not None
        errors += [np.linalg.norm(places[0].position_m - window.truth.sources[0])] if places else []
    return round(float(np.mean(errors)), 4)


def free_clocks(scene: Scene, late: np.ndarray) -> dict[str, Any]:
    """Errors of offsets (s), against the first microphone's."""
    audio = np.stack([np.roll(channel, int(count)) for channel, count in zip(scene.audio, late, strict=True)])
    cut = int(np.abs(late).max())
    shifted = replace(scene, audio=audio[:, cut : audio.shape[1] - cut], truth=None)
    result = calibrate(heard(shifted), scene.microphones, room=scene.room, clocks="free")
    middle_s = shifted.duration_s / 2
    found_s = np.array([each.offset_s + 1e-6 * each.drift_ppm * middle_s for each in result.repairs])
    off_s = found_s - (late - late[0]) / scene.sample_rate
    return {"offsets": np.abs(off_s[1:]).round(7).tolist()}


def shape_error(result: Calibration, scene: Scene) -> float:
    """RMS distance of the microphones from where they are, turned, moved and mirrored onto them."""
    found = np.array([each.position_m for each in result.repairs])
    blank = np.zeros(len(found))
    layout = Layout(positions=found, offset_m=blank, drift_m_s=blank, sources=result.sources)
    off = procrustes(layout, scene.microphones.positions).positions - scene.microphones.positions
    return round(float(np.sqrt(np.mean(np.sum(off**2, axis=1)))), 4)


def report(rows: Sequence[dict[str, Any]], options: argparse.Namespace) -> str:
    """Markdown."""
    offsets, shapes = np.concatenate([row["offsets"] for row in rows]), np.array([row["shape"] for row in rows])
    held = np.concatenate([row[f"held{count}"] for row in rows for count in UNKNOWN])
    true_m, found_m = np.array([row["sources"] for row in rows]).T
    played = "speech of speakers that nothing was trained on" if options.audio else "built-in voices"
    lines = [
        "# Calibration",
        "",
        f"{len(rows)} recordings of 30 s: a talker walks through a studio's twin, 11 microphones, T60 0.4 s, SNR 5-30 dB, "
        f"{played}, seed {options.seed}. Written by `bench/calibration.py`.",
        "",
        "| positions unknown | error: median (cm) | 90 % below (cm) | one window (cm): three-stream (paper), wav2pos, "
        "three-stream (ours), ours in a new array |",
        "|---|---:|---:|---:|",
        *[_unknown_line(count, np.concatenate([row[f"unknown{count}"] for row in rows])) for count in UNKNOWN],
        f"| all 11: shape, RMS | {100 * np.median(shapes):.1f} | {100 * np.quantile(shapes, 0.9):.1f} | |",
        "",
        f"Regions of 90 % hold {100 * held.mean():.0f} % of the {len(held)} single positions.",
        "",
        f"Shapes are right to 15 cm in {np.sum(shapes <= 0.15)} of {len(shapes)} recordings.",
        "",
        f"Sources, with four positions found: MAE {100 * found_m.mean():.1f} cm; with all positions as they are: "
        f"{100 * true_m.mean():.1f} cm (windows of 0.5 s, against the middle of each). Of single recordings "
        f"the median is {100 * np.median(found_m):.2f} against {100 * np.median(true_m):.2f} cm, the median ratio "
        f"{np.median(found_m / true_m):.2f}.",
        "",
        f"All clocks off by up to 20 ms: offsets found to {1e6 * np.median(offsets):.0f} us (median; 90 % below "
        f"{1e6 * np.quantile(offsets, 0.9):.0f} us).",
    ]
    return "\n".join(lines) + "\n"


def _unknown_line(count: int, errors_m: np.ndarray) -> str:
    one = ", ".join(f"{error:.0f}" for error in ONE_WINDOW_CM.get(count, ()))
    return f"| {count} | {100 * np.median(errors_m):.1f} | {100 * np.quantile(errors_m, 0.9):.1f} | {one} |"


if __name__ == "__main__":
    main()
