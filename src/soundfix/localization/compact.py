"""Where an array is compact for how far its sources are, it tells a direction, and no distance.

Arrivals from r away curve by D² / 8r over an array D wide. Where errors of its positions are as large, the distance is
anybody's guess, and places along one ray explain the sound alike: then the answer is the direction (directions.py), by
physics alone, whatever the method. An array that is wide for its distance never comes here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics
from soundfix.estimate import Direction, Finding, MicrophoneReport, Source
from soundfix.localization.abstention import Abstention
from soundfix.localization.directions import Shape, believed, directions, shape_of, source
from soundfix.localization.microphone_status import report_directed
from soundfix.localization.preparation import Prepared, fewest_microphones
from soundfix.localization.steering import LOWEST_HZ, listen, short_time_spectra, without_lateness

LEAST_RANGE_M = 0.3  # an array that tells no distance from here on tells none
WIDEST_M = 1.0  # arrays wider than this stand round their sources, or tell how far they are
UNTOLD = 0.5  # standard error of a distance, as a share of it, from which it is not told
SAME_RAY = np.cos(np.radians(15))
HEARD = (
    0.033  # strength of a direction; noise alone, diffuse or own, has 0.031 at most (EXPERIMENTS.md, 26 November 2026)
)
WIDEST_CONE_DEG = 60.0  # a wider one is no direction
ALIKE = 0.25  # of a wavelength: microphones this near hear the same
COHERENT = 0.5  # of what the best microphone has in common with the others: less is a fault


class Directed(NamedTuple):
    """The direction, its sources (one on either side of a plane), what is to be said, and the microphones."""

    direction: Direction
    sources: tuple[Source, ...]
    findings: tuple[Finding, ...]
    microphones: tuple[MicrophoneReport, ...]


def tells_directions_only(prepared: Prepared) -> bool:
    """Whether those that are located with stand so close together that they tell no distance at all."""
    shape = _shape(prepared)
    return _has_plane(prepared) and _is_far(shape, LEAST_RANGE_M)


def is_far_for(prepared: Prepared, sources: Sequence[Source]) -> bool:
    """Whether one of the places on the ray of the first is so far for this array that it might be at any distance."""
    shape = _shape(prepared)
    if shape.width_m > WIDEST_M or not _has_plane(prepared):
        return False
    rays = np.array([each.position_m for each in sources]) - shape.centre_m
    ranges_m = np.linalg.norm(rays, axis=1)
    is_on_ray = rays @ rays[0] >= SAME_RAY * ranges_m * ranges_m[0]
    return _is_far(shape, float(ranges_m[is_on_ray].max()))


def locate_direction(prepared: Prepared) -> Directed:
    """The direction of the sound; or an abstention where nothing stands out."""
    scene, health = prepared.scene, prepared.health
    audio = without_lateness(prepared.audio, scene.lateness_s, scene.sample_rate)
    sign, is_coherent = _alike(prepared, audio)
    is_kept = prepared.is_used & is_coherent
    shape = shape_of(scene.microphones.positions[is_kept], scene.microphones.sigma_m[is_kept])
    cells = listen(
        (sign[:, None] * audio)[is_kept], shape.offsets_m,
        sample_rate=scene.sample_rate, speed_m_s=scene.speed, slack_m=shape.slack_m,
    )  # fmt: skip
    belief = believed(cells, shape)
    box = scene.search_box()
    found = directions(belief, shape, box, is_bounded=scene.room is not None)
    if belief.strength < HEARD:
        raise Abstention(Finding("no_signal", "the microphones hear no direct sound in common"), health)
    if found[0].cone90_deg > WIDEST_CONE_DEG:
        raise Abstention(Finding("no_fix", "the sound comes from no direction in particular"), health)
    reports, said = report_directed(scene, health, is_kept=is_kept, is_inverted=sign < 0, is_used=prepared.is_used)
    sources = tuple(source(each, box, float(min(belief.strength, 1))) for each in found)
    return Directed(found[0].mirrored_by(*found[1:]), sources, (*_said(shape, found), *said), reports)


def _said(shape: Shape, found: Sequence[Direction]) -> list[Finding]:
    sentence = f"the array is {100 * shape.width_m:.0f} cm wide: it tells where from, and not how far"
    only = [Finding("direction_only", sentence, degrades=False)]
    if len(found) == 1:
        return only
    twin = "the microphones lie in a plane: the sound may as well come from the mirror image; a room box decides"
    return [*only, Finding("mirror_twin", twin, degrades=False)]


def _shape(prepared: Prepared) -> Shape:
    microphones, is_used = prepared.scene.microphones, prepared.is_used
    return shape_of(microphones.positions[is_used], microphones.sigma_m[is_used])


def _has_plane(prepared: Prepared) -> bool:
    """A line tells an angle, no direction."""
    return physics.shape_rank(prepared.scene.microphones.positions[prepared.is_used]) >= 2


def _is_far(shape: Shape, range_m: float) -> bool:
    """Whether the standard error of a distance, slack 8r² / D², is a large share of it."""
    return 8 * shape.slack_m * range_m > UNTOLD * shape.width_m**2


def _alike(
    prepared: Prepared, audio: Float[np.ndarray, "mic time"]
) -> tuple[Float[np.ndarray, "mic"], Bool[np.ndarray, "mic"]]:
    """Polarity of each microphone, and whether it has as much in common with the others as they have among themselves.

    At wavelengths of four widths and more all hear the same of any sound: what does not is a fault, what is upside down is
    a cable.
    """
    scene, is_used = prepared.scene, prepared.is_used
    sign, is_coherent = np.ones(len(audio)), np.ones(len(audio), dtype=bool)
    spectra, frequencies_hz = short_time_spectra(audio[is_used], scene.sample_rate)
    in_band = (frequencies_hz >= LOWEST_HZ) & (frequencies_hz <= ALIKE * scene.speed / _shape(prepared).width_m)
    if not in_band.any():
        return sign, is_coherent
    low = spectra[:, :, in_band].reshape(len(spectra), -1)
    low = low / (np.linalg.norm(low, axis=1, keepdims=True) + 1e-12)
    common = (low @ low.conj().T).real
    first = np.linalg.eigh(common)[1][:, -1]
    sign[is_used] = np.where(first * np.sign(np.sign(first).sum() or 1) < 0, -1.0, 1.0)
    apart = np.abs(common)[~np.eye(len(low), dtype=bool)].reshape(len(low), -1)
    shared = np.median(apart, axis=1)
    is_fine = shared >= COHERENT * shared.max()
    if is_fine.sum() >= fewest_microphones(scene):
        is_coherent[is_used] = is_fine
    return sign, is_coherent
