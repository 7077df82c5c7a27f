"""The slow, literal form of every kernel: loops and definitions, the judge of the fast ones."""

import cmath
import itertools

import numpy as np
from jaxtyping import Complex, Float


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


def coherence(x, y, segment, hop, band_bins):
    """Magnitude-squared coherence of two signals by Welch's method, bin by bin, averaged over the bins."""
    hann = [0.5 - 0.5 * np.cos(2 * np.pi * n / segment) for n in range(segment)]
    values = []
    for k in band_bins:
        xx = yy = 0.0
        xy = 0.0 + 0.0j
        for start in range(0, len(x) - segment + 1, hop):
            a = sum(hann[n] * x[start + n] * cmath.exp(-2j * cmath.pi * k * n / segment) for n in range(segment))
            b = sum(hann[n] * y[start + n] * cmath.exp(-2j * cmath.pi * k * n / segment) for n in range(segment))
            xx, yy, xy = xx + abs(a) ** 2, yy + abs(b) ** 2, xy + a * b.conjugate()
        values.append(abs(xy) ** 2 / (xx * yy))
    return sum(values) / len(values)


def attention(q, k, v, *, keep=None, is_key=None):
    """softmax(q k^T / sqrt(d)) v for one head, query by query; keep: all but the best so many keys are forgotten."""
    out, all_weights = [], []
    for query in q:
        scores = [
            float(query @ key) / len(query) ** 0.5 if is_key is None or is_key[n] else -np.inf
            for n, key in enumerate(k)
        ]
        best = sorted(range(len(k)), key=lambda n: -scores[n])[: keep or len(k)]
        total = sum(np.exp(scores[n]) for n in best)
        weights = [np.exp(scores[n]) / total if n in best and total > 0 else 0.0 for n in range(len(k))]
        out.append(sum(w * value for w, value in zip(weights, v, strict=True)))
        all_weights.append(weights)
    return np.array(out), np.array(all_weights)


def eq8_printed(sounds, true_sounds, microphones, true_microphones, sources, true_sources, lambdas):
    """Eq. 8 of arXiv 2505.20961 as it is printed, for one scene; the sound term per microphone is a mean over samples."""
    true_sources = _in_best_order(sources, true_sources)
    sound = sum(np.mean((s - t) ** 2) for s, t in zip(sounds, true_sounds, strict=True))
    mloc = sum(np.sum((r - t) ** 2) for r, t in zip(microphones, true_microphones, strict=True))
    sloc = 0.0
    for i in range(len(sources)):
        for j in range(i + 1, len(sources)):
            guessed, true = sources[i] - sources[j], true_sources[i] - true_sources[j]
            sloc += abs(guessed @ guessed - true @ true)
    return lambdas[0] * sound + lambdas[1] * mloc + lambdas[2] * sloc


def eq8_placed(sounds, true_sounds, microphones, true_microphones, sources, true_sources, lambdas):
    """The reading that is trained, for one scene: means; sources themselves, in their best order; pairs of all points."""
    true_sources = _in_best_order(sources, true_sources)
    sound = np.mean([(s - t) ** 2 for s, t in zip(sounds, true_sounds, strict=True)])
    mloc = np.mean([np.sum((r - t) ** 2) for r, t in zip(microphones, true_microphones, strict=True)])
    sloc = np.mean([np.sum((r - t) ** 2) for r, t in zip(sources, true_sources, strict=True)])
    points, truths = np.concatenate([sources, microphones]), np.concatenate([true_sources, true_microphones])
    gaps = []
    for i in range(len(points)):
        for j in range(i + 1, len(points)):
            guessed, true = points[i] - points[j], truths[i] - truths[j]
            gaps.append(abs(guessed @ guessed - true @ true))
    return lambdas[0] * sound + lambdas[1] * mloc + lambdas[2] * (sloc + np.mean(gaps))


def _in_best_order(sources, true_sources):
    orders = [list(order) for order in itertools.permutations(range(len(sources)))]
    return true_sources[
        min(
            orders, key=lambda order: sum(np.sum((sources[k] - true_sources[order[k]]) ** 2) for k in range(len(order)))
        )
    ]


