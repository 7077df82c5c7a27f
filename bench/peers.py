"""The same recorders, songs and detections to OpenSoundscape, pyroomacoustics and soundfix: who is nearer, who is quicker?

    python bench/peers.py --peer-python PATH [--case gps] [--woods 6] [--songs 25] [--snr 20,10] [--searched 8] [--all-ways]

Woods of 4 x 4 recorders, 50 m apart (simulation/outdoors.py): spreading, air, ground, foliage, wind, clocks good to 0.3 ms
and coordinates to 0.5 m, as the list says (gps); or to 0.05 m (surveyed); or gps with one recorder whose clock is off by
0.2 s (late), or which is listed 15 m off (elsewhere), of which nobody knows. A song is inside the grid, or, in the last
third of the woods, outside: half a width of it to two from its middle. Detections are a table of OpenSoundscape's: for every
recorder in whose band of 1.5 to 7.5 kHz the song stands out by 6 dB, the clip of 3 s that begins with it. All are given the
recordings, this table, the band, the speed of sound, and the coordinates. Times are CPU seconds of one thread, files read,
after a first call.
Errors are horizontal. A direction is no place. "Of all": the median, with its standard error (bootstrap), over those songs
that every row has a place for; shares are of all songs. Then pairs: how much less the error of ours is, song by song.

PATH is a Python of its own, as OpenSoundscape's other parts need versions that do not go with ours:

    python3 -m venv peer
    peer/bin/pip install -c constraints.txt torch numpy scipy pandas librosa soundfile matplotlib ipython joblib
    peer/bin/pip install PyWavelets noisereduce aru-metadata-parser
    peer/bin/pip install --no-deps opensoundscape==0.13.2

Without PATH its rows are left out. It makes one candidate of every recorder that has the song, as reference: "all
references" is the one with the least residual, as its documentation advises; "one" that of the recorder in which the song
stands out most. Its algorithms are tried in 2-D and 3-D with its usual filter, with --all-ways with two filters and three
thresholds each; the best way has the least median error: it is chosen in hindsight.

pyroomacoustics' SRP says directions, by plane waves; its `mode="near"` is not handed on to its steering vectors. It is given
a plane of points and its own near-field vectors instead, with their sign turned: 2 m apart, in 100 Hz of the band, then
0.5 m in 500 Hz round the best three, then 0.15 m in the whole band. That takes long: only some songs are searched for.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
import soundfile
import torch

import soundfix
from soundfix import physics
from soundfix.files.microphones import write_microphones
from soundfix.localization.stations import AUDIBLE_DB, Stretch, loudness
from soundfix.microphones import Microphones
from soundfix.simulation.outdoors import RATE_HZ, Wood, draw_recorders, draw_singer, record_songs
from soundfix.simulation.synthesis import birds

SIDE, SPACING_M, CLOCK_S, GPS_M = 4, 50.0, 0.3e-3, 0.5
BAND_HZ, CLIP_S, EVERY_S = (1500.0, 7500.0), 3.0, 5.0
ACROSS_90 = 4.605  # 0.9 quantile of chi squared with 2 degrees of freedom
STAGES = ((2.0, 100.0), (0.5, 500.0), (0.15, 6000.0))  # of pyroomacoustics: metres between points, hertz of the band
BEST, SINGS_AT_M = 3, 5.0  # places that are looked at more closely; height of the plane over the recorders
HEAD = "| {} | answered | median, m | of all, m | p90, m | < 2 m | < 5 m | region of 90 % holds | events a second |"
PAIRS = "| {} | songs | nearer in | median difference, m |\n|---|---:|---:|---:|"
CASES = {
    "gps": (GPS_M, 0.0, 0.0),
    "surveyed": (0.05, 0.0, 0.0),
    "late": (GPS_M, 0.2, 0.0),
    "elsewhere": (GPS_M, 0.0, 15.0),
}
DRAWN = 400  # bootstrap samples


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One wood: a folder of recordings, their list and detections; where each song is (m), by the start of its clip (s)."""

    name: str
    folder: Path
    microphones: Microphones
    truth: dict[float, np.ndarray]
    is_inside: bool
    detected: dict[float, list[int]]  # recorders, the clearest first
    snr_db: float

    @property
    def files(self) -> list[str]:
        return [str(self.folder / f"{name}.wav") for name in self.microphones.names]


