"""How well do compact arrays tell directions, and do their cones hold 90 %?

    python bench/compact_arrays.py [--audio FOLDER ...] [--scenes 100] [--first-seed 0] [--method three-stream]

Every array stands in simulated rooms, each scene its own: every image of a shoebox (T60 0.2-0.8 s), a talker or another
sound 0.5-4 m away, noise 5-30 dB below it (diffuse, of each microphone's own, and mains hum that all channels share),
amplifiers that differ by up to 2 dB, a speed of sound that is off by up to 1 %, and a list of positions that is 1-2 mm off
and does not say so. Without --audio the sounds are built in. Printed for each array: errors of azimuth and elevation
(degrees; of the nearer of two mirror images), the angle between them and the truth, half the cone's opening, the share of
cones that hold the truth, and of windows answered. Develop with --first-seed 1000, which takes the sounds of other speakers
and pieces; seeds below are for the table.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import soundfix
from soundfix.estimate import Estimate
from soundfix.microphones import Microphones
from soundfix.physics import NOMINAL_SPEED_M_S, azimuth_elevation
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Scene, Truth
from soundfix.simulation.diffuse import diffuse_noise
from soundfix.simulation.rooms import RoomConfig, impulse_responses, radiated, sabine_rt60
from soundfix.simulation.soundbank import Sounds, open_sounds
from soundfix.simulation.sounds import reverberate

DEVELOPMENT = 1000  # seeds from here on
WINDOW_S, LEAD_IN_S = 0.5, 0.5
RT60_S, SNR_DB, RANGE_M = (0.2, 0.8), (5.0, 30.0), (0.5, 4.0)
SIGMA_M, GAIN_DB, SPEED_SPREAD = (0.001, 0.002), 2.0, 0.01
HUM_HZ, HUM_PARTIALS, LOUDEST_HUM = 50.0, 20, 0.5  # and its power, as a share of that of the noise
CIRCLE = 2 * np.pi * np.arange(6) / 6
ARRAYS = {
    "square of four, 6.5 cm": 0.0325 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]),
    "circle of six, 4.6 cm": 0.046 * np.stack([np.cos(CIRCLE), np.sin(CIRCLE), 0 * CIRCLE], axis=1),
    "tetrahedron, 7 cm": 0.07 / 8**0.5 * np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, action="append", default=[])
    parser.add_argument("--scenes", type=int, default=100, help="for each array")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--method", default="three-stream")
    options = parser.parse_args()
    torch.set_num_threads(1)
    part = "test" if options.first_seed < DEVELOPMENT else "valid"
    sounds, localizer = open_sounds(options.audio, part=part), soundfix.load(options.method)
    print("| array | azimuth: median, p90 (degrees) | elevation | angle | half the cone | cones that hold | answered |")
    print("|---|---|---|---|---|---|---|")
    for name, shape in ARRAYS.items():
        rows = []
        for seed in range(options.first_seed, options.first_seed + options.scenes):
            scene = draw(shape, sounds, np.random.default_rng(seed))
            rows.append(of_window(localizer.locate(scene), scene))
            if seed % 20 == 19:
                print(f"{name}: {seed + 1 - options.first_seed} scenes", file=sys.stderr, flush=True)
        print(row(name, rows), flush=True)


def draw(shape: np.ndarray, sounds: Sounds, rng: np.random.Generator) -> Scene:
    """A window heard by an array of this shape (M, 3), metres."""
    size_m = rng.uniform((3.0, 3.0, 2.3), (9.0, 7.0, 4.0))
    centre, source = places(size_m, rng)
    stand = centre + shape @ turned(rng).T
    speed = NOMINAL_SPEED_M_S * (1 + rng.uniform(-SPEED_SPREAD, SPEED_SPREAD))
    room = RoomConfig(size_m=tuple(size_m), absorption=1.0, image_order=None, speed_of_sound_m_s=speed)
    room = replace(room, absorption=None, rt60_s=max(rng.uniform(*RT60_S), 1.05 * sabine_rt60(room)))
    responses = impulse_responses(room, source[None], stand, sample_rate=SAMPLE_RATE, rng=rng)[:, 0]
    sound = radiated(sounds.draw(LEAD_IN_S + WINDOW_S, rng), SAMPLE_RATE)
    clean = reverberate(sound, responses)[:, round(LEAD_IN_S * SAMPLE_RATE) : len(sound)]
    audio = clean + noise(stand, clean, speed, rng)
    audio *= 10 ** (rng.uniform(-GAIN_DB, GAIN_DB, len(stand)) / 20)[:, None]
    listed = stand + rng.uniform(*SIGMA_M) * rng.standard_normal(stand.shape)
    return Scene(
        audio=(0.3 * audio / np.abs(audio).max()).astype(np.float32),
        sample_rate=SAMPLE_RATE,
        microphones=Microphones(positions=listed),
        speed_of_sound_m_s=NOMINAL_SPEED_M_S,
        truth=Truth(sources=source[None]),
    )


def places(size_m: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Of the array and of the source, away from walls."""
    while True:
        centre, source = rng.uniform((0.4, 0.4, 0.5), size_m - (0.4, 0.4, 0.6)), rng.uniform(0.3, size_m - 0.3)
        off = source - centre
        source = centre + off / np.linalg.norm(off) * rng.uniform(*RANGE_M)
        if (source > 0.3).all() and (source < size_m - 0.3).all():
            return centre, source


