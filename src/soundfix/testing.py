"""The contract that every localizer obeys, for the catalog's and for yours:

    from soundfix.testing import check_localizer
    check_localizer(MyLocalizer())

Each check is a function of its own, so that a test suite can run and name them one by one (`CHECKS`).
The scenes are anechoic and made here by formula: nothing is downloaded, nothing is random.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from types import ModuleType

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.errors import UnknownMethodError
from soundfix.estimate import Estimate, Localizer
from soundfix.microphones import Microphones
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Room, Scene

ROOM: Room = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))
SOURCE = np.array([3.9, 1.8, 1.3])
NEAR_M = 0.05  # the contract asks for no precision record: an anechoic source, 5 cm
SAME_M = 0.02  # two ways to say the same thing agree this well


def check_localizer(localizer: Localizer) -> None:
    """Run every check; raises AssertionError, with the check's name, at the first that fails."""
    for check in CHECKS:
        try:
            check(localizer)
        except AssertionError as failure:
            raise AssertionError(f"{localizer.name}: {check.__name__}: {failure}") from failure


def load_checked(text: str) -> Localizer:
    """The localizer that MODULE:FACTORY makes, if it obeys the contract. Raises UnknownMethodError where it does not."""
    localizer = load_own(text)
    try:
        check_localizer(localizer)
    except AssertionError as failure:
        raise UnknownMethodError(f"{text} breaks the contract of localizers: {failure} (soundfix.testing)") from failure
    return localizer


def load_own(text: str) -> Localizer:
    """What MODULE:FACTORY makes, whether it obeys the contract or not; modules of the working folder are found too. Raises
    UnknownMethodError."""
    module, _, factory = text.partition(":")
    if not (module and factory):
        raise UnknownMethodError(f"localizer {text!r}: wanted MODULE:FACTORY, such as mypackage.mymethod:MyLocalizer")
    try:
        localizer = getattr(_imported(module), factory)()
    except (ImportError, AttributeError) as error:
        raise UnknownMethodError(f"cannot make {text}: {error}; is it installed, or on PYTHONPATH?") from error
    if not isinstance(localizer, Localizer):
        raise UnknownMethodError(f"{text} made {localizer!r}, wanted an object with a name and locate(scene)")
    return localizer


def _imported(module: str) -> ModuleType:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        sys.path.append(os.getcwd())
        try:
            return import_module(module)
        finally:
            sys.path.remove(os.getcwd())


def broken_promises(localizer: Localizer) -> Iterator[str]:
    """The checks that it does not pass, by name, each with what was found."""
    for check in CHECKS:
        try:
            check(localizer)
        except Exception as failure:  # whatever a method of somebody's does
            yield f"{check.__name__}: {str(failure) or type(failure).__name__}"


def contract_scene(count: int = 8, *, seconds: float = 0.5, seed: int = 0) -> Scene:
    """Broadband noise from SOURCE, heard by `count` microphones of an array with depth, at 30 dB SNR."""
    rng = np.random.default_rng(seed)
    low, high = np.array(ROOM)
    positions = low + (high - low) * np.array([_halton(k + 1) for k in range(count)])
    return _scene(positions, rng, seconds)


def _halton(number: int) -> list[float]:
    """A point of the unit cube that is far from the earlier ones (Halton, 1960)."""
    return [_radical_inverse(number, base) for base in (2, 3, 5)]


def _radical_inverse(number: int, base: int) -> float:
    inverse, share = 0.0, 1 / base
    while number:
        number, digit = divmod(number, base)
        inverse, share = inverse + digit * share, share / base
    return inverse