@dataclass(frozen=True)
class Said:
    """Of one song: where (m), and whether the region holds it, if there is one."""

    place: np.ndarray
    is_held: bool | None = None


Answers = dict[tuple[str, float], Said]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, help="with OpenSoundscape")
    parser.add_argument("--woods", type=int, default=6)
    parser.add_argument("--songs", type=int, default=25, help="in each")
    parser.add_argument("--snr", default="20,10", help="dB, the mean of all recorders")
    parser.add_argument("--case", default="gps", help=f"some of {', '.join(CASES)}")
    parser.add_argument("--all-ways", action="store_true", help="all filters and thresholds of OpenSoundscape")
    parser.add_argument("--searched", type=int, default=8, help="songs of each table that pyroomacoustics searches for")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.peer_python is None:
        print("without --peer-python OpenSoundscape is left out: see the first lines of this script", file=sys.stderr)
    for case, snr_db in product(options.case.split(","), map(float, options.snr.split(","))):
        with tempfile.TemporaryDirectory() as folder:
            woods = [recorded(Path(folder), k, options, snr_db, case) for k in range(options.woods)]
            compare(woods, options, f"{case}, {snr_db:g} dB")


def compare(woods: list[Recorded], options: argparse.Namespace, setting: str) -> None:
    """For songs inside, and outside: a table of all, and one of ours against each of the others."""
    rows: dict[str, tuple[Answers, Callable[[int], float]]] = {}
    for method in ("three-stream", "srp-phat"):
        ours(woods[0], method)  # compiles, and loads weights
        rows[f"soundfix, {method}"] = timed_over(woods, lambda wood, m=method: ours(wood, m))
    peer = opensoundscape(woods, options.peer_python, options.all_ways) if options.peer_python else None
    for is_inside in (True, False):
        chosen = [wood for wood in woods if wood.is_inside == is_inside]
        if not chosen:
            continue
        told = [(name, answers, seconds(is_inside)) for name, (answers, seconds) in rows.items()]
        told += peers_rows(peer, chosen)
        of_all = set.intersection(*(set(answers) for _, answers, _ in told))
        where = f"{setting}, {'inside' if is_inside else 'outside'}"
        print("\n" + HEAD.format(where) + "\n|---|" + 8 * "---:|", flush=True)
        for name, answers, each_s in told:
            print(line(name, chosen, answers, each_s, of_all), flush=True)
        some, each_s = pyroomacoustics(chosen, options.searched)
        if some:
            name = f"pyroomacoustics, SRP, points ({len(some)} songs)"
            print(line(name, chosen, some, each_s, of_all & set(some), only=set(some)))
        for mine, answers, _ in told[:2]:
            print("\n" + PAIRS.format(f"{where}: {mine}, against"))
            for name, others, _ in told[2:]:
                print(paired(name, chosen, answers, others), flush=True)


def recorded(folder: Path, seed: int, options: argparse.Namespace, snr_db: float, case: str) -> Recorded:
    """A wood, as files."""
    rng, is_inside = np.random.default_rng([seed, 5]), seed < options.woods - options.woods // 3
    gps_m, off_s, off_m = CASES[case]
    wood = Wood(rows=SIDE, columns=SIDE, spacing_m=SPACING_M, rough_m=4.0, snr_db=snr_db, gps_m=gps_m, clock_s=CLOCK_S)
    places = draw_recorders(wood, rng)
    places[:, 2] = rng.uniform(1.0, 2.0, len(places))
    starts = 3.0 + EVERY_S * np.arange(options.songs)
    songs = [
        (start, birds(rng.uniform(0.5, 1.5), sample_rate=RATE_HZ, rng=rng), singer(places, wood, is_inside, rng))
        for start in starts.tolist()
    ]
    late_s = CLOCK_S * rng.standard_normal(len(places))
    broken = seed % len(places)
    late_s[broken] += off_s
    scene = record_songs(wood, songs, places, late_s, rng, duration_s=starts[-1] + EVERY_S + 3, band_hz=BAND_HZ)
    positions = scene.microphones.positions.copy()
    positions[broken, 0] += off_m
    listed = Microphones(
        positions=positions, names=tuple(f"r{m:02}" for m in range(len(places))),
        sigma_m=np.full(len(places), gps_m), clock_sigma_s=np.full(len(places), CLOCK_S),
    )  # fmt: skip
    home = folder / f"wood{seed}"
    home.mkdir(parents=True)
    for name, sound in zip(listed.names, scene.audio, strict=True):
        soundfile.write(home / f"{name}.wav", sound, int(RATE_HZ), subtype="PCM_16")
    write_microphones(home / "stations.csv", listed)
    detected = {start: hearing(scene.audio, start) for start, _, _ in songs}
    result = Recorded(
        name=home.name, folder=home, microphones=listed, truth={start: place for start, _, place in songs},
        is_inside=is_inside, detected=detected, snr_db=snr_db,
    )  # fmt: skip
    tell_detections(result)
    return result


