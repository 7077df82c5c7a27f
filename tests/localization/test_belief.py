"""What is not believed: nothing in common, probably nowhere, a minority; and what is guessed instead, for comparisons."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.scenes import planted_evidence
from soundfix.estimate import Source
from soundfix.localization.abstention import Abstention
from soundfix.localization.belief import believe
from soundfix.localization.boxes import CorrelationBoxes
from soundfix.localization.consensus import Consensus
from soundfix.localization.modes import Mode
from soundfix.localization.pairs import weighted
from soundfix.localization.preparation import prepare
from soundfix.localization.search import agree_somewhere
from soundfix.testing import SOURCE, contract_scene


@pytest.fixture(scope="module")
def agreed():
    """A clean window, what its microphones agree on, and the source placed there."""
    boxes, prepared = CorrelationBoxes(), prepare(contract_scene())
    heard = boxes.hear(prepared)
    evidence = weighted(heard.evidence, prepared.health.weight)
    prepared, agreement = agree_somewhere(prepared, evidence, boxes, heard)
    return prepared, agreement.consensus, boxes.place(heard, prepared, agreement.consensus, agreement.box).sources


def with_probabilities(consensus, *probabilities):
    best, elsewhere = consensus.modes[0], np.array([1.0, 1.0, 1.0])
    modes = [replace(best, position=best.position + k * elsewhere, probability=p) for k, p in enumerate(probabilities)]
    return replace(consensus, modes=modes)


def disbelieved(prepared, consensus, sources):
    with pytest.raises(Abstention) as nothing:
        believe(prepared, consensus, sources)
    return nothing.value


def test_a_clean_source_is_believed(agreed):
    assert believe(*agreed) is None


def test_what_stands_out_no_further_than_chance_is_nothing(agreed):
    prepared, consensus, sources = agreed
    faint = replace(consensus, modes=[replace(consensus.modes[0], score=0.0)])
    nothing = disbelieved(prepared, faint, sources)
    assert nothing.why.code == "no_signal"
    assert np.linalg.norm(nothing.guess_m[0] - SOURCE) < 0.05
    assert nothing.consensus is faint


def test_what_is_probably_nowhere_is_no_fix_and_the_guess_errs_least(agreed):
    prepared, consensus, sources = agreed
    believe(prepared, with_probabilities(consensus, 0.3, 0.25), sources)
    nothing = disbelieved(prepared, with_probabilities(consensus, 0.1, 0.15, 0.14), sources)
    assert nothing.why.code == "no_fix"
    assert "61%" in nothing.why.sentence
    assert np.linalg.norm(nothing.guess_m[0] - consensus.modes[0].position - 1) < 1e-9  # between the other two


def test_half_of_the_microphones_cannot_be_outvoted(agreed):
    prepared, consensus, sources = agreed
    believe(prepared, replace(consensus, is_named=np.arange(8) < 3), sources)
    nothing = disbelieved(prepared, replace(consensus, is_named=np.arange(8) < 4), sources)
    assert nothing.why.code == "inconsistent"
    assert "4 of 8" in nothing.why.sentence


SOMEWHERE = Source(position_m=SOURCE, covariance_m2=np.eye(3), radius90_m=2.5, score=1.0)


def test_mirror_twins_are_believed_together():
    """Each alone is unlikely, because the other is as likely."""
    scene = contract_scene()
    positions = scene.microphones.positions * [1, 1, 0] + [0, 0, 1]
    flat = replace(scene, microphones=replace(scene.microphones, positions=positions))
    prepared, nobody = prepare(flat), np.zeros(8, dtype=bool)
    evidence = planted_evidence(flat.microphones.positions, SOURCE)
    modes = [Mode(position=place, score=0.9, probability=0.26) for place in (SOURCE, SOURCE * [1, 1, -1] + [0, 0, 2])]
    consensus = Consensus(
        is_kept=~nobody, is_named=nobody, is_inverted=nobody, profiles=(None,) * 8, modes=modes, evidence=evidence,
        is_contradicted=False,
    )  # fmt: skip
    believe(prepared, consensus, [])
    apart = replace(consensus, modes=[modes[0], replace(modes[1], position=modes[1].position + 0.5)])
    assert disbelieved(prepared, apart, [SOMEWHERE]).why.code == "no_fix"
