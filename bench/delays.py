"""Places from delays, some of them wrong: errors and regions, beside least squares.

Recorders at random over 300 m, relief 10 % of that, a source among them at a known height; delays with Gaussian errors, of
which a share is wrong by up to 0.3 s; positions that are off by as much as the list says. 60 sounds a row.

    python bench/delays.py
"""

import itertools

import numpy as np
from scipy.optimize import least_squares

import soundfix
from soundfix import physics
from soundfix.delays import Delays

WIDTH_M, RELIEF, SOUNDS, WRONG_S = 300.0, 0.1, 60, 0.3
SPEED_M_S = physics.SPEED_OF_SOUND_M_S


def main() -> None:
    print(
        "recorders | wrong | delays, positions | median m | p90 m | least squares m | hold the place | several places | none"
    )
    for count, wrong, (sigma_s, sigma_m) in itertools.product(
        (6, 8, 12, 25), (0.0, 0.15, 0.3), ((1e-4, 0.0), (1e-3, 0.3), (3e-3, 1.0))
    ):
        found = [trial(count, wrong, sigma_s, sigma_m, np.random.default_rng(seed)) for seed in range(SOUNDS)]
        answered = [each for each in found if each["error"] is not None]
        errors = [each["error"] for each in answered] or [np.nan]
        print(
            f"{count:3d} | {wrong:4.0%} | {1e3 * sigma_s:.1f} ms, {sigma_m:.1f} m | {np.median(errors):6.2f} | "
            f"{np.quantile(errors, 0.9):6.2f} | {np.median([each['least_squares'] for each in found]):6.2f} | "
            f"{np.mean([each['held'] for each in answered]):4.0%} | {sum(each['several'] for each in answered)} | "
            f"{SOUNDS - len(answered)}"
        )


def trial(count, wrong, sigma_s, sigma_m, rng):
    positions = rng.uniform(0, WIDTH_M, (count, 3)) * [1, 1, RELIEF]
    source = rng.uniform(0.1 * WIDTH_M, 0.9 * WIDTH_M, 3) * [1, 1, RELIEF]
    times_s = np.linalg.norm(positions - source, axis=1) / SPEED_M_S + sigma_s * rng.standard_normal(count)
    is_wrong = rng.permutation(count) < round(wrong * count)
    times_s[is_wrong] += rng.uniform(-WRONG_S, WRONG_S, is_wrong.sum())
    listed = positions + sigma_m * rng.standard_normal(positions.shape)
    microphones = soundfix.Microphones(positions=listed, sigma_m=np.full(count, sigma_m))
    delays = Delays(label="a", first=np.arange(count), delay_s=times_s)
    estimate = soundfix.locate_delays([delays], microphones, height_m=float(source[2])).estimates[0]
    off = [each.position_m - source for each in estimate.sources]
    held = [
        o[:2] @ np.linalg.inv(s.covariance_m2[:2, :2]) @ o[:2] < 4.605
        for o, s in zip(off, estimate.sources, strict=True)
    ]
    return {
        "error": float(np.linalg.norm(off[0])) if off else None,
        "held": any(held),
        "several": len(off) > 1,
        "least_squares": float(np.linalg.norm(plain(times_s, listed, source[2]) - source[:2])),
    }


def plain(times_s, positions, height_m):
    """Least squares from the middle of the recorders."""

    def misfit(unknowns):
        place = [*unknowns[:2], height_m]
        return SPEED_M_S * times_s - np.linalg.norm(positions - place, axis=1) - unknowns[2]

    return least_squares(misfit, [*positions[:, :2].mean(axis=0), 0.0]).x[:2]


if __name__ == "__main__":
    main()