def singer(places: np.ndarray, wood: Wood, is_inside: bool, rng: np.random.Generator) -> np.ndarray:
    """Inside the grid; or in any direction from its middle, half a width to two of them, where that is not inside."""
    inside = draw_singer(places, wood, rng)
    if is_inside:
        return inside
    middle, width = places[:, :2].mean(axis=0), np.ptp(places[:, :2], axis=0).max()
    while True:
        angle, away_m = rng.uniform(0, 2 * np.pi), width * rng.uniform(0.5, 2.0)
        place = middle + away_m * np.array([np.cos(angle), np.sin(angle)])
        if (np.abs(place - middle) > 0.55 * width).any():
            return np.append(place, inside[2])


def hearing(audio: np.ndarray, start_s: float) -> list[int]:
    """Recorders in which the song stands out, the clearest first."""
    around = Stretch(audio=audio, sample_rate=RATE_HZ, start_s=0.0).part(start_s - 2.0, start_s + CLIP_S + 2.0)
    level_db = loudness(around, BAND_HZ).stands_out_db((start_s, start_s + CLIP_S), 0.0)
    return [int(m) for m in np.argsort(-level_db) if level_db[m] >= AUDIBLE_DB]


def tell_detections(wood: Recorded) -> None:
    """OpenSoundscape's table, which soundfix reads too."""
    rows = [f"{wood.files[m]},{t:g},{t + CLIP_S:g},1" for t, heard in wood.detected.items() for m in sorted(heard)]
    (wood.folder / "detections.csv").write_text("\n".join(["file,start_time,end_time,bird", *rows]) + "\n")


def timed_over(
    woods: Iterable[Recorded], locate: Callable[[Recorded], Answers]
) -> tuple[Answers, Callable[[int], float]]:
    """The answers, and CPU seconds of a song inside or outside."""
    answers: Answers = {}
    spent, songs = defaultdict(float), defaultdict(int)
    for wood in woods:
        started = process_time()
        answers |= locate(wood)
        spent[wood.is_inside] += process_time() - started
        songs[wood.is_inside] += sum(bool(heard) for heard in wood.detected.values())
    return answers, lambda is_inside: spent[bool(is_inside)] / songs[bool(is_inside)]


def ours(wood: Recorded, method: str) -> Answers:
    """Answers that have a place."""
    located = soundfix.locate(
        wood.folder, microphones=wood.folder / "stations.csv", events=wood.folder / "detections.csv", method=method,
        band_hz=BAND_HZ, temperature_c=15.0,
    )  # fmt: skip
    return {
        (wood.name, e.start_s): said(e, wood.truth[e.start_s])
        for e in located.estimates
        if e.sources and e.direction is None
    }


def said(estimate: soundfix.Estimate, truth: np.ndarray) -> Said:
    source = estimate.sources[0]
    off = (truth - source.position_m)[:2]
    return Said(source.position_m, bool(off @ np.linalg.solve(source.covariance_m2[:2, :2], off) <= ACROSS_90))


def line(
    name: str, woods: list[Recorded], answers: Answers, each_s: float, of_all: set[tuple[str, float]],
    only: set[tuple[str, float]] | None = None,
) -> str:  # fmt: skip
    """A row of the table: shares are of all songs, errors of those that were answered; of_all: by every row."""
    asked = [key for wood in woods for start in wood.truth if (key := (wood.name, start)) and (not only or key in only)]
    off = errors(woods, answers, [key for key in asked if key in answers])
    held = [answers[key].is_held for key in asked if key in answers and answers[key].is_held is not None]
    within = [100 * (off < metres).sum() / len(asked) for metres in (2, 5)]
    return (
        f"| {name} | {100 * len(off) / len(asked):.0f} % | {median(off)} | "
        f"{median(errors(woods, answers, [key for key in asked if key in of_all]))} | {np.quantile(off, 0.9):.2f} | "
        f"{within[0]:.0f} % | {within[1]:.0f} % | {f'{100 * np.mean(held):.0f} %' if held else '-'} | {1 / each_s:.3g} |"
    )