def turned(rng: np.random.Generator) -> np.ndarray:
    """Round the vertical."""
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def noise(stand: np.ndarray, clean: np.ndarray, speed: float, rng: np.random.Generator) -> np.ndarray:
    """Diffuse, own and common to all channels, in shares by chance; together 5-30 dB below the sound."""
    count = clean.shape[1]
    diffuse = diffuse_noise(stand, count, speed_m_s=speed, sample_rate=SAMPLE_RATE, rng=rng)
    own = rng.standard_normal(clean.shape)
    partials = np.arange(1, HUM_PARTIALS + 1)
    turns = HUM_HZ * partials[:, None] * np.arange(count) / SAMPLE_RATE + rng.uniform(size=(HUM_PARTIALS, 1))
    hum = (np.sin(2 * np.pi * turns) / partials[:, None]).sum(axis=0)[None]
    diffuse_share, hum_share = rng.uniform(), rng.uniform(0, LOUDEST_HUM)
    shares = np.array([(1 - hum_share) * diffuse_share, (1 - hum_share) * (1 - diffuse_share), hum_share])
    kinds = zip(shares, (diffuse, own, hum), strict=True)
    mixed = sum(share**0.5 * kind / np.sqrt(np.mean(np.square(kind))) for share, kind in kinds)
    level = np.sqrt(np.mean(np.square(clean))) * 10 ** (-rng.uniform(*SNR_DB) / 20)
    return level * mixed


def of_window(estimate: Estimate, scene: Scene) -> tuple[float, ...] | None:
    """Errors of azimuth, elevation and angle, half the cone, whether it holds the truth; None without an answer."""
    if estimate.direction is None or scene.truth is None:
        return None
    off = scene.truth.sources[0] - estimate.direction.from_m
    truth = off / np.linalg.norm(off)
    near = max(estimate.direction.sides, key=lambda side: float(side.unit @ truth))
    azimuth_deg, elevation_deg = azimuth_elevation(truth)
    turn = abs((near.azimuth_deg - azimuth_deg + 180) % 360 - 180)
    angle = float(np.degrees(np.arccos(np.clip(near.unit @ truth, -1, 1))))
    return turn, abs(near.elevation_deg - elevation_deg), angle, near.cone90_deg, float(angle <= near.cone90_deg)


def row(name: str, rows: list[tuple[float, ...] | None]) -> str:
    """Of one array, in Markdown."""
    answers = np.array([each for each in rows if each])
    errors = [f"{np.median(each):.1f}, {np.quantile(each, 0.9):.1f}" for each in answers[:, :3].T]
    held, answered = answers[:, 4].mean(), len(answers) / len(rows)
    return f"| {name} | {' | '.join(errors)} | {np.median(answers[:, 3]):.1f} | {held:.0%} | {answered:.0%} |"


if __name__ == "__main__":
    main()
