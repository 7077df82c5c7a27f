"""A morning in a wood, simulated: nine recorders and what sings among them, as a folder of WAVs and a list of stations.

    python docs/wood.py wood

The folder gets S1.wav to S9.wav, 30 s each, stations.csv with latitude and longitude, and truth.csv with where each song
came from. The clock of S5 is 30 ms late, and the battery of S8 ends after 20 s. The same seed gives the same wood.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import soundfile

from soundfix.files.projection import to_degrees
from soundfix.simulation.outdoors import RATE_HZ, Wood, draw_recorders, draw_singer, record_songs
from soundfix.simulation.synthesis import birds

SEED = 3
DURATION_S = 30.0
SONGS_S = (3.0, 9.0, 15.0, 21.0, 26.0)  # when each begins
LATE, LATE_S = 4, 0.030
DIES, DIES_S = 7, 20.0
CRS, ORIGIN_M = "EPSG:32632", (691_000.0, 5_330_000.0)  # of the wood's corner, in the metres of a map
WOOD = Wood(snr_db=15.0, clock_s=3e-4, gps_m=0.3, temperature_c=15.0)


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    places = draw_recorders(WOOD, rng)
    songs = [
        (begins_s, birds(1.2, sample_rate=RATE_HZ, rng=rng), draw_singer(places, WOOD, rng)) for begins_s in SONGS_S
    ]
    late_s = WOOD.clock_s * rng.standard_normal(len(places))
    late_s[LATE] += LATE_S
    scene = record_songs(WOOD, songs, places, late_s, rng, duration_s=DURATION_S)
    for number, sound in enumerate(scene.audio):
        lasting = round(DIES_S * RATE_HZ) if number == DIES else len(sound)
        soundfile.write(folder / f"S{number + 1}.wav", sound[:lasting], round(RATE_HZ))
    stations = [(f"S{number + 1}", *told(place)) for number, place in enumerate(scene.microphones.positions)]
    write(folder / "stations.csv", [("name", "latitude", "longitude", "elevation"), *stations])
    sung = [(begins_s, *told(singer)) for begins_s, _, singer in songs]
    write(folder / "truth.csv", [("begins_s", "latitude", "longitude", "elevation"), *sung])


def told(place_m: np.ndarray) -> tuple[str, str, str]:
    """Latitude and longitude to a centimetre, and the height."""
    longitude, latitude = to_degrees(place_m[:2] + ORIGIN_M, CRS)
    return f"{latitude:.7f}", f"{longitude:.7f}", f"{place_m[2]:.2f}"


def write(path: Path, rows: list[tuple]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


if __name__ == "__main__":
    make(Path(sys.argv[1] if len(sys.argv) > 1 else "wood"))