def paired(name: str, woods: list[Recorded], mine: Answers, others: Answers) -> str:
    """Ours against another row, song by song where both have a place: below 0 ours is nearer."""
    both = [key for wood in woods for start in wood.truth if (key := (wood.name, start)) in mine and key in others]
    less = errors(woods, mine, both) - errors(woods, others, both)
    return f"| {name} | {len(both)} | {100 * np.mean(less < 0):.0f} % | {median(less)} |"


def errors(woods: list[Recorded], answers: Answers, keys: list[tuple[str, float]]) -> np.ndarray:
    """How far off these answers are (m), across."""
    truth = {(wood.name, start): place for wood in woods for start, place in wood.truth.items()}
    return np.array([np.linalg.norm((answers[key].place - truth[key])[:2]) for key in keys])


def median(values: np.ndarray) -> str:
    """With its standard error."""
    if not len(values):
        return "-"
    drawn = np.random.default_rng(0).choice(values, (DRAWN, len(values)))
    return f"{np.median(values):.2f} ± {np.median(drawn, axis=1).std():.2f}"


def opensoundscape(woods: list[Recorded], python: Path, all_ways: bool) -> dict:
    """What it says of every candidate, in every way."""
    job = [
        {
            "name": wood.name, "stations": str(wood.folder / "peer_stations.csv"),
            "detections": str(wood.folder / "detections.csv"), "band_hz": BAND_HZ,
            "speed_m_s": physics.speed_of_sound(15.0), "width_m": wood.microphones.width_m,
        }
        for wood in woods
    ]  # fmt: skip
    for wood in woods:
        rows = [f"{file},{x},{y},{z}" for file, (x, y, z) in zip(wood.files, wood.microphones.positions, strict=True)]
        (wood.folder / "peer_stations.csv").write_text("\n".join(["file,x,y,z", *rows]) + "\n")
    asked, answers = (woods[0].folder / f"{name}.json" for name in ("job", "answers"))
    asked.write_text(json.dumps({"woods": job, "all_ways": all_ways}))
    script = Path(__file__).with_name("peers_opensoundscape.py")
    alone = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    alone |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([python, script, asked, answers], check=True, env=alone)
    return json.loads(answers.read_text())


def peers_rows(peer: dict | None, woods: list[Recorded]) -> list[tuple[str, Answers, float]]:
    """Its defaults, its best way, and its delays located by us; each from all references, and from one."""
    if peer is None:
        return []
    rows = [row for row in peer["rows"] if row["wood"] in {wood.name for wood in woods}]
    clearest = {(w.name, t): w.files[heard[0]] for w in woods for t, heard in w.detected.items() if heard}
    one = [row for row in rows if row["reference"] == clearest.get(key_of(row))]
    default, told = "least_squares, 3-D, phat", []
    for references, some in (("all references", rows), ("one", one)):
        ways = defaultdict(list)
        for row in some:
            ways[row["way"]].append(row)
        best = min(ways, key=lambda way: score(least_residual(ways[way]), woods))
        for what, way in (("defaults", default), ("best", best)):
            name = f"OpenSoundscape {peer['version']}, {what} ({way}), {references}"
            told.append((name, least_residual(ways[way]), seconds(ways[way])))
    started, mine = process_time(), [row for row in one if row["way"] == default]
    answers = {key_of(row): by_delays(row, woods) for row in mine}
    each_s = (process_time() - started) / len(mine) + seconds(mine)
    return [
        *told,
        ("OpenSoundscape's delays (one), `locate --delays`", {k: s for k, s in answers.items() if s}, each_s),
    ]


def key_of(row: dict) -> tuple[str, float]:
    return row["wood"], row["start_s"]


def least_residual(rows: list[dict]) -> Answers:
    """Of each song the candidate that its delays suit best."""
    best: dict[tuple[str, float], dict] = {}
    for row in rows:
        if key_of(row) not in best or row["residual_m"] < best[key_of(row)]["residual_m"]:
            best[key_of(row)] = row
    return {key: Said(np.array([*row["place"], 0.0][:3])) for key, row in best.items()}


