"""Who else heard it? Recorders that nobody listed may hear something else, and are believed only where they agree.

The others put the sound at a place x, and hear it at a_j = |x - r_j| + e_j (arrival_fit.py): made as much earlier, what they
heard is one and the same sound. A recorder w that hears it too has with their sum

    C_w(d) = sum_j l_wj(a_w(x) - a_j + d)

one peak, as near to 0 as the region of x and the errors of its own coordinates and clock allow. What sounds elsewhere at the
same time has its peak with one of them here, with another one there: so the peak must stand out as well without the one that
says most of it. The place is then fitted to all of them; should it leave the region of the first answer, that stays.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from soundfix import physics
from soundfix.estimate import Finding
from soundfix.localization.arrival_errors import others_sigma_m
from soundfix.localization.arrival_fit import Arrivals, Fix, Known, refit
from soundfix.localization.correlate import Correlator
from soundfix.scene import Others, Scene
from soundfix.signal import gcc

MOST = 12  # are asked, the nearest ones: of what is far away little is heard
REACH, REACH_M = 2.5, 0.05  # standard errors, and metres more, either side of what the place predicts
CLEAR = (
    6.0  # standard deviations of a curve, without the recorder that says most: of 231 in simulated woods none was wrong
)


def with_others(
    scene: Scene, others: Others, used: Int[np.ndarray, "used"], fix: Fix, box: Float[np.ndarray, "2 3"], known: Known
) -> tuple[Fix, tuple[Finding, ...]]:
    """A fix by these microphones of a scene, with the others that agree, and who they are."""
    others = _nearest(others, fix.position_m)
    asked = _expected(scene, others, fix)
    reach_m = REACH * _errors_m(asked, fix) + REACH_M
    late_m, agrees = _late_m(scene, others, used, (fix.arrivals, asked), reach_m)
    if not agrees.any():
        return fix, ()
    found = asked._replace(heard_m=asked.heard_m + late_m)
    every = zip(fix.arrivals, found, strict=True)
    better = refit(Arrivals(*(np.concatenate([own, other[agrees]]) for own, other in every)), fix, box, known)
    if not fix.holds(better.position_m):
        return fix, ()
    names = ", ".join(name for name, does in zip(others.microphones.names, agrees, strict=True) if does)
    return better, (
        Finding("others_agree", f"{names}: not listed, but they hear it at this place too", degrades=False),
    )


def _nearest(others: Others, place: Float[np.ndarray, "3"]) -> Others:
    away_m = physics.distances(place, others.microphones.positions)
    if len(away_m) <= MOST:
        return others
    is_near = away_m <= np.sort(away_m)[MOST - 1]
    return replace(others, audio=others.audio[is_near], microphones=others.microphones.where(is_near))


def _expected(scene: Scene, others: Others, fix: Fix) -> Arrivals:
    """When they should hear it, as the others do."""
    own = fix.arrivals
    made_m = (own.heard_m - (1 + fix.slower) * physics.distances(fix.position_m, own.positions)).mean()
    positions = others.microphones.positions
    heard_m = made_m + (1 + fix.slower) * physics.distances(fix.position_m, positions)
    return Arrivals(positions, heard_m, others_sigma_m(scene, others))


def _errors_m(asked: Arrivals, fix: Fix) -> Float[np.ndarray, "other"]:
    """Standard errors of that: of themselves, and of what the place leaves open."""
    own = physics.directions(fix.position_m, fix.arrivals.positions).mean(axis=0)
    slopes = physics.directions(fix.position_m, asked.positions) - own
    return np.sqrt(np.square(asked.sigma_m) + np.einsum("wi,ij,wj->w", slopes, fix.covariance_m2, slopes))


def _late_m(
    scene: Scene, others: Others, used: Int[np.ndarray, "used"], told: tuple[Arrivals, Arrivals],
    reach_m: Float[np.ndarray, "other"],
) -> tuple[Float[np.ndarray, "other"], Bool[np.ndarray, "other"]]:  # fmt: skip
    """How much later (m) than told each of the others hears it, and whether it does."""
    own, whose = _spectra(scene, others, used, told, float(reach_m.max()))
    length, together = 2 * (own.shape[1] - 1), np.concatenate([whose, own.sum(axis=0, keepdims=True)])
    pairs = np.stack([np.arange(len(whose)), np.full(len(whose), len(whose))], axis=1)
    curves = gcc.correlate(together, pairs, max_lag=length // 2 - 1, bins=length)
    metre, middle = scene.sample_rate / scene.speed, length // 2 - 1
    reach = np.ceil(reach_m * metre).astype(int)
    lag = np.array([c[middle - r : middle + r + 1].argmax() - r for c, r in zip(curves, reach, strict=True)])
    turned = whose * gcc.turns(2 * np.pi / length * lag, own.shape[1])
    each = (turned @ own.conj().T).real / length  # what each of the own ones says at this lag
    usual = curves.std(axis=1) * (1 - 1 / len(own)) ** 0.5
    is_clear = each.sum(axis=1) - each.max(axis=1) > CLEAR * np.maximum(usual, 1e-12)
    return lag / metre, is_clear & (np.abs(lag) < reach)


def _spectra(
    scene: Scene, others: Others, used: Int[np.ndarray, "used"], told: tuple[Arrivals, Arrivals], reach_m: float
) -> tuple[Complex[np.ndarray, "used freq"], Complex[np.ndarray, "other freq"]]:
    """Of the sounds of both, each as much earlier as it was told to be heard later."""
    rate, (own_s, other_s) = scene.sample_rate, (arrivals.heard_m / scene.speed for arrivals in told)
    own_s, other_s = own_s - own_s.mean(), other_s - own_s.mean()
    first = np.rint((scene.start_s + other_s - others.start_s) * rate).astype(int)
    count = scene.audio.shape[1]
    audio = np.stack(
        [*scene.audio[used], *(_part(*each, count) for each in zip(others.audio, first.tolist(), strict=True))]
    )
    audio = np.nan_to_num(audio, posinf=0, neginf=0)
    spectra, _ = Correlator().spectra(audio, scene, int(reach_m / scene.speed * rate) + 1)
    begins_s = others.start_s + first / rate - scene.start_s
    late_s = np.concatenate([
        own_s + scene.lateness_s[used], other_s - begins_s + others.microphones.lateness_s(scene.middle_s),
    ])  # fmt: skip
    spectra = gcc.advance(spectra, late_s, sample_rate=rate)
    return spectra[: len(used)], spectra[len(used) :]


def _part(sound: Float[np.ndarray, "time"], first: int, count: int) -> Float[np.ndarray, "{count}"]:
    """So many samples from the first on, silence where there are none."""
    part = np.zeros(count, dtype=np.float32)
    inside = sound[max(0, first) : max(0, first + count)]
    part[max(0, -first) :][: len(inside)] = inside
    return part
