"""A whole recording as arrivals: what bundle adjustment starts from.

Every window is a moment. The network's curves of all pairs (they know of no position) say when each microphone heard it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from soundfix import physics
from soundfix.calibration.arrivals import MomentArrivals, arrivals
from soundfix.calibration.bundle import Arrivals, Layout
from soundfix.calibration.continuity import without_jumps
from soundfix.calibration.guided_arrivals import Curves, reestimate
from soundfix.localization.correlate import UNKNOWN_M
from soundfix.localization.health import Health, examine
from soundfix.methods.frame import frame_of
from soundfix.networks.model import Network, levelled
from soundfix.resample import resampled
from soundfix.scene import Scene

FEWEST_PARTNERS = 4  # others that an arrival agrees with, or half of them where there are fewer
FEWEST_HEARD = 4  # arrivals of a moment
SIGMA_M = 0.01  # of an arrival
POLARITY_WINDOWS = 12  # the loudest
MOST_MOMENTS = 400


@dataclass(frozen=True, kw_only=True, eq=False)
class Observations:
    """arrivals of the moments; partners: how many others each agrees with; is_inverted: polarity reversed (corrected).

    speed_m_s: the speed of sound that times were made path by.
    """

    arrivals: Arrivals
    partners: Int[np.ndarray, "moment mic"]
    is_inverted: Bool[np.ndarray, "mic"]
    speed_m_s: float
    curves: Curves | None = None

    def agreed(self, share: float) -> Arrivals:
        """Only arrivals with which so many of the others agree, at moments that have enough of them."""
        others = self.partners.shape[1] - 1
        path_m = np.where(self.partners >= share * others, self.arrivals.path_m, np.nan)
        path_m[np.isfinite(path_m).sum(axis=1) <= FEWEST_HEARD] = np.nan
        return replace(self.arrivals, path_m=path_m)

    def at(self, is_kept: Bool[np.ndarray, "moment"]) -> "Observations":
        """Only these moments."""
        a = self.arrivals
        kept = Arrivals(path_m=a.path_m[is_kept], sigma_m=a.sigma_m[is_kept], times_s=a.times_s[is_kept])
        curves = self.curves and self.curves.at(is_kept)
        return replace(self, arrivals=kept, partners=self.partners[is_kept], curves=curves)

    def again(
        self, layout: Layout, trusted: Bool[np.ndarray, "mic"], box: Float[np.ndarray, "2 3"], rng: np.random.Generator
    ) -> tuple[Arrivals, Layout]:
        """Arrivals as this layout of trusted microphones expects them, and the layout with its sources."""
        assert self.curves is not None
        path_m, sources = reestimate(self.curves, layout, self.arrivals.times_s, trusted, box, rng)
        return replace(self.arrivals, path_m=path_m), replace(layout, sources=sources)


def moments(duration_s: float, window_s: float) -> tuple[float, float]:
    """Length of the windows, and from one to the next: of a long recording not more than MOST_MOMENTS."""
    return window_s, max(window_s / 2, duration_s / MOST_MOMENTS)


def observe(network: Network, windows: Iterable[Scene]) -> Observations:
    """The moments of a recording, one a window; those at which too few microphones hear the same are left out.

    Windows are whole scenes of one recording; path differences are by their speed of sound.
    """
    scenes = list(windows)
    healths = [examine(scene) for scene in scenes]
    is_inverted = _inverted(scenes, healths)
    each = zip(scenes, healths, strict=True)
    heard, values = zip(*(_moment(network, scene, health, is_inverted) for scene, health in each), strict=True)
    middle = np.array([scene.start_s + scene.duration_s / 2 for scene in scenes])
    path_m, partners = (np.array(each) for each in zip(*heard, strict=True))
    fewest = min(FEWEST_PARTNERS, (path_m.shape[1] - 1) // 2)
    path_m = without_jumps(np.where(partners >= fewest, path_m, np.nan), middle)
    every = Arrivals(path_m=path_m, sigma_m=np.full(path_m.shape, SIGMA_M), times_s=middle)
    hearing = Observations(
        arrivals=every,
        partners=partners,
        is_inverted=is_inverted,
        speed_m_s=scenes[0].speed,
        curves=_whole(values, path_m.shape[1], _step_m(scenes[0], network)),
    )
    return hearing.at(np.isfinite(path_m).sum(axis=1) >= FEWEST_HEARD)


def _whole(values: Sequence[np.ndarray], microphones: int, step_m: float) -> Curves:
    """The curves of all moments, 0 where there are none."""
    longest = max(each.shape[1] for each in values)
    same = [each if each.shape[1] == longest else np.zeros((len(each), longest), np.float16) for each in values]
    return Curves(values=np.stack(same), pairs=physics.pair_indices(microphones), step_m=step_m)


def _step_m(scene: Scene, network: Network) -> float:
    """How far apart in path the lags of the network's curves are."""
    assert network.head is not None
    return scene.speed / (frame_of(scene).rate_hz * network.head.config.lags_a_sample)