def likelihood_cross_entropy(scores, points, truth, width_m):
    """Cross-entropy of softmax(scores) over the points against a Gaussian of this width round the truth."""
    near = np.array([np.exp(-np.sum((point - truth) ** 2) / (2 * width_m**2)) for point in points])
    target = near / near.sum()
    log_p = scores - np.log(np.sum(np.exp(scores - scores.max()))) - scores.max()
    return -sum(t * p for t, p in zip(target, log_p, strict=True))


def log_likelihood(curves, gates, pairs, positions, point, speed, lags_a_second, sigma, sharpness):
    """beta / sqrt(P) sum_ij w_ij l_ij(tau_ij(x)) / sigma, pair by pair, linear between lags."""
    total, used = 0.0, 0
    for curve, gate, (i, j) in zip(curves, gates, pairs, strict=True):
        tau = (np.linalg.norm(point - positions[i]) - np.linalg.norm(point - positions[j])) / speed
        lag = tau * lags_a_second + len(curve) // 2
        below = int(np.floor(lag))
        total += gate * (curve[below] * (below + 1 - lag) + curve[below + 1] * (lag - below)) / sigma
        used += gate > 0
    return sharpness * total / used**0.5


def masked_correlation(x, y, mask_x, mask_y, *, frame, hop, whiten, lags):
    """Correlation at some lags of two sounds passed through time-frequency masks, then weighted by `whiten`(spectrum).

    The masked sound is put together again frame by frame (overlap-add with the squared window divided out).
    """
    whole = [_through_mask(signal, mask, frame, hop) for signal, mask in ((x, mask_x), (y, mask_y))]
    length = 2 * len(x)
    weights = [whiten(np.fft.rfft(signal, length)) for signal in (x, y)]
    spectra = [np.fft.rfft(passed, length) * weight for passed, weight in zip(whole, weights, strict=True)]
    bins = sum(weights[0] > 0)
    spectra = [s / np.sqrt(np.sum(np.abs(s) ** 2) / bins) for s in spectra]
    result = []
    for lag in lags:
        phase = np.exp(2j * np.pi * np.arange(len(spectra[0])) * lag / length)
        result.append(np.sum((spectra[0] * spectra[1].conj() * phase).real) / bins)
    return np.array(result)


def _through_mask(signal, mask, frame, hop):
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    padded = np.pad(signal, frame // 2)
    out, weight = np.zeros(len(padded)), np.zeros(len(padded))
    for number in range(mask.shape[1]):
        part = slice(number * hop, number * hop + frame)
        spectrum = np.fft.rfft(padded[part] * window) * mask[:, number]
        out[part] += np.fft.irfft(spectrum) * window
        weight[part] += window**2
    return (out / np.maximum(weight, 1e-12))[frame // 2 : frame // 2 + len(signal)]


def steered_fit(
    spectra: Complex[np.ndarray, "mic frame freq"], wavenumbers: Float[np.ndarray, "freq"],
    offsets_m: Float[np.ndarray, "mic 3"], unit: Float[np.ndarray, "3"], *, slack_m: float, own: float, floor: float,
) -> float:  # fmt: skip
    """steering.py's log-likelihood of one direction, cell by cell, as its docstring has it."""
    total = 0.0
    for f, k in enumerate(wavenumbers):
        noise = np.zeros((len(offsets_m), len(offsets_m)))
        for i, first in enumerate(offsets_m):
            for j, second in enumerate(offsets_m):
                turn = k * np.linalg.norm(first - second)
                noise[i, j] = np.sin(turn) / turn if i != j else 1 + own + (k * slack_m) ** 2
        inverse = np.linalg.inv(noise)
        steering = np.exp(1j * k * offsets_m @ unit)
        for t in range(spectra.shape[1]):
            x = spectra[:, t, f]
            rho = abs(steering.conj() @ inverse @ x) ** 2 / (
                (steering.conj() @ inverse @ steering).real * (x.conj() @ inverse @ x).real
            )
            total -= np.log(1 - rho + floor)
    return total
