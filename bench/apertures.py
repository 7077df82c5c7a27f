"""From metres to kilometres: is the place as good as its region says, and how much memory and time does it take?

    python bench/apertures.py [--apertures 2,20,200,1000,5000] [--recorders 8,16,40] [--events 10] [--outside 2,5,20]
        [--wind 3]

So many recorders anywhere in a square (the aperture is its diagonal), at heights of 1 to 3 m (0 to 2 m where that is 2 m),
with coordinates good to 0.5 m and clocks to 0.3 ms, or 1 cm and 20 us below 25 m, as the list says. A bark of half a second,
200 to 1000 Hz, anywhere in the square; spreading, air, ground, foliage and noise as in simulation/outdoors.py, 20 dB. Each
is a folder of files, as long as sound needs to cross the array twice and 10 s more, given with UTM coordinates to
`soundfix.locate(events=...)`; CPU time is that of an event, memory the largest of the process that located those of a cell.
--outside: sources so many apertures from the middle, of 16 recorders. --wind: of this standard error along x and y, not told
and told. Errors are horizontal (m), of those answered with a place; held: 90 % regions, seen from above, or cones that
hold the source; radius: the longer half axis of the region. far wrong: outside a region or cone three times as wide.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.fft import next_fast_len
from scipy.signal import butter, sosfilt

from soundfix import physics
from soundfix.simulation.outdoors import PAD_S, RATE_HZ, Wood, record

BARK_S, BAND_HZ, ROUND_S = 0.5, (200.0, 1000.0), 5.0
EAST_M, NORTH_M, CRS = 500_000.0, 5_300_000.0, "EPSG:32632"
SMALL_M = 25.0
ACROSS_90 = 4.605  # 0.9 quantile of chi squared with 2 degrees of freedom
IN_A_PROCESS = """
import json, sys, time
from pathlib import Path
import soundfix
told, answers = json.loads(sys.argv[1]), {"estimates": [], "seconds": []}
for folder in map(Path, sys.argv[2:]):
    started = time.process_time()
    found = soundfix.locate(folder, microphones=folder / "stations.csv", events=folder / "events.txt", **told)
    found.to_geojson(folder / "map.geojson")
    answers["seconds"].append(time.process_time() - started)
    answers["estimates"].append(found.estimates[0].to_dict())
