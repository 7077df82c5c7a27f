"""Who sounds at once is told once of a consensus, and again of any other."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix import physics
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode
from soundfix.methods.told_once import AtOnce, ToldOnce

BOX = np.array([[0.0, 0.0, 0.0], [5.0, 4.0, 3.0]])


@pytest.fixture
def agreed():
    pairs, everybody = physics.pair_indices(3), np.ones(3, dtype=bool)
    evidence = Evidence(pairs=pairs, values=np.zeros((3, 5), np.float32), step_m=0.01, positions=np.eye(3))
    return Consensus(
        is_kept=everybody, is_named=~everybody, is_inverted=~everybody, profiles=(None,) * 3,
        modes=[Mode(position=np.ones(3), score=0.5)], evidence=evidence, is_contradicted=False,
    )  # fmt: skip


@pytest.fixture
def tell():
    asked = []

    def telling(consensus):
        return lambda: asked.append(consensus) or AtOnce([consensus], [consensus, consensus])

    telling.asked = asked
    return telling


def test_one_that_moves_is_told_by_what_was_told_of_it(agreed, tell):
    told, moving = ToldOnce(), replace(agreed, is_moving=True)
    first = told(agreed, BOX, tell(agreed))
    again = told(moving, BOX.copy(), tell(moving))
    assert len(tell.asked) == 1
    assert [len(some) for some in again] == [len(some) for some in first] == [1, 2]
    assert [each.is_moving for some in first for each in some] == [False] * 3
    assert [each.is_moving for some in again for each in some] == [True] * 3
    assert again.own[0].evidence is first.own[0].evidence


def test_rivals_of_the_place_agreed_on_change_nothing(agreed, tell):
    told, rival = ToldOnce(), replace(agreed.modes[0], position=np.zeros(3))
    told(agreed, BOX, tell(agreed))
    likelier = replace(agreed.modes[0], probability=0.9)
    told(replace(agreed, modes=[likelier, rival]), BOX, tell(agreed))
    assert len(tell.asked) == 1


def test_any_other_is_told_anew(agreed, tell):
    told = ToldOnce()
    told(agreed, BOX, tell(agreed))
    elsewhere = [replace(agreed.modes[0], position=np.zeros(3))]
    others = [replace(agreed, modes=elsewhere), replace(agreed, is_kept=agreed.is_kept.copy())]
    for other in [*others, replace(agreed, is_contradicted=True)]:
        told(other, BOX, tell(other))
    told(agreed, BOX + 1, tell(agreed))
    assert len(tell.asked) == 5
