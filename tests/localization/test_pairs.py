"""Where there are too many pairs some are chosen, among the microphones that count."""

from dataclasses import replace

import numpy as np

import soundfix
from helpers.scenes import anechoic_scene
from helpers.srp_phat import ROOM, place
from soundfix.localization.pairs import MOST_PAIRS, MOST_VALUES, choose_pairs
from soundfix.microphones import Microphones


def test_many_microphones_use_some_of_the_pairs_and_say_so(rng):
    positions = rng.uniform([0.1] * 3, [5.9, 4.9, 2.9], (48, 3))
    source = np.array([2.0, 3.0, 1.0])
    estimate = soundfix.load("srp-phat").locate(anechoic_scene(positions, source, rng, room=ROOM))
    assert "pairs_subsampled" in estimate.reasons
    assert estimate.verdict == "ok"
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.01


def test_few_trusted_among_many_microphones(rng):
    everybody = rng.uniform([0.1] * 3, [5.9, 4.9, 2.9], (48, 3))
    source = np.array([2.0, 3.0, 1.0])
    scene = anechoic_scene(everybody, source, rng, room=ROOM)
    estimate = soundfix.load("srp-phat").locate(replace(scene, is_trusted=np.arange(48) % 8 == 0))
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.02


def test_few_known_among_many_unknown_microphones():
    """As good as the five known ones alone, which are right to a centimetre."""
    rng, source = np.random.default_rng(0), np.array([2.0, 3.0, 1.0])
    everybody = rng.uniform([0.1] * 3, [5.9, 4.9, 2.9], (60, 3))
    scene = anechoic_scene(everybody, source, rng, room=ROOM)
    is_known = np.isin(np.arange(60), np.random.default_rng(2).permutation(60)[:5])
    blank = np.where(is_known[:, None], everybody, np.nan)
    alone, among = place(scene.where(is_known)), place(replace(scene, microphones=Microphones(positions=blank)))
    assert np.linalg.norm(alone - source) < 0.01
    assert np.linalg.norm(among - source) < 0.02


def test_where_curves_are_long_there_are_fewer():
    heard = np.ones(40, dtype=bool)
    usual, said = choose_pairs(heard)
    long, why = choose_pairs(heard, lags=470_000)
    assert len(usual) <= MOST_PAIRS
    assert len(long) * 470_000 <= MOST_VALUES
    assert set(np.unique(long)) == set(range(40))
    assert "say nothing new" in said[0].sentence
    assert "fit into memory" in why[0].sentence
    assert choose_pairs(heard[:16], lags=470_000)[1] == ()
