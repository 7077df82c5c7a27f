"""The slow, literal form of every kernel: loops and definitions, the judge of the fast ones."""

import cmath

import numpy as np


def correlation(x, y, lags, band_hz, sample_rate, length):
    """R(tau) of two signals by summing the definition over frequency, whitened (PHAT) inside the band."""
    frequencies = [k * sample_rate / length for k in range(length // 2 + 1)]
    bins = range(length // 2 + 1)
    spectra = [
        [sum(v * cmath.exp(-2j * cmath.pi * k * n / length) for n, v in enumerate(signal)) for k in bins]
        for signal in (x, y)
    ]
    inside = [k for k, f in enumerate(frequencies) if max(band_hz[0], 1e-9) <= f <= band_hz[1]]
    result = []
    for lag in lags:
        total = 0.0
        for k in inside:
            cross = spectra[0][k] * spectra[1][k].conjugate()
            weight = 1.0 if k in (0, length // 2) else 2.0
            total += weight * (cross / abs(cross) * cmath.exp(2j * cmath.pi * k * lag / length)).real
        result.append(total / (2 * len(inside)))
    return np.array(result)


def steered_power(evidence, point, positions):
    """Mean evidence of all pairs at one point, pair by pair, linear between lags."""
    total = 0.0
    for curve, (i, j) in zip(evidence.values, evidence.pairs, strict=True):
        difference = np.linalg.norm(point - positions[i]) - np.linalg.norm(point - positions[j])
        lag = difference / evidence.step_m + len(curve) // 2
        below = int(np.floor(lag))
        total += curve[below] * (below + 1 - lag) + curve[below + 1] * (lag - below)
    return total / len(evidence.pairs)


def fisher_information(point, positions, sigma_m, step_m=1e-4):
    """Of x, y, z by numerical differentiation of the arrival times' likelihood, with t0 as a fourth unknown taken out."""

    def arrivals(unknowns):
        return np.linalg.norm(unknowns[:3] - positions, axis=1) + unknowns[3]

    at = np.array([*point, 0.0])
    slopes = np.array([(arrivals(at + e) - arrivals(at - e)) / (2 * step_m) for e in step_m * np.eye(4)])
    whole = slopes @ np.diag(1 / np.broadcast_to(sigma_m, len(positions)) ** 2) @ slopes.T
    return whole[:3, :3] - np.outer(whole[:3, 3], whole[3, :3]) / whole[3, 3]


def profile(evidence, point, positions, m, shift_steps):
    """Mean evidence of the pairs of microphone m, as if it had heard the source `shift_steps` lags later."""
    values = []
    for curve, (i, j) in zip(evidence.values, evidence.pairs, strict=True):
        difference = np.linalg.norm(point - positions[i]) - np.linalg.norm(point - positions[j])
        lag = round(difference / evidence.step_m) + len(curve) // 2
        if i == m:
            values.append(curve[lag + shift_steps])
        if j == m:
            values.append(curve[lag - shift_steps])
    return float(np.mean(values))


def cauchy_loss(point, differences_m, pairs, positions, scale_m):
    """Sum over the pairs of log(1 + (residual / scale)²), pair by pair."""
    total = 0.0
    for measured, (i, j) in zip(differences_m, pairs, strict=True):
        expected = np.linalg.norm(point - positions[i]) - np.linalg.norm(point - positions[j])
        total += np.log(1 + ((expected - measured) / scale_m) ** 2)
    return total


def cramer_rao(point, positions, sigma_m, box, step_m=1e-3):
    """Inverse Hessian of -log p(arrivals | x, t0) - log p(x) by second differences, t0 taken out by its best value."""
    measured = np.linalg.norm(point - positions, axis=1)
    weights = 1 / np.broadcast_to(sigma_m, len(positions)) ** 2
    precision = 12 / np.maximum(box[1] - box[0], 1e-3) ** 2

    def cost(x):
        residual = measured - np.linalg.norm(x - positions, axis=1)
        residual = residual - np.sum(weights * residual) / np.sum(weights)
        return 0.5 * np.sum(weights * residual**2) + 0.5 * np.sum(precision * (x - point) ** 2)

    def corner(a, b):
        return cost(point + step_m * (a + b))

    axes = np.eye(3)
    hessian = [
        [(corner(a, b) - corner(a, -b) - corner(-a, b) + corner(-a, -b)) / (4 * step_m**2) for b in axes] for a in axes
    ]
    return np.linalg.inv(hessian)
