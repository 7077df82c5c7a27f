"""Errors in a real room: measured impulse responses convolved with dry recordings.

    python bench/measured_rooms.py --rooms FOLDER --audio FOLDER [--excerpts 40] [--methods srp-phat,multilateration]

FOLDER of rooms: `rir_*.npz` with rir (..., microphone, tap), fs, mic_positions, source_position in metres, c (m/s), here
those of dEchorate (Di Carlo et al., 2021): a cuboid room of 6 x 6 x 2.4 m, T60 about 0.6 s. Their positions are good to
about 2 cm, and the sources lie outside the microphones' hull, so 2 cm of position cost 20-30 cm of answer. For every set:
the room given, and the source's height given too. Where several places are listed, the first counts.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soxr
import torch

import soundfix
from soundfix.localizer import Estimate
from soundfix.scene import Microphones, Room, Scene
from soundfix.sounds import excerpt, read_folder, reverberate

ROOM: Room = ((0.0, 0.0, 0.0), (6.0, 6.0, 2.4))
CHI2_3 = 6.251  # 90 % of a Gaussian in 3-D lie within this squared Mahalanobis distance
POSITION_SIGMA_M = 0.02
SNR_DB = 30.0
WINDOWS_S = (0.5, 4.0)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The responses (M, tap) of one source."""

    name: str
    responses: np.ndarray
    sample_rate: float
    positions: np.ndarray
    source: np.ndarray
    speed: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=Path, required=True)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--excerpts", type=int, default=40)
    parser.add_argument("--methods", default="srp-phat,multilateration,multilat")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for measured in read_rooms(options.rooms):
        for name in options.methods.split(","):
            for window_s in WINDOWS_S:
                scenes = list(draw_scenes(measured, options.audio, options.excerpts, window_s))
                for label, height in (("3-D", None), ("height given", measured.source[2])):
                    rows = [(soundfix.load(name).locate(_with_height(scene, height))) for scene in scenes]
                    line(f"{measured.name:24s} {name:16s} {window_s:3.1f} s {label:12s}", rows, measured.source)


def read_rooms(folder: Path) -> Iterator[Measured]:
    for path in sorted(folder.glob("rir_*.npz")):
        with np.load(path) as stored:
            responses = stored["rir"] if stored["rir"].ndim == 3 else stored["rir"][None]
            for k, source in enumerate(np.atleast_2d(stored["source_position"])):
                yield Measured(
                    name=f"{path.stem.removeprefix('rir_')[:20]}{f'/{k + 1}' * (len(responses) > 1)}",
                    responses=responses[k],
                    sample_rate=float(stored["fs"]),
                    positions=stored["mic_positions"],
                    source=source,
                    speed=float(stored["c"]) if "c" in stored else 345.844,
                )


def draw_scenes(measured: Measured, audio: Path, count: int, window_s: float) -> Iterator[Scene]:
    paths, rng = read_folder(audio), np.random.default_rng(0)
    for _ in range(count):
        dry = excerpt(paths[rng.integers(len(paths))], window_s + 0.5, sample_rate=measured.sample_rate, rng=rng)
        heard = reverberate(dry, measured.responses)[:, round(0.5 * measured.sample_rate) :]
        heard = heard + np.sqrt(np.mean(heard**2)) * 10 ** (-SNR_DB / 20) * rng.standard_normal(heard.shape)
        yield Scene(
            audio=soxr.resample(heard.T, measured.sample_rate, 16_000.0).T,
            sample_rate=16_000.0,
            microphones=Microphones(
                positions=measured.positions, sigma_m=np.full(len(measured.positions), POSITION_SIGMA_M)
            ),
            room=ROOM,
            speed_of_sound_m_s=measured.speed,
        )


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
    inside = np.mean([_holds(e, truth) for e in estimates if e.sources])
    print(
        f"{label} median {100 * np.median(error):6.1f} cm  MAE {100 * error.mean():6.1f} cm"
        f"  xy {100 * np.median(flat):6.1f} cm  z {100 * np.median(np.abs(offsets[:, 2])):5.1f} cm"
        f"  in region {100 * inside:3.0f} %  ({verdicts})",
        flush=True,
    )


def _holds(estimate: Estimate, truth: np.ndarray) -> bool:
    """Whether one of the listed places has the truth in its 90 % region."""
    gaps = [(truth - s.position_m, s.covariance_m2) for s in estimate.sources]
    return any(gap @ np.linalg.pinv(covariance) @ gap <= CHI2_3 for gap, covariance in gaps)


if __name__ == "__main__":
    main()
