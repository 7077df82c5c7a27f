"""How fast an archive is located, by one process, by two, and by Ray, and how much memory that takes.

    python bench/archive.py --minutes 40 --recorders 8 --method srp-phat --out FOLDER

The recordings are made by seed: recorders sixty metres apart, files of five minutes, a chirp every few seconds. Every window
is located. Rates are of what comes after the first piece of each worker: until then processes start and methods are loaded.
Ray hands over its last results together, so that its rate says nothing there: compare the seconds of all. With --times N
the same files are there N times, on N days: what the first process needs must not grow with them.
"""

import argparse
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import numpy as np
import soundfile

from soundfix.archive.season import ArchiveRequest, run
from soundfix.archive.work import Asked
from soundfix.engines.named import engine_named

RATE, FILE_S, SPACING_M = 16_000, 300, 60.0
BEGINS = datetime(2022, 6, 20, 4, 55, tzinfo=UTC)


def stations(count: int) -> np.ndarray:
    rng, side = np.random.default_rng(5), int(np.ceil(np.sqrt(count)))
    grid = np.array([[k % side, k // side] for k in range(count)]) * SPACING_M + rng.uniform(-8, 8, (count, 2))
    return np.column_stack([grid, rng.uniform(1, 2, count)])


def recordings(places: np.ndarray, seconds: int) -> np.ndarray:
    """(recorder, time): chirps at random places, and noise."""
    rng, extent = np.random.default_rng(6), places[:, :2].max(axis=0)
    audio = (0.002 * rng.standard_normal((len(places), seconds * RATE))).astype(np.float32)
    time_s = np.arange(round(0.6 * RATE)) / RATE
    frequency = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    start_s = 2.0
    while start_s < seconds - 3:
        low, high = rng.uniform(2000, 3500), rng.uniform(3500, 6000)
        chirp = np.sin(2 * np.pi * (low * time_s + (high - low) * time_s**2 / 1.2)) * np.hanning(len(time_s))
        place, spectrum = np.append(rng.uniform(0, extent), rng.uniform(1, 8)), np.fft.rfft(chirp, 2 * RATE)
        for m, distance in enumerate(np.linalg.norm(places - place, axis=1)):
            heard = np.fft.irfft(spectrum * np.exp(-2j * np.pi * frequency * distance / 343.2)) * 3 / max(distance, 3.0)
            first = round(start_s * RATE)
            audio[m, first : first + len(heard)] += heard[: seconds * RATE - first].astype(np.float32)
        start_s += rng.uniform(3, 8)
    return audio


def write(folder: Path, count: int, minutes: int, times: int) -> Path:
    """Files of all recorders, and after them the same files with the names of other days; the list."""
    places, listed = stations(count), folder / "stations.csv"
    (folder / "recordings").mkdir(parents=True, exist_ok=True)
    rows = [f"S{m:02d},{x:.2f},{y:.2f},{z:.2f}" for m, (x, y, z) in enumerate(places)]
    listed.write_text("\n".join(["name,x,y,z", *rows]) + "\n")
    audio = recordings(places, 60 * minutes)
    for m in range(count):
        for first in range(0, 60 * minutes, FILE_S):
            name = f"S{m:02d}_{{:%Y%m%d_%H%M%S}}Z.wav"
            path = folder / "recordings" / name.format(BEGINS + timedelta(seconds=first))
            soundfile.write(path, audio[m, first * RATE : (first + FILE_S) * RATE], RATE)
            for day in range(1, times):
                other = path.with_name(name.format(BEGINS + timedelta(days=day, seconds=first)))
                other.unlink(missing_ok=True)
                os.link(path, other)
    return listed


class Clock:
    """A Watch: when pieces were finished."""

    def __init__(self) -> None:
        self.times, self.hours, self.began = [], [], 0.0

    def opened(self) -> None: ...

    def begun(self, hours: float, done_hours: float) -> None:
        self.began = monotonic()

    def located(self, hours: float) -> None:
        self.times.append(monotonic())
        self.hours.append(hours)

    def stop(self) -> bool:
        return False

    @property
    def rate(self) -> float:
        """Hours of sound a second, after the first piece of everybody."""
        return sum(self.hours[2:]) / (self.times[-1] - self.times[1])


def located(folder: Path, listed: Path, asked: Asked, engine: str, workers: int) -> Clock:
    clock, out = Clock(), folder / f"out-{engine}-{workers}"
    subprocess.run(["rm", "-rf", out], check=True)
    run(
        ArchiveRequest(folder=folder / "recordings", microphones=listed, out=out, asked=asked),
        engine_named(engine, workers),
        clock,
    )
    return clock


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--minutes", type=int, default=40)
    words.add_argument("--recorders", type=int, default=8)
    words.add_argument("--times", type=int, default=1)
    words.add_argument("--method", default="srp-phat")
    words.add_argument("--gated", action="store_true", help="only windows in which something stands out")
    words.add_argument("--engines", default="local:1,local:2,ray:2")
    words.add_argument("--out", type=Path, required=True)
    given = words.parse_args()
    listed = write(given.out, given.recorders, given.minutes, given.times)
    asked = Asked(method=given.method, every=not given.gated)
    print(f"{given.recorders} recorders, {given.minutes} minutes, {given.times} times; {given.method}", flush=True)
    print("| engine | workers | hours of sound a second | of one process | seconds of all | first process (MiB) |")
    print("|---|---|---|---|---|---|")
    first = None
    for each in given.engines.split(","):
        name, workers = each.split(":")
        clock = located(given.out, listed, asked, name, int(workers))
        rate, seconds = clock.rate, clock.times[-1] - clock.began
        first = first or rate
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {name} | {workers} | {rate:.4f} | {rate / first:.2f} | {seconds:.0f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
