"""Recorders in a wood whose clocks are off: what does `soundfix.calibrate` tell of a few songs? (simulation/outdoors.py)

    python bench/field_clocks.py [--takes 8] [--cells ...]

Each take is a grid of 3 x 3 recorders, 40 m apart, drawn anew, with so many songs of 0.5 to 1.5 s, one every 6 s. Clocks:
all good to 0.3 ms; or a third of them off by 5 to 50 ms besides; or all by up to 50 ms either way (free); or one recorder
15 m from where it is listed. Then a further song of the same wood is located with the list as it was and as corrected.
"""

import argparse
from collections import Counter
from dataclasses import replace

import numpy as np

import soundfix
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.simulation.outdoors import RATE_HZ, Wood, draw_recorders, draw_singer, record_songs
from soundfix.simulation.synthesis import birds

GAP_S, FIRST_S = 6.0, 2.0
OFF_S, USUAL_S, FREE_S = (5e-3, 50e-3), 0.3e-3, 50e-3
FAR_M = 15.0
SURELY_OFF_S = 4e-3  # a clock that is off by as much is one that is to be found
CELLS = {
    f"{clocks}, {songs} songs, GPS {gps_m:g} m, {snr_db:g} dB": (clocks, songs, gps_m, snr_db)
    for clocks in ("on time", "a third off", "free", "one elsewhere")
    for songs, gps_m, snr_db in ((3, 0.3, 20.0), (3, 1.0, 10.0), (5, 0.5, 15.0), (10, 1.0, 10.0))
}


def clocks_of(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """How late each recorder is (s)."""
    if kind == "free":
        return rng.uniform(-FREE_S, FREE_S, count)
    late_s = USUAL_S * rng.standard_normal(count)
    off = rng.permutation(count)[: count // 3 if kind == "a third off" else 0]
    late_s[off] += rng.choice([-1, 1], len(off)) * rng.uniform(*OFF_S, len(off))
    return late_s


def take(kind: str, songs: int, wood: Wood, seed: int) -> tuple[Scene, np.ndarray, int | None]:
    """A recording with one song more, how late the recorders are (s), and who is elsewhere."""
    rng = np.random.default_rng(seed)
    places = draw_recorders(wood, rng)
    late_s = clocks_of(kind, len(places), rng)
    sung = [
        (
            FIRST_S + GAP_S * k,
            birds(rng.uniform(0.5, 1.5), sample_rate=RATE_HZ, rng=rng),
            draw_singer(places, wood, rng),
        )
        for k in range(songs + 1)
    ]
    scene = record_songs(wood, sung, places, late_s, rng, duration_s=FIRST_S + GAP_S * (songs + 1))
    if kind != "one elsewhere":
        return scene, late_s, None
    who, angle = int(rng.integers(len(places))), rng.uniform(0, 2 * np.pi)
    listed = scene.microphones.positions.copy()
    listed[who] += FAR_M * np.array([np.cos(angle), np.sin(angle), 0])
    return replace(scene, microphones=Microphones(positions=listed)), late_s, who


def judged(kind: str, songs: int, wood: Wood, seed: int) -> dict:
    """What was found of one take."""
    scene, late_s, who = take(kind, songs, wood, seed)
    listed = replace(scene.microphones, sigma_m=np.full(len(late_s), wood.gps_m))
    until = round((FIRST_S + GAP_S * songs - 1.0) * RATE_HZ)
    found = soundfix.calibrate(
        scene.audio[:, :until], listed, sample_rate=RATE_HZ, temperature_c=wood.told_c,
        clocks="free" if kind == "free" else "common",
    )  # fmt: skip
    calibration = found.calibration
    names = [each.name for each in calibration.repairs]
    reference_s = late_s[names.index(calibration.reference)] if calibration.reference else np.median(late_s)
    truth_s = late_s - reference_s
    row = {"counts": Counter(), "off_ms": [], "sigmas": [], "doubtful": calibration.is_doubtful}
    for m, repair in enumerate(calibration.repairs):
        true = "elsewhere" if m == who else "off" if abs(truth_s[m]) > SURELY_OFF_S else "fine"
        row["counts"][true, repair.finding] += 1
        if repair.finding == "late" and true == "off":
            row["off_ms"].append(1e3 * abs(repair.offset_s - truth_s[m]))
            row["sigmas"].append(abs(repair.offset_s - truth_s[m]) / repair.offset_sigma_s)
    singer = scene.truth.sources[-1]
    row["errors"] = [error_m(scene, microphones, singer, until) for microphones in (listed, found.microphones)]
    return row


def error_m(scene: Scene, microphones: Microphones, singer: np.ndarray, first: int) -> float:
    """Of the last song (srp-phat), across; infinite where there is no answer."""
    window = replace(
        scene, audio=scene.audio[:, first : first + round(3.0 * RATE_HZ)], microphones=microphones, truth=None
    )
    estimate = soundfix.load("srp-phat").locate(window)
    return float(np.linalg.norm((estimate.sources[0].position_m - singer)[:2])) if estimate.sources else np.inf


def line(name: str, takes: int, first_seed: int) -> str:
    kind, songs, gps_m, snr_db = CELLS[name]
    wood = Wood(gps_m=gps_m, snr_db=snr_db)
    rows = [judged(kind, songs, wood, seed) for seed in range(first_seed, first_seed + takes)]
    counts = sum((row["counts"] for row in rows), Counter())
    off_ms, sigmas = (np.array([each for row in rows for each in row[key]]) for key in ("off_ms", "sigmas"))
    total = sum(n for (true, _), n in counts.items() if true == "off")
    accused = sum(counts["fine", finding] for finding in ("elsewhere", *(("late",) if kind != "free" else ())))
    fine = sum(n for (true, _), n in counts.items() if true == "fine")
    wrong = counts["off", "on time"] + counts["elsewhere", "on time"]
    errors = np.median([row["errors"] for row in rows], axis=0)
    told = f"{np.median(off_ms):.1f} / {off_ms.max():.1f} | {np.mean(sigmas < 1.645):.0%}" if len(off_ms) else "- | -"
    return (
        f"| {name} | {counts['off', 'late']} of {total} | {told} | {wrong} | {accused} of {fine} | "
        f"{counts['fine', 'on time']} | {counts['elsewhere', 'elsewhere']}, {counts['elsewhere', 'late']} | "
        f"{sum(row['doubtful'] for row in rows)} of {takes} | {errors[0]:.2f} -> {errors[1]:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--takes", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--cells", default=",".join(str(k) for k in range(len(CELLS))), help="numbers from 0")
    options = parser.parse_args()
    print(
        "| cell | clocks found | off by: median / largest, ms | within 90 % | off or elsewhere, called on time | "
        "fine, accused | fine, called on time | elsewhere: named, called late | doubtful | a song's error, m |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for k in options.cells.split(","):
        print(line(list(CELLS)[int(k)], options.takes, options.first_seed), flush=True)


if __name__ == "__main__":
    main()