def _scene(positions: Float[np.ndarray, "mic 3"], rng: np.random.Generator, seconds: float) -> Scene:
    samples = round(seconds * SAMPLE_RATE)
    dry = np.fft.rfft(rng.standard_normal(2 * samples))
    ranges = physics.distances(SOURCE, positions)
    delay_s = ranges / physics.NOMINAL_SPEED_M_S
    phase = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * samples, 1 / SAMPLE_RATE) * delay_s[:, None])
    heard = np.fft.irfft(dry * phase)[:, samples // 2 : samples // 2 + samples] / ranges[:, None]
    noise = 0.03 * np.sqrt(np.mean(heard**2)) * rng.standard_normal(heard.shape)
    return Scene(
        audio=(0.2 * (heard + noise)).astype(np.float32),
        sample_rate=SAMPLE_RATE,
        microphones=Microphones(positions=positions),
        room=ROOM,
        speed_of_sound_m_s=physics.NOMINAL_SPEED_M_S,
    )


def _with_audio(scene: Scene, m: int, samples: Float[np.ndarray, "time"]) -> Scene:
    audio = scene.audio.copy()
    audio[m] = samples
    return replace(scene, audio=audio)


def _position(estimate: Estimate) -> Float[np.ndarray, "3"]:
    assert estimate.sources, f"no answer: {estimate.verdict}, {estimate.reasons}"
    return estimate.sources[0].position_m


def _gap(first: Estimate, second: Estimate) -> float:
    return float(np.linalg.norm(_position(first) - _position(second)))


def finds_a_source_in_the_open(localizer: Localizer) -> None:
    """An anechoic source in a clean recording is found, and the verdict says so."""
    estimate = localizer.locate(contract_scene())
    error = float(np.linalg.norm(_position(estimate) - SOURCE))
    assert error < NEAR_M, f"{error:.3f} m off"
    assert estimate.verdict == "ok", f"verdict {estimate.verdict}, {estimate.reasons}"


def reports_every_microphone(localizer: Localizer) -> None:
    """One report a microphone, in order, with weights from 0 to 1."""
    scene = contract_scene()
    reports = localizer.locate(scene).microphones
    assert tuple(report.name for report in reports) == scene.microphones.names, "reports and microphones differ"
    assert all(0 <= report.weight <= 1 for report in reports), "a weight outside 0..1"


def does_not_mind_the_order(localizer: Localizer) -> None:
    """Microphones in another order give the same place."""
    scene, order = contract_scene(), np.random.default_rng(1).permutation(8)
    positions = scene.microphones.positions[order]
    turned = replace(scene, audio=scene.audio[order], microphones=Microphones(positions=positions))
    gap = _gap(localizer.locate(scene), localizer.locate(turned))
    assert gap < SAME_M, f"{gap:.3f} m apart"


def does_not_mind_gains(localizer: Localizer) -> None:
    """Gains that differ a thousandfold change nothing."""
    scene = contract_scene()
    gains = np.logspace(-3, 0, 8).astype(np.float32)[:, None]
    gap = _gap(localizer.locate(scene), localizer.locate(replace(scene, audio=scene.audio * gains)))
    assert gap < SAME_M, f"{gap:.3f} m apart"


def moves_with_the_room(localizer: Localizer) -> None:
    """Everything shifted by the same vector: the answer too."""
    scene, shift = contract_scene(), np.array([691_010.0, 5_329_996.0, 511.0])  # as UTM has it
    low, high = np.array(ROOM) + shift
    room = (tuple(low.tolist()), tuple(high.tolist()))
    moved = replace(scene, microphones=Microphones(positions=scene.microphones.positions + shift), room=room)
    gap = float(np.linalg.norm(_position(localizer.locate(moved)) - shift - _position(localizer.locate(scene))))
    assert gap < SAME_M, f"{gap:.3f} m apart"


def names_a_dead_microphone(localizer: Localizer) -> None:
    """It is named, and the answer is that of the others alone."""
    scene = contract_scene()
    broken = localizer.locate(_with_audio(scene, 2, np.zeros(scene.audio.shape[1])))
    assert broken.microphones[2].status == "dead", f"status {broken.microphones[2].status}"
    assert broken.microphones[2].weight == 0, "a dead microphone has weight"
    assert broken.verdict == "degraded", f"verdict {broken.verdict}"
    gap = _gap(broken, localizer.locate(scene.where(np.arange(8) != 2)))
    assert gap < SAME_M, f"{gap:.3f} m from the answer without it"


def survives_bad_samples(localizer: Localizer) -> None:
    """NaN and Inf in a channel never reach the answer, and one bad sample does not cost the microphone."""
    scene = contract_scene()
    samples = scene.audio[0].copy()
    samples[100], samples[200] = np.nan, np.inf
    estimate = localizer.locate(_with_audio(scene, 0, samples))
    assert estimate.microphones[0].weight > 0, "two bad samples cost a microphone"
    gap = _gap(estimate, localizer.locate(scene))
    assert gap < SAME_M, f"{gap:.3f} m apart"


def abstains_on_silence(localizer: Localizer) -> None:
    """Zeros: no place, and why."""
    scene = contract_scene()
    estimate = localizer.locate(replace(scene, audio=np.zeros_like(scene.audio)))
    assert estimate.verdict == "abstain", f"verdict {estimate.verdict}"
    assert "no_signal" in estimate.reasons, f"reasons {estimate.reasons}"


def abstains_on_noise(localizer: Localizer) -> None:
    """Noise that the microphones do not share: no place."""
    scene = contract_scene()
    noise = np.random.default_rng(2).standard_normal(scene.audio.shape).astype(np.float32)
    estimate = localizer.locate(replace(scene, audio=noise))
    assert estimate.verdict == "abstain", f"verdict {estimate.verdict} at {_position(estimate)}"


def abstains_with_three_microphones(localizer: Localizer) -> None:
    """Three microphones cannot give x, y and z: no place, and why."""
    estimate = localizer.locate(contract_scene().where(np.arange(8) < 3))
    assert estimate.verdict == "abstain", f"verdict {estimate.verdict}"
    assert "too_few_microphones" in estimate.reasons, f"reasons {estimate.reasons}"


def says_that_a_flat_array_has_a_twin(localizer: Localizer) -> None:
    """Microphones in a plane in the middle of the room: both mirror images, or none."""
    flat = contract_scene().microphones.positions.copy()
    flat[:, 2] = 1.0
    estimate = localizer.locate(_scene(flat, np.random.default_rng(3), 0.5))
    assert estimate.verdict in ("ambiguous", "abstain"), f"verdict {estimate.verdict}"
    if estimate.sources:
        heights = sorted(source.position_m[2] for source in estimate.sources[:2])
        assert np.allclose(heights, [2.0 - SOURCE[2], SOURCE[2]], atol=NEAR_M), f"heights {heights}"


def keeps_a_known_height(localizer: Localizer) -> None:
    """A room that is thin in z: the answer has that height."""
    (x0, y0, _), (x1, y1, _) = ROOM
    thin = ((x0, y0, float(SOURCE[2])), (x1, y1, float(SOURCE[2])))
    position = _position(localizer.locate(replace(contract_scene(), room=thin)))
    assert abs(position[2] - SOURCE[2]) < 0.02, f"height {position[2]:.3f}"


def answers_the_same_twice(localizer: Localizer) -> None:
    """The same scene, the same answer."""
    scene = contract_scene()
    assert _gap(localizer.locate(scene), localizer.locate(scene)) == 0.0, "two runs differ"


CHECKS: tuple[Callable[[Localizer], None], ...] = (
    finds_a_source_in_the_open,
    reports_every_microphone,
    does_not_mind_the_order,
    does_not_mind_gains,
    moves_with_the_room,
    names_a_dead_microphone,
    survives_bad_samples,
    abstains_on_silence,
    abstains_on_noise,
    abstains_with_three_microphones,
    says_that_a_flat_array_has_a_twin,
    keeps_a_known_height,
    answers_the_same_twice,
)