told = Path("/proc/self/status").read_text().split("VmHWM:")[1]
print(json.dumps(answers | {"memory_mib": int(told.split()[0]) / 1024}))
"""
HEAD = "| {} | answered | a direction | far wrong | median, m | p90, m | held | radius, m | degrees off | CPU s | MiB |"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """aperture_m of so many recorders; away: apertures from the middle to the source, None inside. wind: its standard error
    (m/s), and whether that is told."""

    aperture_m: float
    recorders: int
    away: float | None = None
    wind_m_s: float = 0.0
    is_told: bool = True


@dataclass(frozen=True)
class Judged:
    """Of one event; off_m, radius_m: of its place. turn_deg: by how much it is off, from the middle of the array."""

    kind: str
    off_m: float = np.nan
    is_held: float = np.nan
    radius_m: float = np.nan
    turn_deg: float = np.nan
    is_wrong: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apertures", default="2,20,200,1000,5000")
    parser.add_argument("--recorders", default="8,16,40")
    parser.add_argument("--outside", default="2,5,20", help="apertures from the middle; empty: none")
    parser.add_argument("--wind", type=float, default=3.0, help="m/s; 0: none")
    parser.add_argument("--events", type=int, default=10, help="of each cell")
    parser.add_argument("--method", default="srp-phat")
    options = parser.parse_args()
    apertures, counts = (numbers(text) for text in (options.apertures, options.recorders))
    table("aperture, recorders", [Cell(aperture_m=a, recorders=int(m)) for a in apertures for m in counts], options)
    away = [Cell(aperture_m=a, recorders=16, away=f) for a in apertures if a <= 200 for f in numbers(options.outside)]
    table("aperture, apertures away", away, options)
    windy = [
        Cell(aperture_m=a, recorders=16, wind_m_s=options.wind, is_told=told)
        for a in apertures for told in (False, True) if options.wind and 20 < a <= 1000
    ]  # fmt: skip
    table(f"wind of {options.wind:g} m/s", windy, options)


def numbers(text: str) -> list[float]:
    return [float(each) for each in text.split(",") if each]


def table(what: str, cells: list[Cell], options: argparse.Namespace) -> None:
    if cells:
        print("\n" + HEAD.format(what) + "\n|---|" + 10 * "---:|", flush=True)
    for cell in cells:
        print(line(cell, options), flush=True)


def line(cell: Cell, options: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory() as home:
        folders = [Path(home) / f"{seed}" for seed in range(options.events)]
        drawn = [written(folder, cell, seed) for seed, folder in enumerate(folders)]
        estimates, seconds, memory_mib = located(folders, cell, options.method)
    judged = [judge(estimate, *each) for estimate, each in zip(estimates, drawn, strict=True)]
    answered = [each.kind == "place" for each in judged]
    off, held, radius, turn = (
        np.array([getattr(each, name) for each in judged]) for name in ("off_m", "is_held", "radius_m", "turn_deg")
    )
    name = f"{cell.aperture_m:g} m, " + (f"{cell.recorders}" if cell.away is None else f"{cell.away:g}")
    name += "" if not cell.wind_m_s else ", told" if cell.is_told else ", not told"
    held_share = f"{100 * np.nanmean(held):.0f} %" if np.isfinite(held).any() else "-"
    errors = f"{np.nanmedian(off):.2f} | {np.nanquantile(off, 0.9):.2f}" if any(answered) else "- | -"
    of_places = f"{errors} | {held_share} | " + (f"{np.nanmedian(radius):.2f}" if any(answered) else "-")
    return (
        f"| {name} | {share(answered)} | {share([each.kind == 'direction' for each in judged])} | "
        f"{share([each.is_wrong for each in judged])} | {of_places} | "
        f"{np.nanmedian(turn) if np.isfinite(turn).any() else np.nan:.1f} | {seconds:.2f} | {memory_mib:.0f} |"
    )


def share(each: list[bool]) -> str:
    return f"{100 * np.mean(each):.0f} %"


def written(folder: Path, cell: Cell, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Recordings, list and table of an event; where the source is, and the recorders truly are (m)."""
    folder.mkdir()
    rng = np.random.default_rng([seed, round(cell.aperture_m), cell.recorders])
    side, is_small = cell.aperture_m / 2**0.5, cell.aperture_m < SMALL_M
    up = rng.uniform(0.0, 2.0, cell.recorders) if cell.aperture_m < 5 else rng.uniform(1.0, 3.0, cell.recorders)
    places = np.column_stack([rng.uniform(0, side, (cell.recorders, 2)), up])
    source = np.append(rng.uniform(0.1, 0.9, 2) * side, up.mean() + (0.3 if is_small else rng.uniform(0, 5)))
    if cell.away is not None:
        angle = rng.uniform(0, 2 * np.pi)
        source[:2] = side / 2 + cell.away * cell.aperture_m * np.array([np.cos(angle), np.sin(angle)])
    sigma_m, clock_s = (0.01, 20e-6) if is_small else (0.5, 0.3e-3)
    blows = tuple((cell.wind_m_s * rng.standard_normal(2)).tolist())
    wood = Wood(gps_m=sigma_m, clock_s=clock_s, snr_db=20.0, blows_m_s=blows, scatter=not is_small)
    speed_m_s = physics.speed_of_sound(wood.temperature_c)
    nearest_s, farthest_s = np.quantile(physics.distances(source, places), [0, 1]) / speed_m_s
    crossing_s = cell.aperture_m / speed_m_s
    duration_s = (
        next_fast_len(round((2 * ROUND_S + 2 * farthest_s + crossing_s + BARK_S) * RATE_HZ), real=True) / RATE_HZ
    )
    bark = sosfilt(
        butter(2, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos"), rng.standard_normal(round(BARK_S * RATE_HZ))
    )
    bark *= np.hanning(len(bark))
    scene = record(wood, bark, places, source, rng, duration_s=duration_s, band_hz=BAND_HZ)
    begins_s = max(PAD_S, (duration_s - BARK_S) / 2 - 0.5 * np.ptp(places, axis=0).max() / speed_m_s)
    for m, sound in enumerate(scene.audio):
        soundfile.write(folder / f"r{m:02}.wav", sound, int(RATE_HZ), subtype="PCM_16")
    heard_s = begins_s + nearest_s
    row = f"1\t{heard_s:.4f}\t{heard_s + BARK_S:.4f}\t{BAND_HZ[0]:g}\t{BAND_HZ[1]:g}"
    head = "Selection\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"
    (folder / "events.txt").write_text(f"{head}\n{row}\n")
    tell_list(folder / "stations.csv", scene.microphones.positions, (sigma_m, clock_s))
    return source, places


def tell_list(path: Path, listed: np.ndarray, errors: tuple[float, float]) -> None:
    rows = [
        f"r{m:02},{x + EAST_M:.4f},{y + NORTH_M:.4f},{z:.4f},{CRS},{errors[0]},{errors[1]}"
        for m, (x, y, z) in enumerate(listed)
    ]
    path.write_text("\n".join(["name,easting,northing,z,crs,sigma_m,clock_sigma_s", *rows]) + "\n")


def located(folders: list[Path], cell: Cell, method: str) -> tuple[list[dict], float, float]:
    """Answers, mean CPU seconds of an event, and the largest memory (MiB) of the process that made them."""
    told = {"method": method, "temperature_c": 15.0, "wind_m_s": cell.wind_m_s if cell.is_told else None}
    alone = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    words = [sys.executable, "-c", IN_A_PROCESS, json.dumps(told), *map(str, folders)]
    said = subprocess.run(words, env=alone, capture_output=True, text=True)
    if said.returncode:
        sys.exit(said.stderr)
    answers = json.loads(said.stdout)
    return answers["estimates"], float(np.mean(answers["seconds"])), answers["memory_mib"]


def judge(estimate: dict, truth: np.ndarray, places: np.ndarray) -> Judged:
    middle = places.mean(axis=0)
    if estimate.get("direction"):
        angle, told = np.radians(estimate["direction"]["azimuth_deg"]), estimate["direction"]["cone90_deg"]
        turn_deg = turned(np.array([np.cos(angle), np.sin(angle)]), truth - middle)
        return Judged("direction", is_held=turn_deg <= told, turn_deg=turn_deg, is_wrong=turn_deg > 3 * told)
    if not estimate["sources"]:
        return Judged("none")
    source = estimate["sources"][0]
    place = np.array(source["position_m"]) - [EAST_M, NORTH_M, 0.0]
    off, covariance = (truth - place)[:2], np.array(source["covariance_m2"])[:2, :2]
    squared = float(off @ np.linalg.solve(covariance, off))
    return Judged(
        "place", float(np.linalg.norm(off)), squared <= ACROSS_90,
        float((ACROSS_90 * np.linalg.eigvalsh(covariance)[1]) ** 0.5),
        turned(place - middle, truth - middle), squared > 9 * ACROSS_90,
    )  # fmt: skip


def turned(one: np.ndarray, other: np.ndarray) -> float:
    """Degrees between them, seen from above."""
    a, b = (np.arctan2(each[1], each[0]) for each in (one, other))
    return float(np.degrees(abs((a - b + np.pi) % (2 * np.pi) - np.pi)))


if __name__ == "__main__":
    main()
