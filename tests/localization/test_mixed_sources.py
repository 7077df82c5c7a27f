"""Several sources at once: found, counted, placed; who walks is one; where cells do not tell, nothing is asked of them."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.mixtures import RATE, mixture
from soundfix import physics
from soundfix.localization import mixed_sources as module
from soundfix.localization.cells import cells_of
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.mixed_sources import (
    ALONE,
    POSSIBLE,
    SURE,
    White,
    believed,
    can_be_told_apart,
    features,
    may_be_several,
    mixed_sources,
    probability,
    told_apart,
    who_do_not_walk,
)
from soundfix.localization.mixture import mixture_of
from soundfix.localization.modes import Mode
from soundfix.localization.preparation import prepare
from soundfix.scene import Scene
from soundfix.testing import contract_scene

LIKE = contract_scene(8)
POSITIONS, BOX = LIKE.microphones.positions, LIKE.search_box()
PLACES = np.array([[1.5, 1.2, 1.0], [4.2, 3.9, 1.8], [4.5, 1.0, 1.2]])
ELSEWHERE = np.array([3.0, 2.0, 0.5])


def scene(*sources, seed=0, **how):
    sound = mixture(POSITIONS, sources, np.random.default_rng(seed), **how)
    return Scene(audio=sound, sample_rate=RATE, microphones=LIKE.microphones, speed_of_sound_m_s=343.2)


def consensus(place, *, kept=None, evidence=None, inverted=()):
    everybody = np.ones(8, dtype=bool) if kept is None else kept
    nobody, is_inverted = np.zeros(8, dtype=bool), np.isin(np.arange(8), inverted)
    heard = evidence or Evidence(
        pairs=physics.pair_indices(8), values=np.zeros((28, 9), np.float32), step_m=0.01, positions=POSITIONS
    )
    return Consensus(
        is_kept=everybody, is_named=nobody, is_inverted=is_inverted, profiles=(None,) * 8,
        modes=[Mode(position=np.asarray(place), score=0.9, probability=0.9)], evidence=heard, is_contradicted=False,
    )  # fmt: skip


def white(of):
    return White(sound=np.array(of.audio), rate=RATE, is_turned=np.zeros(8, dtype=bool))


@pytest.mark.parametrize("count", [2, 3])
def test_so_many_as_sound_are_found_where_they_are(count):
    heard = scene(*PLACES[:count], seconds=1.0)
    found = mixed_sources(heard, np.array(heard.audio), RATE, BOX, ELSEWHERE)
    assert len(found) == count
    off_m = physics.distances(PLACES[:count], np.array([each.mode.position for each in found])).min(axis=1)
    assert off_m.max() < 0.02


def test_the_loudest_comes_first_and_each_has_evidence_of_its_own():
    heard = scene(*PLACES[:2], seconds=1.0, levels=[0.5, 1.5])
    first, second = mixed_sources(heard, np.array(heard.audio), RATE, BOX, ELSEWHERE)
    assert np.linalg.norm(first.mode.position - PLACES[1]) < 0.05
    assert first.mode.probability == 1.0
    for one, other in ((first, second), (second, first)):
        assert one.evidence.score(one.mode.position[None])[0] > 2 * one.evidence.score(other.mode.position[None])[0]


def test_a_lone_source_and_silence_are_not_several():
    lone = scene(PLACES[0], seconds=1.0)
    assert mixed_sources(lone, np.array(lone.audio), RATE, BOX, ELSEWHERE) == []
    silent = replace(scene(PLACES[0]), audio=np.zeros((8, 8000), np.float32))
    assert mixed_sources(silent, np.array(silent.audio), RATE, BOX, ELSEWHERE) == []


def test_a_network_may_speak_against_a_further_one():
    heard = scene(*PLACES[:2], seconds=1.0)
    asked = []

    def believe(places, found):
        asked.append((len(places), len(found)))
        return 0.0

    several = mixed_sources(heard, np.array(heard.audio), RATE, BOX, ELSEWHERE)
    assert len(several) == 2
    mixed_sources(heard, np.array(heard.audio), RATE, BOX, ELSEWHERE, believe)
    assert asked[0][1] == 1
    assert mixed_sources(heard, np.array(heard.audio), RATE, BOX, ELSEWHERE, lambda *_: 0.99)


@pytest.mark.parametrize(("probable", "count"), [([1.0, 0.7], 0), ([1.0, 0.9], 2), ([1.0, 0.9, 0.5], 3)])
def test_a_second_one_must_be_sure_and_a_third_one_likely(monkeypatch, probable, count):
    monkeypatch.setattr(module, "believed", lambda mixture, *_: (mixture.chosen(len(probable)), np.array(probable)))
    heard = scene(*PLACES, seconds=1.0)
    found = mixed_sources(heard, np.array(heard.audio), RATE, BOX, ELSEWHERE)
    assert len(found) == count
    assert [each.mode.probability for each in found] == probable[:count]


def test_loud_cells_count_more_than_quiet_ones(monkeypatch):
    counted = []
    monkeypatch.setattr(module, "believed", lambda mixture, *_: counted.append(mixture.counts) or ([0], np.ones(1)))
    heard = scene(*PLACES[:2])
    mixed_sources(heard, np.array(heard.audio), RATE, BOX, ELSEWHERE)
    cells = cells_of(np.array(heard.audio), RATE, POSITIONS, heard.speed)
    assert counted[0] == pytest.approx(cells.loudness())
    assert counted[0].std() > 0.3


def test_a_larger_gap_to_the_next_makes_a_source_likelier_and_so_does_a_larger_distance():
    def odds(gains, places=PLACES):
        return np.array(ALONE) @ features(np.log(gains), places, 1, np.zeros(2))

    assert odds([1.0, 0.6, 0.4, 0.38]) > odds([1.0, 0.6, 0.56, 0.53])
    near = PLACES[:1] + np.array([[0, 0, 0], [0.4, 0, 0], [9, 0, 0]])
    assert odds([1.0, 0.6, 0.4, 0.38]) > odds([1.0, 0.6, 0.4, 0.38], near)


@pytest.mark.parametrize(("believed", "sure"), [(None, 0.23362), (0.1, 0.72521)])
def test_numbers_of_the_regressions(believed, sure):
    """Each of them changes this probability: they were fitted to mixtures, and go together."""
    told = np.array([1.0, 0.2, -2.0, 0.1, 0.7, -0.5, 0.1, -0.5, 1.0, 0.4])
    assert probability(told, believed and (lambda: believed), 0.0001) == pytest.approx(sure, abs=2e-5)


def test_a_network_is_never_surer_than_one_in_two_hundred():
    told = np.array([1.0, 0.2, -2.0, 0.1, 0.7, -0.5, 0.1, -0.5, 1.0, 0.4])
    certain, sure, nearly = (probability(told, lambda sure=sure: sure, 1e-9) for sure in (1.0, 0.995, 0.99))
    assert certain == pytest.approx(sure)
    assert certain > nearly + 1e-6
    never, hardly, seldom = (probability(told, lambda sure=sure: sure, 1e-9) for sure in (0.0, 0.005, 0.01))
    assert never == pytest.approx(hardly)
    assert never < seldom - 1e-6


def test_the_first_place_stays_where_it_is_one_of_them():
    heard = scene(*PLACES[:2], seconds=1.0)
    own = told_apart(prepare(heard), consensus(PLACES[1] + 0.05), white(heard), BOX)
    assert physics.distances(np.array([each.modes[0].position for each in own]), PLACES[[1, 0]]).diagonal().max() < 0.02
    assert len(own) == 2
    assert [each.modes[0].score for each in own] == [0, 0]  # as high as all that was heard is there


def test_where_the_first_place_is_none_of_several_cells_tell_nothing():
    heard = scene(*PLACES[:2], seconds=1.0)
    assert told_apart(prepare(heard), consensus(ELSEWHERE), white(heard), BOX) == []


def test_a_lone_source_is_not_told_apart():
    heard = scene(PLACES[0], seconds=1.0)
    assert told_apart(prepare(heard), consensus(PLACES[0]), white(heard), BOX) == []


def test_the_place_that_was_agreed_on_is_a_candidate(monkeypatch):
    monkeypatch.setattr(module, "candidates", lambda *_: PLACES[1:])
    heard = scene(*PLACES[:2], seconds=1.0)
    own = told_apart(prepare(heard), consensus(PLACES[0]), white(heard), BOX)
    assert np.linalg.norm(own[0].modes[0].position - PLACES[0]) < 0.02


def test_only_those_that_were_kept_are_listened_to_under_their_own_numbers():
    heard, kept = scene(*PLACES[:2], seconds=1.0), np.arange(8) != 2
    audio = np.array(heard.audio)
    audio[2] = np.random.default_rng(5).standard_normal(audio.shape[1])
    odd = replace(heard, audio=audio)
    own = told_apart(prepare(odd), consensus(PLACES[0], kept=kept), white(odd), BOX)
    assert 2 not in own[1].evidence.pairs
    assert own[1].evidence.pairs.max() == 7
    assert own[1].evidence.score(PLACES[1:2])[0] > 0.5


def test_a_reversed_microphone_is_turned_in_both_ways_of_hearing_unless_it_was():
    heard = scene(*PLACES[:2], seconds=1.0)
    audio = np.array(heard.audio)
    audio[3] *= -1
    odd, reversed_ = replace(heard, audio=audio), consensus(PLACES[0], inverted=[3])
    turned_before = White(sound=np.array(heard.audio), rate=RATE, is_turned=np.arange(8) == 3)
    for sound in (white(odd), turned_before):
        own = told_apart(prepare(odd), reversed_, sound, BOX)
        assert np.linalg.norm(own[1].modes[0].position - PLACES[1]) < 0.02
        assert own[1].evidence.score(own[1].modes[0].position[None])[0] > 0.5


def test_who_walks_is_one_and_two_who_speak_at_once_are_two():
    heard = scene(PLACES[0])
    cells = cells_of(np.array(heard.audio), RATE, POSITIONS, 343.2)
    near = np.stack([PLACES[0], PLACES[0] + [0.35, 0, 0]])
    frames = np.arange(cells.frames) / cells.frames
    early, late = ((frames < 0.5).astype(float), (frames >= 0.5).astype(float))
    bins = len(cells.frequency_hz)
    apart = np.repeat(np.stack([early, late]), bins, axis=1)
    together = np.ones_like(apart)
    assert who_do_not_walk(near, apart, cells) == [0]
    assert who_do_not_walk(near, together, cells) == [0, 1]
    far = np.stack([PLACES[0], PLACES[0] + [1.5, 0, 0]])
    assert who_do_not_walk(far, apart, cells) == [0, 1]
    between = np.stack([near[0], near[1], far[1]])
    assert who_do_not_walk(between, np.stack([early, late, early]).repeat(bins, axis=1), cells) == [0, 2]


@pytest.mark.parametrize(("third", "told"), [(0.9, [1.0, 0.9]), (0.5, [])])
def test_who_is_left_beside_one_who_walks_is_as_probable_as_before_and_must_be_sure(monkeypatch, third, told):
    probable = np.array([1.0, 0.95, third])
    monkeypatch.setattr(module, "believed", lambda mixture, *_: (mixture.chosen(3), probable))
    monkeypatch.setattr(module, "who_do_not_walk", lambda *_: [0, 2])
    heard = scene(*PLACES, seconds=1.0)
    found = mixed_sources(heard, np.array(heard.audio), RATE, BOX, ELSEWHERE)
    assert [each.mode.probability for each in found] == told


def test_where_cells_do_not_tell_they_are_not_asked(monkeypatch):
    heard, agreed = scene(PLACES[0]), consensus(PLACES[0])
    assert can_be_told_apart(heard, agreed)
    few = consensus(PLACES[0], kept=np.arange(8) < 4)
    assert not can_be_told_apart(heard, few)
    assert not can_be_told_apart(replace(heard, band_hz=(5500.0, 7500.0)), agreed)
    assert not can_be_told_apart(heard, replace(agreed, is_contradicted=True))
    broad = replace(agreed, evidence=replace(agreed.evidence, is_broad=True))
    assert not can_be_told_apart(heard, broad)
    assert not can_be_told_apart(heard.part(0, 2000), agreed)
    monkeypatch.setattr(module, "WIDEST_S", 0.001)
    assert not can_be_told_apart(heard, agreed)


class Asked:
    """A mixture of four places of which a network says what it is told to."""

    def __init__(self, monkeypatch, *says):
        self.count, places = 0, np.concatenate([PLACES, ELSEWHERE[None]])
        self.mixture = mixture_of(
            np.random.default_rng(0).uniform(0, 1, (4, 500)), np.ones(500), places, POSITIONS, 0.3
        )
        monkeypatch.setattr(module, "probability", lambda told, ask, least: ask())
        self.says = iter(says)

    def __call__(self, places, found):
        self.count += 1
        assert len(found) == self.count
        return next(self.says)


def test_whether_there_may_be_several_is_asked_of_the_second_place(monkeypatch):
    sure = Asked(monkeypatch, POSSIBLE, 0.0, 0.0)
    assert may_be_several(sure.mixture, LIKE, sure)
    never = Asked(monkeypatch, POSSIBLE - 1e-6, 1.0, 1.0)
    assert not may_be_several(never.mixture, LIKE, never)
    assert (sure.count, never.count) == (1, 1)


def test_what_is_told_of_the_second_place_needs_no_more_gains_than_are_looked_at(monkeypatch):
    """The same as where all gains are known."""
    said = []
    mixture = Asked(monkeypatch, 0.0).mixture
    monkeypatch.setattr(module, "probability", lambda told, *_: said.append(told) or 0.0)
    may_be_several(mixture, LIKE, None)
    believed(mixture, LIKE, None)
    assert np.array_equal(said[0], said[1])


def test_nobody_asks_about_a_third_where_the_second_is_not_sure(monkeypatch):
    unsure = Asked(monkeypatch, SURE - 1e-6, 0.9, 0.9)
    chosen, probable = believed(unsure.mixture, LIKE, unsure)
    assert (len(chosen), probable.tolist(), unsure.count) == (1, [1.0], 1)
    sure = Asked(monkeypatch, SURE, 0.1, 0.9)
    chosen, probable = believed(sure.mixture, LIKE, sure)
    assert (len(chosen), probable.tolist(), sure.count) == (4, [1.0, SURE, 0.1, 0.9], 3)


def test_gains_that_were_not_looked_for_fall_on_evenly():
    *_, last, next_one, another = module.log_gains([np.float64(0.5), np.float64(0.2)])
    assert last == np.log(0.2)
    assert another - next_one == pytest.approx(next_one - last)
    assert next_one < last