def _moment(
    network: Network, scene: Scene, health: Health, is_inverted: Bool[np.ndarray, "mic"]
) -> tuple[MomentArrivals, Float[np.ndarray, "pair lag"]]:
    """Arrivals and curves of one window; microphones that hear nothing agree with nobody, and their curves are 0."""
    count = len(scene.microphones)
    mics, every = np.flatnonzero(health.is_heard), physics.pair_indices(count)
    path_m, partners = np.full(count, np.nan), np.zeros(count, dtype=int)
    if len(mics) < FEWEST_HEARD:
        return MomentArrivals(path_m, partners), np.zeros((len(every), 1), np.float16)
    values, pairs = _curves(network, scene, np.where(is_inverted[:, None], -1, 1) * health.audio, mics)
    path_m[mics], partners[mics] = arrivals(values, pairs, _step_m(scene, network), microphones=len(mics))
    whole = np.zeros((len(every), values.shape[1]), np.float16)
    whole[health.is_heard[every].all(axis=1)] = values - np.median(values, axis=1, keepdims=True)
    return MomentArrivals(path_m, partners), whole


def _curves(
    network: Network, scene: Scene, audio: Float[np.ndarray, "mic time"], mics: Int[np.ndarray, "heard"]
) -> tuple[Float[np.ndarray, "pair lag"], Int[np.ndarray, "pair 2"]]:
    """Curves of all pairs of these microphones, and the pairs (numbered among them)."""
    frame, pairs = frame_of(scene), physics.pair_indices(len(mics))
    sound = resampled(audio[mics].astype(np.float32), scene.sample_rate, frame.rate_hz)
    with torch.inference_mode():
        audio_of = levelled(torch.from_numpy(sound)[None])
        semb = network.acoustic(network.listen(audio_of))
        longest = min(round(UNKNOWN_M / scene.speed * frame.rate_hz), sound.shape[1] // 2)
        asked = torch.from_numpy(pairs)
        heard, _ = network.correlate(audio_of, semb, asked, max_lag=longest, lowest_hz=frame.lowest_hz)
    assert heard is not None
    curves = heard.curves if heard.masked is None else heard.masked  # sharper: here many moments correct a wrong one
    return curves[0].numpy(), pairs


def _inverted(scenes: list[Scene], healths: list[Health]) -> Bool[np.ndarray, "mic"]:
    """Microphones whose polarity is reversed: turned round, the pairs' plain correlations have taller peaks."""
    loudness = [float(np.median(health.level)) for health in healths]
    loudest = np.argsort(loudness)[::-1][:POLARITY_WINDOWS]
    lean = np.sum([_lean(scenes[k], healths[k]) for k in loudest], axis=0)
    sign = np.ones(len(lean))
    for _ in range(len(lean)):
        pull = sign * (lean @ sign)
        if pull.min() >= 0:
            break
        sign[pull.argmin()] *= -1
    return sign * np.sign(sign.sum() or 1) < 0


def _lean(scene: Scene, health: Health) -> Float[np.ndarray, "mic mic"]:
    """By how much the largest value of each pair's plain correlation surpasses its lowest one."""
    from soundfix.localization.correlate import Correlator

    count = len(scene.microphones)
    lean = np.zeros((count, count))
    mics = np.flatnonzero(health.is_heard)
    if len(mics) < 2:
        return lean
    pairs = mics[physics.pair_indices(len(mics))]
    values = Correlator()(health.audio, scene, pairs).values
    lean[pairs[:, 0], pairs[:, 1]] = values.max(axis=1) + values.min(axis=1)
    return lean + lean.T
