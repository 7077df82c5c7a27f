"""Several sources at once: what one explains is gone, what is left must agree, rivals are no sources."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.scenes import planted_evidence
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode, find_modes
from soundfix.localization.multi_source import apart_from, cancel_sources, further_sources, multi_source_findings
from soundfix.testing import contract_scene

SCENE = contract_scene(8)
POSITIONS, BOX = SCENE.microphones.positions, SCENE.search_box()
ONE, OTHER = np.array([1.5, 1.2, 1.0]), np.array([4.2, 3.9, 1.8])


def heard(*places) -> Evidence:
    """A peak for each place in every pair's curve."""
    each = [planted_evidence(POSITIONS, place, width_m=0.03, reach_m=8.0) for place in places]
    return replace(each[0], values=np.max([evidence.values for evidence in each], axis=0))


def consensus(evidence, *modes) -> Consensus:
    everybody, nobody = np.ones(8, dtype=bool), np.zeros(8, dtype=bool)
    return Consensus(
        is_kept=everybody, is_named=nobody, is_inverted=nobody, profiles=(None,) * 8, modes=list(modes),
        evidence=evidence, is_contradicted=False,
    )  # fmt: skip


def mode(place, probability):
    return Mode(position=np.asarray(place), score=0.9, probability=probability)


def next_ones(evidence, first, *, probability=0.9, times=2, least=0.3, box=BOX):
    """What further_sources finds, by a listener that is so sure of whatever it finds."""

    def find(kept, places):
        found = find_modes(cancel_sources(kept, places), box)
        return [replace(each, probability=probability) for each in found if each.score > least]

    further = further_sources(consensus(evidence, first), [evidence] * times, find)
    return [each.modes[0].position for each in further]


def test_what_a_source_explains_is_gone_and_the_other_stays():
    left = cancel_sources(heard(ONE, OTHER), [ONE])
    assert left.score(ONE[None])[0] < 0.15
    assert left.score(OTHER[None])[0] > 0.7


def test_the_second_source_is_found_and_no_third():
    found = next_ones(heard(ONE, OTHER), mode(ONE, 0.5))
    assert len(found) == 1
    assert np.linalg.norm(found[0] - OTHER) < 0.02


def test_a_reflection_in_the_floor_is_no_further_source():
    """What ONE is mirrored to by a floor at 0, below all microphones."""
    below = ONE * [1, 1, -1]
    assert next_ones(heard(ONE, below), mode(ONE, 0.5), least=0.6, box=np.array([BOX[0] - [0, 0, 1.5], BOX[1]])) == []


@pytest.mark.parametrize(("probability", "height", "count"), [(0.4, 0.3, 0), (0.6, 0.3, 1), (0.4, 0.9, 1)])
def test_none_that_is_less_likely_than_not_unless_it_stands_out_beyond_doubt(probability, height, count):
    first, second = heard(ONE), heard(OTHER)
    both = replace(first, values=np.maximum(first.values, height * second.values))
    assert len(next_ones(both, mode(ONE, 0.5), probability=probability, least=0.2)) == count


@pytest.mark.parametrize(("height", "count"), [(0.5, 1), (0.05, 0)])
def test_what_is_far_weaker_than_the_first_is_what_is_left_of_it(height, count):
    one, other = heard(ONE), heard(OTHER)
    both = replace(one, values=np.maximum(one.values, np.float32(height) * other.values))
    found = next_ones(both, mode(ONE, 0.9), least=0.0)
    assert len(found) == count


def test_a_lone_source_leaves_nothing():
    assert next_ones(heard(ONE), mode(ONE, 0.5)) == []


def test_another_source_is_no_rival():
    rival = mode(OTHER + 1.0, 0.1)
    apart = apart_from(consensus(heard(ONE), mode(ONE, 0.5), mode(OTHER, 0.375), rival), [OTHER + 0.05])
    assert [m.probability for m in apart.modes] == pytest.approx([0.8, 0.16])
    assert apart.modes[1].position is rival.position
    assert apart_from(consensus(heard(ONE), mode(ONE, 0.5), rival), []).modes[1].probability == 0.1


def test_they_are_counted_in_words():
    assert multi_source_findings([ONE]) == []
    assert multi_source_findings([ONE, OTHER])[0].sentence == "2 sources sound at once"
