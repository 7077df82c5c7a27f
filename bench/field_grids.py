"""Recorders in a wood: where does something sing, and how well is that known? Simulated grids (simulation/outdoors.py).

    python bench/field_grids.py [--events 24] [--methods three-stream,srp-phat] [--cells ...]

Each cell is a grid of 3 x 3 recorders, 40 m apart, that is drawn anew for every event; a song lasts 0.5 to 1.5 s of 3 s.
Errors are horizontal (m); held: 90 % regions that hold the source, across (seen from above) and in 3-D; r90: their radius.
"""

import argparse
from dataclasses import replace
from time import process_time

import numpy as np

from soundfix import physics
from soundfix.estimate import Localizer
from soundfix.methods.catalog import load
from soundfix.scene import Scene
from soundfix.simulation.outdoors import RATE_HZ, Wood, draw_recorders, draw_singer, record, told
from soundfix.simulation.synthesis import birds

CELLS = {
    "20 dB, 0.1 ms": (Wood(), {}),
    "10 dB": (Wood(snr_db=10.0), {}),
    "0 dB, band": (Wood(snr_db=0.0), {"band": True}),
    "20 dB, GPS 1 m": (Wood(gps_m=1.0), {"sigma": 1.0}),
    "20 dB, GPS 1 m, undeclared": (Wood(gps_m=1.0), {}),
    "20 dB, clocks 1 ms": (Wood(clock_s=1e-3), {"clock": 1e-3}),
    "20 dB, clocks 1 ms, undeclared": (Wood(clock_s=1e-3), {}),
    "0 C taken for 20": (Wood(temperature_c=0.0, told_c=20.0), {}),
}
BAND_HZ = (1500.0, 7500.0)
ACROSS_90 = 4.605  # 0.9 quantile of chi squared with 2 degrees of freedom


def event(wood: Wood, seed: int, options: dict) -> tuple[Scene, np.ndarray]:
    """One window, as it is given to a method, and where the singer is."""
    rng = np.random.default_rng(seed)
    places = draw_recorders(wood, rng)
    singer = draw_singer(places, wood, rng)
    song = birds(rng.uniform(0.5, 1.5), sample_rate=RATE_HZ, rng=rng)
    scene = record(wood, song, places, singer, rng, duration_s=3.0)
    if options.get("band"):
        scene = replace(scene, band_hz=BAND_HZ)
    if "sigma" in options:
        scene = told(scene, position_sigma_m=options["sigma"])
    if "clock" in options:
        sigma_s = np.full(len(places), options["clock"])
        scene = replace(scene, microphones=replace(scene.microphones, clock_sigma_s=sigma_s))
    return scene, singer


def across90(covariance_m2: np.ndarray) -> float:
    """Radius (m) of the circle that holds 90 %, seen from above."""
    flat = np.zeros((3, 3))
    flat[:2, :2] = covariance_m2[:2, :2]
    return physics.radius90(flat)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=24)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--methods", default="three-stream,srp-phat")
    parser.add_argument("--cells", default=",".join(str(k) for k in range(len(CELLS))), help="numbers from 0")
    options = parser.parse_args()
    chosen = [list(CELLS.items())[int(k)] for k in options.cells.split(",")]
    print(
        "| cell | method | answered | ok | median | p90 | < 1 m | < 5 m | accused | held | held 3-D | r90 across | r90 | s |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, (wood, told_options) in chosen:
        for method in options.methods.split(","):
            print(line(name, method, wood, told_options, options), flush=True)


def line(name: str, method: str, wood: Wood, told_options: dict, options: argparse.Namespace) -> str:
    localizer = load(method)
    seeds = range(options.first_seed, options.first_seed + options.events)
    rows = [judged(localizer, *event(wood, seed, told_options)) for seed in seeds]
    answered, ok, error, accused, flat, whole, across, r90, took = np.array(rows, dtype=float).T
    shares = [100 * np.mean(each) for each in (answered, ok, error < 1, error < 5)]
    held = [100 * np.nanmean(each) for each in (flat, whole)]
    return (
        f"| {name} | {method} | {shares[0]:.0f} % | {shares[1]:.0f} % | "
        f"{np.median(error):.3f} | {np.quantile(error, 0.9):.2f} | "
        f"{shares[2]:.0f} % | {shares[3]:.0f} % | {accused.mean():.1f} | {held[0]:.0f} % | {held[1]:.0f} % | "
        f"{np.nanmedian(across):.2f} | {np.nanmedian(r90):.2f} | {took.mean():.2f} |"
    )


def judged(localizer: Localizer, scene: Scene, singer: np.ndarray) -> tuple[float, ...]:
    """answered, ok, error, accused, held across, held, radius across, radius, seconds; NaN where there is no region."""
    started = process_time()
    estimate = localizer.locate(replace(scene, truth=None))
    took_s = process_time() - started
    accused = sum(report.status not in ("ok", "unknown-position") for report in estimate.microphones)
    if not estimate.sources:
        guess = estimate.guess_m[0] if estimate.guess_m is not None else np.full(3, np.inf)
        return False, False, float(np.linalg.norm((guess - singer)[:2])), accused, *4 * [np.nan], took_s
    source = estimate.sources[0]
    off, covariance = singer - source.position_m, source.covariance_m2
    flat = off[:2] @ np.linalg.solve(covariance[:2, :2], off[:2]) <= ACROSS_90
    whole = off @ np.linalg.solve(covariance, off) <= physics.REGION_90
    error = float(np.linalg.norm(off[:2]))
    return True, estimate.verdict == "ok", error, accused, flat, whole, across90(covariance), source.radius90_m, took_s


if __name__ == "__main__":
    main()
