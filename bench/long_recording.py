"""Does memory stay flat on a long recording? Locates 10 hours, and prints the memory used after each.

    python bench/long_recording.py [--hours 10] [--microphones 6] [--window 2.0]

The recording is a float WAV that repeats one simulated minute (10 hours of 6 channels: 14 GB as float, so it is written
as 16-bit, 7 GB; --hours 1 for a quick look). It goes through the same reader, session and writer as `soundfix locate`.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

from soundfix.files.audio import open_recording
from soundfix.methods.catalog import load
from soundfix.report.exports import JsonWriter
from soundfix.scene import Scene
from soundfix.session.session import Session
from soundfix.testing import contract_scene


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--microphones", type=int, default=6)
    parser.add_argument("--window", type=float, default=2.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    scene = contract_scene(options.microphones, seconds=60.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        write(path, scene, minutes=round(options.hours * 60))
        print(f"{options.hours:g} hours, {options.microphones} channels, {path.stat().st_size / 1e9:.2f} GB")
        follow(path, scene, options.window, Path(folder) / "answers.json")


def write(path: Path, scene: Scene, minutes: int) -> None:
    minute = (scene.audio.T / np.abs(scene.audio).max() * 30_000).astype(np.int16)
    with soundfile.SoundFile(
        path, "w", samplerate=16_000, channels=len(scene.microphones), subtype="PCM_16", format="RF64"
    ) as file:
        for _ in range(minutes):
            file.write(minute)


def follow(path: Path, scene: Scene, window_s: float, answers: Path) -> None:
    recording = open_recording([path])
    session = Session(localizer=load(), microphones=scene.microphones, room=scene.room)
    start, base = time.perf_counter(), None
    step = max(1, recording.count_windows(window_s, window_s) // 10)
    with JsonWriter(answers, "srp-phat", "bench") as writer:
        for number, (start_s, audio) in enumerate(recording.windows(window_s, window_s), 1):
            writer.write(session.hear(start_s, audio, recording.sample_rate))
            if number % step == 0:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                base = base or peak
                rate = start_s / (time.perf_counter() - start)
                print(
                    f"{start_s / 3600:6.2f} h  peak {peak:7.1f} MiB ({peak - base:+.1f})  {rate:.0f} x real time",
                    flush=True,
                )


if __name__ == "__main__":
    main()
