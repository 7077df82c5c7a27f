"""A small season: six recorders round a wood, chirps at known places, files of twenty seconds."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import soundfile

from soundfix.archive.season import ArchiveRequest
from soundfix.archive.work import Asked

RATE, FILE_S, FILES = 16_000, 20, 2
C = 343.2
BEGINS = datetime(2022, 6, 20, 5, 59, 50, tzinfo=UTC)  # the second file begins in another piece
STATIONS = np.array(
    [[0, 0, 1.0], [40, 2, 1.5], [42, 38, 1.2], [1, 41, 2.0], [20, -3, 1.1], [18, 44, 3.0]], dtype=np.float64
)
CHIRPS = ((4.0, (12.0, 20.0, 1.5)), (14.0, (30.0, 9.0, 1.5)), (25.0, (21.0, 30.0, 1.5)), (35.5, (8.0, 11.0, 1.5)))
CHIRP_S = 0.4
NAMES = tuple(f"S{m + 1:02d}" for m in range(len(STATIONS)))
EAST_M, NORTH_M, CRS = 500_000.0, 5_300_000.0, "EPSG:32632"


@cache
def sound():
    """(recorder, time): what all of them hear."""
    rng = np.random.default_rng(3)
    total = FILES * FILE_S * RATE
    audio = 0.001 * rng.standard_normal((len(STATIONS), total))
    time_s = np.arange(round(CHIRP_S * RATE)) / RATE
    chirp = np.sin(2 * np.pi * (1500 * time_s + 3000 * time_s**2)) * np.hanning(len(time_s))
    padded = np.fft.rfft(chirp, 2 * RATE)
    frequency = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    for start_s, place in CHIRPS:
        for m, distance in enumerate(np.linalg.norm(STATIONS - place, axis=1)):
            heard = np.fft.irfft(padded * np.exp(-2j * np.pi * frequency * distance / C)) * 5 / distance
            first = round(start_s * RATE)
            audio[m, first : first + len(heard)] += heard[: total - first]
    return audio.astype(np.float32)


def write_list(folder):
    """The stations, in UTM."""
    rows = [f"{n},{EAST_M + x},{NORTH_M + y},{z}" for n, (x, y, z) in zip(NAMES, STATIONS, strict=True)]
    path = folder / "stations.csv"
    path.write_text("\n".join(["name,x,y,z", *rows]) + "\n")
    return path


def write_season(folder, name="{recorder}_{at:%Y%m%d_%H%M%S}Z.wav", *, audio=None):
    """Files of all recorders; `name` may hold folders."""
    audio = sound() if audio is None else audio
    for m, recorder in enumerate(NAMES):
        for number in range(FILES):
            at = BEGINS + timedelta(seconds=number * FILE_S)
            path = folder / name.format(recorder=recorder, at=at, number=number)
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, audio[m, number * FILE_S * RATE : (number + 1) * FILE_S * RATE], RATE)
    return folder


def asked(tmp_path, *, recordings="recordings", method="srp-phat", **changes):
    """A request for the season below tmp_path."""
    how = {name: changes.pop(name) for name in ("every", "window_s", "band_hz") if name in changes}
    given = {"folder": tmp_path / recordings, "microphones": write_list(tmp_path), "out": tmp_path / "out", "crs": CRS}
    return ArchiveRequest(**given | changes, asked=Asked(method=method, **how))


class Told:
    """A Watch that remembers, and stops after so many pieces."""

    def __init__(self, stop_after=None):
        self.files, self.begins, self.hours, self._stop_after = 0, None, [], stop_after

    def opened(self):
        self.files += 1

    def begun(self, hours, done_hours):
        self.begins = (hours, done_hours)

    def located(self, hours):
        self.hours.append(hours)

    def stop(self):
        return self._stop_after is not None and len(self.hours) >= self._stop_after
