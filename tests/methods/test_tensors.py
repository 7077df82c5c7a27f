"""From a scene to what a network reads: its rate, known lateness, and who is trusted."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.networks import tiny, untrained
from soundfix.methods.frame import frame_of
from soundfix.methods.tensors import to_windows
from soundfix.methods.three_stream import ThreeStream
from soundfix.microphones import Microphones
from soundfix.search_region import SearchRegion
from soundfix.testing import SOURCE, contract_scene


def test_other_sample_rates_are_brought_to_the_network_s():
    """At 48 kHz the same noise holds more, so the same place, not the same number."""
    import soxr

    scene = contract_scene()
    faster = replace(scene, audio=soxr.resample(scene.audio.T, 16_000, 48_000).T, sample_rate=48_000.0)
    estimate = ThreeStream(network=untrained()).locate(faster)
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.03


def test_a_known_lateness_is_taken_out():
    scene = contract_scene()
    late = scene.audio.copy()
    late[2, 80:] = scene.audio[2, :-80]
    offset = np.zeros(8)
    offset[2] = 80 / 16_000
    microphones = Microphones(positions=scene.microphones.positions, offset_s=offset)
    estimate = ThreeStream(network=untrained()).locate(replace(scene, audio=late, microphones=microphones))
    assert estimate.reasons in ((), ("unsure",)), estimate.reasons  # it was never trained
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.02


def test_a_microphone_that_is_not_trusted_has_no_position_for_the_network():
    scene, network = contract_scene(), tiny()
    trusted = replace(scene, is_trusted=np.arange(8) != 3)
    unknown = scene.microphones.positions.copy()
    unknown[3] = np.nan
    hidden = replace(scene, microphones=Microphones(positions=unknown))
    one, other = (ThreeStream(network=network, explains=True).locate(s) for s in (trusted, hidden))
    gates = [{pair.microphones: pair.gate for pair in estimate.pairs} for estimate in (one, other)]
    assert gates[0] == pytest.approx(gates[1])


@pytest.mark.parametrize(("half_m", "is_told"), [(0.03, True), (0.06, False)])
def test_a_source_sought_within_centimetres_is_told_to_the_network(half_m, is_told):
    scene = contract_scene()
    there = replace(scene, search=SearchRegion(bounds=np.stack([SOURCE - half_m, SOURCE + half_m])))
    frame, pairs = frame_of(there), np.array([[0, 1], [2, 3]])
    assert to_windows(scene.audio.copy(), scene, pairs, frame=frame).told_m is None
    told_m = to_windows(scene.audio.copy(), there, pairs, frame=frame).told_m
    assert (told_m is not None) == is_told
    if is_told:
        assert told_m[0, 0] == pytest.approx(SOURCE - frame.origin_m, abs=1e-5)