def score(answers: Answers, woods: list[Recorded]) -> float:
    """The median error of all songs."""
    off = [
        np.linalg.norm((answers[wood.name, start].place - place)[:2]) if (wood.name, start) in answers else np.inf
        for wood in woods
        for start, place in wood.truth.items()
    ]
    return float(np.median(off))


def seconds(rows: list[dict]) -> float:
    """CPU seconds of a song."""
    songs = {key_of(row) for row in rows}
    return sum(row["correlated_s"] + row["solved_s"] for row in rows) / len(songs)


def by_delays(row: dict, woods: list[Recorded]) -> Said | None:
    """Where `locate --delays` puts the song, by delays that somebody else measured."""
    wood = next(wood for wood in woods if wood.name == row["wood"])
    arrived_s = np.full(len(wood.microphones), np.nan)
    for file, delay_s in row["delays"].items():
        arrived_s[wood.files.index(file)] = delay_s
    found = soundfix.locate_delays(arrived_s[None], wood.microphones, temperature_c=15.0).estimates[0]
    is_place = found.sources and found.direction is None
    return said(found, wood.truth[row["start_s"]]) if is_place else None


def pyroomacoustics(woods: list[Recorded], count: int) -> tuple[Answers, float]:
    """A few songs, as one takes it minutes."""
    keys = [(wood, start) for wood in woods for start, heard in wood.detected.items() if len(heard) > 3]
    chosen = keys[:: max(1, len(keys) // count)][:count] if count else []
    started, answers = process_time(), {}
    for wood, start in chosen:
        answers[wood.name, start] = Said(steered(wood, start))
    return answers, (process_time() - started) / max(1, len(chosen))


def steered(wood: Recorded, start_s: float) -> np.ndarray:
    """The point of the highest steered response, by stages."""
    heard = sorted(wood.detected[start_s])
    first, count = round(start_s * RATE_HZ), round(CLIP_S * RATE_HZ)
    sound = np.stack([soundfile.read(wood.files[m], start=first, frames=count)[0] for m in heard])
    places = wood.microphones.positions[heard]
    low, high = wood.microphones.positions.min(axis=0), wood.microphones.positions.max(axis=0)
    margin_m = 5.0 if wood.is_inside else 2 * (high - low).max()
    step_m = STAGES[0][0] if wood.is_inside else 4 * STAGES[0][0]
    height_m = places[:, 2].mean() + SINGS_AT_M
    points = plane([low - margin_m, high + margin_m], step_m, height_m)
    for (next_m, _), (_, width_hz) in zip((*STAGES[1:], (0.0, 0.0)), STAGES, strict=True):
        values = response(sound, places, points, (BAND_HZ[0] + 500, min(BAND_HZ[1], BAND_HZ[0] + 500 + width_hz)))
        best = points[np.argsort(-values)[:BEST]]
        if not next_m:
            return best[0]
        around = [plane([each - step_m, each + step_m], next_m, height_m) for each in best]
        points, step_m = np.concatenate(around), next_m
    raise AssertionError


def plane(corners: list[np.ndarray], step_m: float, height_m: float) -> np.ndarray:
    x, y = (np.arange(corners[0][axis], corners[1][axis] + step_m / 2, step_m) for axis in (0, 1))
    across = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return np.column_stack([across, np.full(len(across), height_m)])


def response(sound: np.ndarray, places: np.ndarray, points: np.ndarray, band_hz: tuple[float, float]) -> np.ndarray:
    """pyroomacoustics' own steered response, with its own near-field vectors at these points (m), of one frame."""
    from pyroomacoustics.doa import SRP
    from pyroomacoustics.doa.doa import ModeVector
    from pyroomacoustics.doa.grid import GridCircle

    size = 2 ** int(np.ceil(np.log2(sound.shape[1])))
    spectrum = np.fft.rfft(sound, size)[:, :, None]
    grid = GridCircle(n_points=len(points))
    grid.x, grid.y, grid.z = points.T.copy()
    speed_m_s = physics.speed_of_sound(15.0)
    srp = SRP(places.T, RATE_HZ, size, c=speed_m_s, n_grid=8)
    srp.grid, srp.mode_vec = grid, ModeVector(places.T, RATE_HZ, size, speed_m_s, grid, mode="near")
    srp.mode_vec.tau = -srp.mode_vec.tau  # it steers to where waves come from: what is further is heard later
    srp.locate_sources(spectrum, freq_range=list(band_hz))
    return np.asarray(grid.values)


if __name__ == "__main__":
    main()
