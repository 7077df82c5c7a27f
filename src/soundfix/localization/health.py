"""Is each signal usable, before anything is correlated?

Looks at one window, channel by channel: dead, constant, NaN or Inf spans, clipped, DC, hum, identical channels. What can be
mended is mended (bad samples become silence, DC, hum and what is outside the band go away, every channel is scaled to the
same power); what cannot is named and left out. Gains never matter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.estimate import Finding, Status
from soundfix.localization.hum import without_hum
from soundfix.quantiles import fast_length
from soundfix.scene import Band, Scene
from soundfix.signal.arrays import transforms
from soundfix.signal.bands import within_band

MOST_LOST = 0.5  # share of a window that may be NaN or cut off before the channel counts as dead
FEWEST_LEVELS = 4  # a live converter shows more different values than this,
LEVELS_LOOKED_AT = 200  # usually within its first samples
SHORTEST_DROPOUT_S = 0.02  # a run of one and the same value this long is a cable, not music
PILE = 4  # times as many samples at the extreme value as at the next one: a rail, not a peak or a coarse converter
REACHED = 2.0  # steps from sample to sample: a value further than this beyond the sound is a cable's, not a rail
CLIPPED_SHARE, RUINED_SHARE = 0.002, 0.5
DC_SHARE = 0.1  # of full scale
ALIKE = 1e-7  # of the power, by which copies at another gain may differ: 16 bits are finer, no second microphone is
TONE_CELLS = 4.0  # effective width of a spectrum (sum p)² / sum p², in cells of its resolution
SENTENCES = {
    "dead": "nothing but a constant",
    "nan": "has samples that are missing or no numbers; they were silenced",
    "dropout": "stands still for a while; that stretch was not used",
    "clipped": "is clipped",
    "dc": "has an offset above 10 % of full scale; it was removed",
    "hum": "mains hum; it was filtered out",
    "duplicate": "has the very same samples as another channel",
}
DEGRADING = ("dead", "clipped", "duplicate")  # the others were mended


@dataclass(frozen=True, kw_only=True, eq=False)
class Health:
    """status and weight of each microphone, its mended audio (M, T) of unit power, and what was noticed."""

    status: tuple[Status, ...]
    weight: Float[np.ndarray, "mic"]
    audio: Float[np.ndarray, "mic time"]
    level: Float[np.ndarray, "mic"]
    findings: tuple[Finding, ...]

    def without(self, is_noise: Bool[np.ndarray, "mic"]) -> "Health":
        """The same where these microphones turned out to hear noise of their own."""
        status = tuple("noisy" if noise else before for noise, before in zip(is_noise, self.status, strict=True))
        return replace(self, status=status, weight=np.where(is_noise, 0.0, self.weight))

    @property
    def is_heard(self) -> Bool[np.ndarray, "mic"]:
        return self.weight > 0


_EXAMINED: WeakKeyDictionary[Scene, Health] = WeakKeyDictionary()


def examine(scene: Scene) -> Health:
    """The health of every channel of one window; of the same scene, whose sound is read-only, it is found once."""
    if scene not in _EXAMINED:
        _EXAMINED[scene] = _examined(scene)
    return _EXAMINED[scene]


def _examined(scene: Scene) -> Health:
    channels = _without_hum(
        [_examine_channel(channel, scene.sample_rate) for channel in scene.audio], scene.sample_rate
    )
    if scene.band_hz is not None:
        channels = _within_band(channels, scene.sample_rate, scene.band_hz)
    firsts = _first_alike(np.stack([channel.audio for channel in channels]))
    statuses = _named_duplicates(firsts, [channel.status for channel in channels])
    is_out = np.array([status == "dead" for status in statuses]) | (firsts != np.arange(len(firsts)))  # heard once
    return Health(
        status=tuple(statuses),
        weight=np.array([0.0 if out else channel.weight for out, channel in zip(is_out, channels, strict=True)]),
        audio=np.stack([channel.audio for channel in channels]),
        level=np.array([channel.level for channel in channels]),
        findings=tuple(_findings(scene.microphones.names, channels, statuses)),
    )


def is_tone(health: Health) -> bool:
    """Whether all that is heard is one line of the spectrum: fewer cells of resolution than a tone and its leakage."""
    heard = health.audio[health.is_heard]
    spectra = transforms(heard).rfft(heard, fast_length(heard.shape[1]), axis=1)
    power = (np.square(spectra.real) + np.square(spectra.imag)).sum(axis=0)
    return bool(power.sum() ** 2 < TONE_CELLS * (power**2).sum())


def _findings(names: tuple[str, ...], channels: list["_Channel"], statuses: list[Status]) -> Iterator[Finding]:
    for name, channel, status in zip(names, channels, statuses, strict=True):
        for code in (*channel.noticed, *(["duplicate"] if status == "duplicate" else [])):
            yield Finding(f"{code}:{name}", f"{name}: {SENTENCES[code]}", degrades=code in DEGRADING)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Channel:
    audio: Float[np.ndarray, "time"]
    level: float
    status: Status
    weight: float
    noticed: tuple[str, ...]


def _examine_channel(samples: Float[np.ndarray, "time"], sample_rate: float) -> _Channel:
    is_finite = np.isfinite(samples)
    audio = np.where(is_finite, samples, 0).astype(np.float64)
    stands = _standstill(np.where(is_finite, audio, np.nan), sample_rate)
    is_rail = _rails(audio, is_finite, is_finite & ~stands)
    stands &= ~is_rail
    is_sound = is_finite & ~stands
    lost = 1 - np.count_nonzero(is_sound) / len(audio)
    if lost > MOST_LOST or _is_lifeless(audio):
        return _Channel(audio=np.zeros(len(audio), np.float32), level=0.0, status="dead", weight=0.0, noticed=("dead",))
    at_rail = np.count_nonzero(is_rail) / np.count_nonzero(is_finite)
    offset = audio[is_sound].mean()
    mended = np.where(is_sound, audio - offset, 0)
    level = float(np.sqrt(np.mean(mended**2)))
    found = {
        "nan": not is_finite.all(),
        "dropout": bool(stands.any()),
        "clipped": at_rail > CLIPPED_SHARE,
        "dc": abs(offset) > DC_SHARE * max(1.0, np.abs(audio).max()),  # louder than full scale: the scale is another
    }
    return _Channel(
        audio=(mended / level).astype(np.float32),
        level=level,
        status="clipped" if found["clipped"] else "ok",
        weight=0.0 if at_rail > RUINED_SHARE else 1 - max(at_rail, lost),
        noticed=tuple(code for code, is_found in found.items() if is_found),
    )


def _without_hum(channels: list[_Channel], sample_rate: float) -> list[_Channel]:
    """The channels, those that hum mended and told."""
    audio = np.stack([channel.audio for channel in channels])
    cleaned, is_humming = without_hum(audio, sample_rate)
    return [_mended(channels[m], cleaned[m]) if is_humming[m] else channels[m] for m in range(len(channels))]


def _mended(channel: _Channel, cleaned: Float[np.ndarray, "time"]) -> _Channel:
    left = float(np.sqrt(np.mean(cleaned**2)))
    noticed = (*channel.noticed, "hum")
    return replace(channel, audio=cleaned / np.float32(left), level=channel.level * left, noticed=noticed)


def _within_band(channels: list[_Channel], sample_rate: float, band_hz: Band) -> list[_Channel]:
    """The channels without what is not listened to; a channel that has nothing else stays as it is, in silence."""
    audio = within_band(np.stack([channel.audio for channel in channels]), sample_rate, band_hz)
    left = np.sqrt(np.mean(np.square(audio), axis=1))
    return [
        replace(channel, audio=sound / np.float32(share or 1), level=channel.level * float(share))
        for channel, sound, share in zip(channels, audio, left, strict=True)
    ]


def _is_lifeless(audio: Float[np.ndarray, "time"]) -> bool:
    """Zeros, a constant, or a last bit that flickers: fewer different values than any sound has."""
    return len(np.unique(audio[:LEVELS_LOOKED_AT])) < FEWEST_LEVELS and len(np.unique(audio)) < FEWEST_LEVELS


def _standstill(audio: Float[np.ndarray, "time"], sample_rate: float) -> Bool[np.ndarray, "time"]:
    """Samples in long runs of one and the same value."""
    longest = int(np.ceil(SHORTEST_DROPOUT_S * sample_rate)) - 1
    if not (audio[1::longest] == audio[:-1:longest]).any():  # such a run holds one of these neighbours
        return np.zeros(len(audio), dtype=bool)
    edges = np.flatnonzero(np.diff(audio, prepend=np.nan, append=np.nan) != 0)
    lengths = np.diff(edges)
    return np.repeat(lengths >= SHORTEST_DROPOUT_S * sample_rate, lengths)


def _rails(
    audio: Float[np.ndarray, "time"], is_finite: Bool[np.ndarray, "time"], moves: Bool[np.ndarray, "time"]
) -> Bool[np.ndarray, "time"]:
    """Samples that pile up at the channel's largest or smallest value, where the sound that moves reaches it."""
    is_rail = np.zeros(len(audio), dtype=bool)
    for sign in (1, -1):
        is_top = _pile(np.where(is_finite, sign * audio, -np.inf))
        if is_top.any():
            moving = sign * audio[moves]
            if sign * audio[is_top][0] - moving.max(initial=-np.inf) <= REACHED * _step(moving):
                is_rail |= is_top
    return is_rail


