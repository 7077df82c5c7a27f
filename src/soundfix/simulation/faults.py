"""Breaking a scene on purpose, by seed: what really happens to microphones, their cables, clocks and lists."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.errors import SceneError
from soundfix.microphones import Microphones
from soundfix.resample import resampled
from soundfix.scene import Scene

NOISY_DB = (20.0, 40.0)  # noise above signal
CLIPPED_SHARE = (0.1, 0.5)  # of the samples at the rail
NAN_SHARE = (0.01, 0.2)  # of the samples lost
OFFSET = (0.1, 1.0)  # of full scale
LATE_S = (0.001, 0.015)
MOVED_M = 1.0
CUT_SHARE = (0.2, 0.8)  # of the recording, after which the cable is pulled
HUM_HZ, HUM_PARTIALS = 50.0, 10  # of the mains
GAIN = (-3.0, 3.0)  # powers of ten
DRIFT_PPM = (1.0, 100.0)  # the sign is drawn too
MISLABELLED = 48_000 / 44_100  # a channel of one rate under a header of the other
DROPPED_SAMPLES = 512


class Fault(NamedTuple):
    """What breaks (a key of KINDS), whose microphone (its name, or its number from 1), and by how much (None: drawn)."""

    kind: str
    microphone: str
    amount: float | None = None


def parse_fault(text: str) -> Fault:
    """KIND:MICROPHONE or KIND:MICROPHONE:AMOUNT, such as "dead:3", "late:mic7:0.005", "moved:stand2:0.5"."""
    kind, *rest = text.split(":")
    if kind not in KINDS or not 1 <= len(rest) <= 2:
        raise SceneError(f"fault {text!r}: wanted KIND:MICROPHONE[:AMOUNT] with KIND one of {', '.join(KINDS)}")
    return Fault(kind, rest[0], _amount(rest[1], text) if len(rest) == 2 else None)


def _amount(word: str, text: str) -> float:
    try:
        amount = float(word)
    except ValueError as error:
        raise SceneError(f"fault {text!r}: {word!r} is no number") from error
    if not np.isfinite(amount):
        raise SceneError(f"fault {text!r}: wanted a finite amount")
    return amount


def break_scene(scene: Scene, faults: Sequence[Fault], rng: np.random.Generator) -> Scene:
    """The scene with these faults, one after the other; its truth says which, and where the microphones truly stand."""
    places = scene.microphones.border_positions()
    for fault in faults:
        _check_kind(fault)
        m = _number(fault.microphone, scene.microphones)
        scene = KINDS[fault.kind](scene, m, fault.amount, rng)
        if scene.truth is not None:
            broken = (*scene.truth.faults, f"{fault.kind}:{scene.microphones.names[m]}")
            scene = replace(scene, truth=replace(scene.truth, faults=broken))
    return with_true_positions(scene, places)


def with_true_positions(scene: Scene, places: Float[np.ndarray, "mic 3"]) -> Scene:
    """The truth says where microphones stand, where that is known and not what their list says."""
    is_listed = np.array_equal(scene.microphones.border_positions(), places, equal_nan=True)
    if is_listed or scene.truth is None or scene.truth.positions is not None:
        return scene
    return replace(scene, truth=replace(scene.truth, positions=places))


def _check_kind(fault: Fault) -> None:
    if fault.kind not in KINDS:
        raise SceneError(f"no fault is called {fault.kind!r}; there are {', '.join(KINDS)}")


def _number(microphone: str, microphones: Microphones) -> int:
    if microphone in microphones.names:
        return microphones.names.index(microphone)
    if microphone.isdecimal() and 1 <= int(microphone) <= len(microphones):
        return int(microphone) - 1
    raise SceneError(f"no microphone {microphone!r}: there are {', '.join(microphones.names)}, or numbers from 1")


def _with_channel(scene: Scene, m: int, samples: np.ndarray) -> Scene:
    audio = scene.audio.copy()
    audio[m] = samples
    return replace(scene, audio=audio)


def _with_position(scene: Scene, m: int, position: np.ndarray) -> Scene:
    positions = scene.microphones.border_positions()
    positions[m] = position
    return replace(scene, microphones=replace(scene.microphones, positions=positions))


def _drawn(amount: float | None, limits: tuple[float, float], rng: np.random.Generator) -> float:
    return float(rng.uniform(*limits)) if amount is None else amount


def _drawn_share(amount: float | None, limits: tuple[float, float], rng: np.random.Generator) -> float:
    """The same for a share of the samples."""
    share = _drawn(amount, limits, rng)
    if not 0 < share <= 1:
        raise SceneError(
            f"a fault on {share} of the samples: wanted a share above 0, up to 1; was it given in percent?"
        )
    return share


def _dead(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """Silence."""
    return _with_channel(scene, m, np.zeros(scene.audio.shape[1]))


def _noisy(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """White noise, `amount` dB above the signal."""
    level = np.sqrt(np.nanmean(np.square(scene.audio[m]))) * 10 ** (_drawn(amount, NOISY_DB, rng) / 20)
    return _with_channel(scene, m, scene.audio[m] + level * rng.standard_normal(scene.audio.shape[1]))


def _cut(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """Silence from `amount` seconds on: a cable was pulled."""
    span_s = (CUT_SHARE[0] * scene.duration_s, CUT_SHARE[1] * scene.duration_s)
    first = round(_drawn(amount, span_s, rng) * scene.sample_rate)
    if not 0 <= first < scene.audio.shape[1]:
        raise SceneError(f"cut after {amount} s: wanted 0 to the length of the recording, {scene.duration_s:.3g} s")
    return _with_channel(scene, m, np.where(np.arange(scene.audio.shape[1]) < first, scene.audio[m], 0.0))


def _hum(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """Mains hum and its partials, `amount` dB above the signal."""
    time_s = np.arange(scene.audio.shape[1]) / scene.sample_rate
    partials = HUM_HZ * np.arange(1, HUM_PARTIALS + 1)
    phases = 2 * np.pi * (partials[:, None] * time_s + rng.random((HUM_PARTIALS, 1)))
    hum = np.sin(phases).T @ (HUM_HZ / partials)
    level = np.sqrt(np.nanmean(np.square(scene.audio[m])) / np.mean(np.square(hum)))
    return _with_channel(scene, m, scene.audio[m] + level * 10 ** (_drawn(amount, NOISY_DB, rng) / 20) * hum)


def _clipped(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """The loudest share of the samples cut off at one level."""
    rail = np.nanquantile(np.abs(scene.audio[m]), 1 - _drawn_share(amount, CLIPPED_SHARE, rng))
    return _with_channel(scene, m, np.clip(scene.audio[m], -rail, rail))


def _nan(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """One span that is not a number, this share of the samples long."""
    total = scene.audio.shape[1]
    count = max(1, round(_drawn_share(amount, NAN_SHARE, rng) * total))
    start = rng.integers(total - count + 1)
    samples = scene.audio[m].copy()
    samples[start : start + count] = np.nan
    return _with_channel(scene, m, samples)


def _dc(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """A constant added."""
    return _with_channel(scene, m, scene.audio[m] + _drawn(amount, OFFSET, rng))


def _inverted(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """Polarity reversed."""
    return _with_channel(scene, m, -scene.audio[m])


def _gain(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """`amount` times as loud."""
    return _with_channel(scene, m, scene.audio[m] * (10 ** rng.uniform(*GAIN) if amount is None else amount))


def _drift(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """A clock that is slow by `amount` parts in a million: events come too early, ever more so."""
    ppm = rng.choice([-1, 1]) * rng.uniform(*DRIFT_PPM) if amount is None else amount
    return _with_channel(scene, m, _resampled(scene.audio[m], 1 - 1e-6 * ppm))


def _mislabelled(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """Recorded at `amount` times the rate that its header says (48 under 44.1 kHz): everything is longer."""
    ratio = MISLABELLED if amount is None else amount
    if not 0.1 <= ratio <= 10:
        raise SceneError(f"mislabelled by {ratio}: wanted a ratio of sample rates, 0.1 to 10")
    return _with_channel(scene, m, _resampled(scene.audio[m], ratio))


def _resampled(samples: np.ndarray, ratio: float) -> Float[np.ndarray, "time"]:
    """`ratio` times as many samples for the same sound, cut or filled with silence to what there were."""
    sound = np.nan_to_num(samples, posinf=0.0, neginf=0.0).astype(np.float64)
    longer = resampled(sound[None], 1.0, ratio)[0]
    return np.pad(longer, (0, max(0, len(samples) - len(longer))))[: len(samples)]


def _dropped(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """`amount` samples lost somewhere in the middle half: what follows comes too early."""
    total, count = scene.audio.shape[1], round(DROPPED_SAMPLES if amount is None else amount)
    if not 0 < count < total / 4:
        raise SceneError(f"{count} samples dropped: wanted 1 to a quarter of the recording, {total // 4}")
    first = int(rng.integers(total // 4, total // 2))
    kept = np.delete(scene.audio[m], np.arange(first, first + count))
    return _with_channel(scene, m, np.pad(kept, (0, count)))


def _copied(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """The channel of another microphone (number `amount`, from 1) in its place: one file twice."""
    return _with_channel(scene, m, scene.audio[_other(scene, m, amount, rng)])


def _late(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """Everything `amount` seconds late, to the nearest sample; what came before the recording is silence."""
    count = round(_drawn(amount, LATE_S, rng) * scene.sample_rate)
    if not 0 <= count < scene.audio.shape[1]:
        raise SceneError(f"late by {amount} s: wanted 0 to the length of the recording, {scene.duration_s:.3g} s")
    return _with_channel(scene, m, np.concatenate([np.zeros(count), scene.audio[m, : scene.audio.shape[1] - count]]))


def _swapped(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """The channel exchanged with that of another microphone (number `amount`, from 1)."""
    other = _other(scene, m, amount, rng)
    audio = scene.audio.copy()
    audio[[m, other]] = audio[[other, m]]
    return replace(scene, audio=audio)


def _relisted(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """Its row of the list exchanged with that of another microphone (number `amount`, from 1)."""
    other = _other(scene, m, amount, rng)
    positions = scene.microphones.border_positions()
    positions[[m, other]] = positions[[other, m]]
    return replace(scene, microphones=replace(scene.microphones, positions=positions))


def _other(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> int:
    """Index of another microphone, drawn or given by its number from 1."""
    others = np.delete(np.arange(len(scene.microphones)), m)
    other = int(rng.choice(others)) if amount is None else int(amount) - 1
    if other not in others:
        raise SceneError(f"exchanged with microphone {amount}: wanted another one, 1 to {len(scene.microphones)}")
    return other


def _moved(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """The position in the list wrong by `amount` metres in a random direction, but inside the room."""
    if not scene.microphones.is_known[m]:
        raise SceneError(f"{scene.microphones.names[m]} has no position to be wrong: it is unknown already")
    distance = MOVED_M if amount is None else amount
    low, high = scene.search_box()
    for _ in range(1000):
        direction = rng.standard_normal(3)
        position = scene.microphones.positions[m] + distance * direction / np.linalg.norm(direction)
        if ((position >= low) & (position <= high)).all():
            return _with_position(scene, m, position)
    raise SceneError(f"no place in the room is {distance} m from {scene.microphones.names[m]}")


def _unknown(scene: Scene, m: int, amount: float | None, rng: np.random.Generator) -> Scene:
    """No position in the list."""
    return _with_position(scene, m, np.full(3, np.nan))


KINDS: dict[str, Callable[[Scene, int, float | None, np.random.Generator], Scene]] = {
    "dead": _dead,
    "cut": _cut,
    "noisy": _noisy,
    "hum": _hum,
    "clipped": _clipped,
    "nan": _nan,
    "dc": _dc,
    "inverted": _inverted,
    "gain": _gain,
    "late": _late,
    "drift": _drift,
    "mislabelled": _mislabelled,
    "dropped": _dropped,
    "copied": _copied,
    "swapped": _swapped,
    "relisted": _relisted,
    "moved": _moved,
    "unknown": _unknown,
}
