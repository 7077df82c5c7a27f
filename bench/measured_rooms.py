"""Errors in a real room: measured impulse responses convolved with dry recordings.

    python bench/measured_rooms.py --rooms FOLDER --audio FOLDER [--excerpts 40] [--methods srp-phat,multilateration]

FOLDER of rooms: `rir_*.npz` with rir (..., microphone, tap), fs, mic_positions, source_position in metres, c (m/s), here
those of dEchorate (Di Carlo et al., 2021): a cuboid room of 6 x 6 x 2.4 m, T60 about 0.6 s. Their positions are good to
about 2 cm, and the sources lie outside the microphones' hull, so 2 cm of position cost 20-30 cm of answer. For every set:
the room given, and the source's height given too. Where several places are listed, the first counts.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import soundfix
from soundfix.datasets.measured import Measured, MeasuredRoom, read_rooms
from soundfix.estimate import Estimate
from soundfix.evaluation.metrics import is_inside
from soundfix.scene import Room, Scene
from soundfix.simulation.soundbank import SoundBank, read_bank

ROOM: Room = ((0.0, 0.0, 0.0), (6.0, 6.0, 2.4))
POSITION_SIGMA_M = 0.02
SNR_DB = 30.0
WINDOWS_S = (0.5, 4.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=Path, required=True)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--excerpts", type=int, default=40)
    parser.add_argument("--methods", default="srp-phat,multilateration,multilat")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sounds = read_bank([options.audio], part="test")
    for room in with_one_source(read_rooms(sorted(options.rooms.glob("rir_*.npz")))):
        for name in options.methods.split(","):
            for window_s in WINDOWS_S:
                scenes = draw_scenes(room, sounds, options.excerpts, window_s)
                for label, height in (("3-D", None), ("height given", room.sources[0, 2])):
                    rows = [(soundfix.load(name).locate(_with_height(scene, height))) for scene in scenes]
                    line(f"{room.name:24s} {name:16s} {window_s:3.1f} s {label:12s}", rows, room.sources[0])


def with_one_source(rooms: tuple[MeasuredRoom, ...]) -> Iterator[MeasuredRoom]:
    """Every source alone, the positions as uncertain as they are."""
    for room in rooms:
        sigma_m = np.full(len(room.microphones), POSITION_SIGMA_M)
        for k, (response, source) in enumerate(zip(room.responses, room.sources, strict=True)):
            yield replace(
                room,
                name=f"{room.name.removeprefix('rir_')[:20]}{f'/{k + 1}' * (len(room.sources) > 1)}",
                responses=response[None],
                sources=source[None],
                microphones=replace(room.microphones, sigma_m=sigma_m),
            )


def draw_scenes(room: MeasuredRoom, sounds: SoundBank, count: int, window_s: float) -> list[Scene]:
    clips = Measured(
        rooms=(room,), count=count, sounds=sounds, sound_shares={"speech": 1.0}, snr_db=SNR_DB, clip_s=window_s
    )
    return [replace(clips[k], room=ROOM) for k in range(count)]


def _with_height(scene: Scene, height: float | None) -> Scene:
    if height is None:
        return scene
    return replace(scene, room=((*ROOM[0][:2], float(height)), (*ROOM[1][:2], float(height))))


def line(label: str, estimates: list[Estimate], truth: np.ndarray) -> None:
    offsets = np.array([e.sources[0].position_m - truth for e in estimates if e.sources])
    verdicts = " ".join(
        f"{v} {sum(e.verdict == v for e in estimates)}" for v in ("ok", "degraded", "ambiguous", "abstain")
    )
    if not len(offsets):
        print(f"{label} no answer ({verdicts})", flush=True)
        return
    error, flat = np.linalg.norm(offsets, axis=1), np.linalg.norm(offsets[:, :2], axis=1)
    inside = np.mean([any(is_inside(source, truth) for source in e.sources) for e in estimates if e.sources])
    print(
        f"{label} median {100 * np.median(error):6.1f} cm  MAE {100 * error.mean():6.1f} cm"
        f"  xy {100 * np.median(flat):6.1f} cm  z {100 * np.median(np.abs(offsets[:, 2])):5.1f} cm"
        f"  in region {100 * inside:3.0f} %  ({verdicts})",
        flush=True,
    )


if __name__ == "__main__":
    main()