def _step(moving: Float[np.ndarray, "sample"]) -> float:
    """The usual one from sample to sample."""
    return float(np.median(np.abs(np.diff(moving)))) if len(moving) > 1 else 0.0


def _pile(audio: Float[np.ndarray, "time"]) -> Bool[np.ndarray, "time"]:
    """Samples at the largest value, if they are many more than at the next one; else none."""
    is_top = audio == audio.max()
    if np.count_nonzero(is_top) < PILE:
        return np.zeros(len(audio), dtype=bool)
    below = audio[~is_top & np.isfinite(audio)]
    return is_top & (len(below) > 0 and is_top.sum() >= PILE * np.sum(below == below.max()))


def _first_alike(audio: Float[np.ndarray, "mic time"]) -> Int[np.ndarray, "mic"]:
    """Of every channel the first one with the same samples but for a gain: itself, where there is no earlier one."""
    sound = audio.astype(np.float64)
    common = sound @ sound.T
    level = np.sqrt(np.diag(common))
    is_alike = np.abs(common) > (1 - ALIKE) * level * level[:, None]
    np.fill_diagonal(is_alike, True)
    return is_alike.argmax(axis=1)


def _named_duplicates(firsts: Int[np.ndarray, "mic"], statuses: list[Status]) -> list[Status]:
    """Channels with the very samples of another one are named, both: nobody knows whose they are."""
    is_double = np.bincount(firsts)[firsts] > 1
    return [
        "duplicate" if double and status != "dead" else status
        for double, status in zip(is_double, statuses, strict=True)
    ]
