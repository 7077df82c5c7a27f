"""Motion within a window: a walker is where they were in its middle, a region knows of it, who stands is left alone."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.scenes import drawn
from soundfix import physics
from soundfix.estimate import Source
from soundfix.evaluation.metrics import is_inside
from soundfix.localization import motion, pipeline
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode
from soundfix.localization.motion import Ways, best_ways, convinces, one_of_ways, weighed
from soundfix.localization.subwindows import PIECES, Subwindows, Window
from soundfix.simulation.worlds import LUVIRA_TWIN
from soundfix.testing import contract_scene

STEP_M, DURATION_S = 0.007, 0.5
POSITIONS = contract_scene(8).microphones.positions
MIDDLE = np.array([2.2, 3.1, 1.2])
TIMES_S = ((np.arange(PIECES) + 0.5) / PIECES - 0.5) * DURATION_S
BOX, EVENLY = np.array([[0.0, 0, 0], [6, 5, 3]]), np.ones(PIECES)


def heard(velocity, *, loud=EVENLY, heard_best=6, box=BOX):
    """A bump of 2 cm for every pair and piece, where the source passes MIDDLE; the place: where it was heard best."""
    pairs, reach = physics.pair_indices(8), 120
    place = MIDDLE + np.asarray(velocity) * TIMES_S[heard_best]
    at = MIDDLE + np.outer(TIMES_S, velocity)
    beyond = physics.range_differences(at, POSITIONS, pairs) - physics.range_differences(place, POSITIONS, pairs)
    lag_m = STEP_M * np.arange(-reach, reach + 1)
    values = loud[:, None, None] * np.exp(-np.square((lag_m - beyond[..., None]) / 0.02) / 2)
    values += 0.02 * np.random.default_rng(0).standard_normal(values.shape)
    evidence = Evidence(
        pairs=np.tile(pairs, (PIECES, 1)),
        values=values.reshape(-1, len(lag_m)).astype(np.float32),
        step_m=STEP_M,
        positions=POSITIONS,
    )
    return Subwindows(
        evidence=evidence, place=place, sigma_m=0.0, box=box, pairs=pairs,
        times_s=TIMES_S, duration_s=DURATION_S,
    )  # fmt: skip


def source(pieces, sigma_m=0.01):
    covariance = sigma_m**2 * np.eye(3)
    return Source(position_m=pieces.place, covariance_m2=covariance, radius90_m=0.025, score=0.5)


def believed(pieces):
    return weighed(source(pieces), pieces, *best_ways(pieces))


@pytest.mark.parametrize("velocity", [(0.3, 0, 0), (0, -1.0, 0), (0.7, 0.7, 0.3), (-1.3, 0.4, 0), (0.2, 0.1, -0.5)])
def test_a_straight_way_is_found_from_where_the_source_was_heard_best(velocity):
    found = believed(heard(velocity))
    assert np.linalg.norm(found.source.position_m - MIDDLE) < 0.01
    assert found.speed_m_s == pytest.approx(np.linalg.norm(velocity), abs=0.05)
    assert found.moves > 0.99


def test_who_stands_is_left_alone():
    pieces = heard((0, 0, 0))
    own = source(pieces)
    assert weighed(own, pieces, *best_ways(pieces)).source is own


def test_a_region_grows_along_the_way_and_hardly_across():
    covariance = believed(heard((1.0, 0, 0))).source.covariance_m2
    deviation = np.sqrt(np.diag(covariance)) / 0.01
    assert deviation[0] > 1.5
    assert (deviation[1:] < 1.2).all()


def test_the_middle_is_less_sure_when_nothing_was_heard_there():
    loud = (np.arange(PIECES) >= 5).astype(float)
    even, late = (believed(heard((0.5, 0, 0), loud=each)).source for each in (EVENLY, loud))
    assert late.covariance_m2[1, 1] > 3 * even.covariance_m2[1, 1]
    assert is_inside(late, MIDDLE)


def test_in_doubt_both_are_in_the_region(monkeypatch):
    pieces = heard((0.5, 0, 0))
    stand, ways = best_ways(pieces)
    monkeypatch.setattr(motion, "_probabilities", lambda *_: np.append(0.5, np.full(len(ways), 0.5 / len(ways))))
    found = weighed(source(pieces), pieces, stand, ways)
    assert np.linalg.norm(found.source.position_m - (MIDDLE + pieces.place) / 2) < 0.02
    assert is_inside(found.source, MIDDLE)
    assert is_inside(found.source, pieces.place)


def test_a_known_height_stays():
    flat = np.array([[0.0, 0, MIDDLE[2]], [6, 5, MIDDLE[2]]])
    pieces = heard((0.8, 0.2, 0.0), box=flat)
    stand, ways = best_ways(pieces)
    assert (ways[..., 2] == pieces.place[2]).all()
    assert (stand[..., 2] == pieces.place[2]).all()
    assert np.linalg.norm(believed(pieces).source.position_m - MIDDLE) < 0.01


def test_moving_and_turning_the_room_moves_and_turns_the_answer():
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    pieces, by_m = heard((0.6, 0.5, 0)), np.array([10.0, -3, 2])
    evidence = replace(pieces.evidence, positions=POSITIONS @ turn.T + by_m)
    turned = replace(pieces, place=pieces.place @ turn.T + by_m, evidence=evidence)
    turned = replace(turned, box=np.array([[0.0, -10, -10], [20, 10, 10]]))
    plain, moved = believed(pieces).source, believed(turned).source
    assert moved.position_m == pytest.approx(plain.position_m @ turn.T + by_m, abs=2e-3)


def test_no_way_leaves_the_room():
    beside = np.array([[0.0, 0, 0], [MIDDLE[0] - 0.05, 5, 3]])
    assert believed(heard((0.8, 0.2, 0.0), box=beside)).source.position_m[0] == MIDDLE[0] - 0.05


def test_where_positions_are_not_exact_motion_must_be_clearer():
    pieces = heard((0.04, 0, 0))
    moves = [believed(replace(pieces, sigma_m=sigma_m)).moves for sigma_m in (0.0, 0.01, 0.05)]
    assert moves == sorted(moves, reverse=True)


def test_silence_gives_finite_numbers():
    pieces = heard((0.5, 0, 0))
    silent = replace(pieces, evidence=replace(pieces.evidence, values=np.zeros_like(pieces.evidence.values)))
    own = source(silent)
    assert weighed(own, silent, *best_ways(silent)).source is own


def walk(speed_m_s, seed):
    return drawn(
        LUVIRA_TWIN, np.random.default_rng(seed), duration_s=0.5, rt60_s=(0.3, 0.3), snr_db=(25.0, 25.0),
        share_moving=float(speed_m_s > 0), moving_m_s=(max(speed_m_s, 0.01),) * 2, sound_shares={"voice": 1.0},
    )  # fmt: skip


@pytest.mark.parametrize("speed_m_s", [0.3, 1.0])
def test_srp_phat_follows_too(speed_m_s):
    scene = walk(speed_m_s, 3)
    estimate = soundfix.load("srp-phat").locate(scene)
    assert np.linalg.norm(estimate.sources[0].position_m - scene.truth.sources[0]) < 0.03
    assert "moves" in estimate.reasons


@pytest.mark.parametrize("seed", range(3))
def test_the_answer_to_who_stands_is_that_without_motion(seed, monkeypatch):
    scene, localizer = walk(0.0, seed), soundfix.load("srp-phat")
    (now,) = localizer.locate(scene).sources
    monkeypatch.setattr(pipeline, "followed", lambda window, sources: (sources, ()))
    (before,) = localizer.locate(scene).sources
    assert np.array_equal(now.position_m, before.position_m)
    assert np.array_equal(now.covariance_m2, before.covariance_m2)


@pytest.mark.parametrize("seconds", [0.05, 1.5])
def test_windows_too_short_or_too_long_to_follow(seconds, monkeypatch):
    """In less nobody gets anywhere, for longer nobody walks straight."""
    monkeypatch.setattr(motion, "split_window", None)
    assert soundfix.load("srp-phat").locate(contract_scene(8, seconds=seconds)).sources


def test_nothing_is_said_below_an_even_chance():
    assert motion._said(motion.Belief(source(heard((0, 0, 0))), 0.4, 0.49)) == ()
    (said,) = motion._said(motion.Belief(source(heard((0, 0, 0))), 0.44, 0.5))
    assert said.sentence == "the source moves, about 0.4 m/s: its place is that in the middle of the window"
    assert (said.code, said.degrades) == ("moves", False)


def on_a_curve(pieces, values):
    """The same pieces with other evidence: [piece, pair], at the lag of the place for the stand."""
    return replace(pieces, evidence=replace(pieces.evidence, values=values.astype(np.float32)))


def both(velocity):
    """Pieces of a walk, the stand and the true way through them."""
    pieces = heard(velocity)
    ends = MIDDLE + np.array([[-0.25], [0.25]]) * DURATION_S * np.asarray(velocity)
    return pieces, pieces.place[None, None], ends


def test_a_walk_convinces():
    for velocity in ((0.5, 0, 0), (-0.8, 0.6, 0), (0.3, 0.2, 0.3)):
        assert convinces(*both(velocity))


def test_a_stand_does_not_convince():
    pieces = heard((0, 0, 0))
    stand, ways = best_ways(pieces)
    assert not any(convinces(pieces, stand, way) for way in ways)


def test_a_stand_whose_peaks_do_not_meet_does_not_convince():
    """Every pair's peak is off by some centimetres of its own, alike in all pieces: a way gains a little."""
    pieces = heard((0, 0, 0))
    off = np.tile(np.random.default_rng(4).integers(-5, 6, len(pieces.pairs)), PIECES)
    values = np.stack([np.roll(row, by) for row, by in zip(pieces.evidence.values, off, strict=True)])
    contradicting = on_a_curve(pieces, values)
    stand, ways = best_ways(contradicting)
    assert not any(convinces(contradicting, stand, way) for way in ways)
    assert not believed(contradicting).convinces or believed(contradicting).moves < motion.MOVES


def peaks_of(pieces, way):
    """Where the evidence of a way is among the values of all pairs in the first piece, in the second, ..."""
    nearest = pieces.nearest(way).ravel()
    return np.arange(len(nearest)), nearest


def gains(pieces, way, *, in_pieces=slice(None), in_pairs=None):
    """The evidence of a stand, and along the way, so high, only in these pieces and pairs."""
    values = 0.02 * np.random.default_rng(1).standard_normal(pieces.evidence.values.shape)
    gain = np.zeros((PIECES, len(pieces.pairs)))
    gain[in_pieces] = 0.5 if in_pairs is None else 0.5 * in_pairs
    values[peaks_of(pieces, pieces.place[None])] = 0.1
    values[peaks_of(pieces, way)] = 0.1 + gain.ravel()
    return on_a_curve(pieces, values)


@pytest.mark.parametrize("bursts", [1, motion.BEST_PIECES])
def test_a_burst_or_two_do_not_convince(bursts):
    """All that a way gains is in so many pieces; half of the pieces would do."""
    pieces, stand, way = both((1.0, 0.3, 0))
    few, half = (gains(pieces, way, in_pieces=np.arange(count) * PIECES // count) for count in (bursts, PIECES // 2))
    assert not convinces(few, stand, way)
    assert convinces(half, stand, way)


def test_one_microphone_does_not_convince():
    """All that a way gains is in the pairs of one; in all pairs but those it would do."""
    pieces, stand, way = both((1.0, 0.3, 0))
    of_one = (pieces.pairs == 3).any(axis=1).astype(float)
    assert not convinces(gains(pieces, way, in_pairs=of_one), stand, way)
    assert convinces(gains(pieces, way, in_pairs=1 - of_one), stand, way)


def test_a_way_must_gain_a_share_of_what_the_stand_has():
    """As sure in standard errors, and the sound much stronger than what is gained."""
    pieces, stand, way = both((1.0, 0.3, 0))
    weak = gains(pieces, way)
    values = weak.evidence.values.copy()
    for each in (stand, way[None]):
        values[peaks_of(pieces, each[0])] += 5.0
    assert convinces(weak, stand, way)
    assert not convinces(on_a_curve(pieces, values), stand, way)


def test_who_does_not_convince_stays_in_their_place_and_the_region_knows():
    pieces, own = heard((0.6, 0.3, 0)), source(heard((0.6, 0.3, 0)))
    ways = best_ways(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(motion, "convinces", lambda *_: False)
        found = weighed(own, pieces, *ways)
    assert found.moves > motion.MOVES
    assert np.array_equal(found.source.position_m, own.position_m)
    assert is_inside(found.source, MIDDLE)
    assert motion._said(found) == ()
    assert motion._said(found._replace(convinces=True)) != ()


def test_ways_near_a_place_are_sought_once(monkeypatch):
    scene, asked = contract_scene(8), []
    split = motion.split_window
    monkeypatch.setattr(motion, "split_window", lambda *given, **how: asked.append(given) or split(*given, **how))
    window = Window(scene=scene, audio=np.array(scene.audio), pairs=physics.pair_indices(8), box=scene.search_box())
    ways = Ways(window=window)
    first = ways.near(MIDDLE)
    assert ways.near(MIDDLE.copy()) is first
    assert ways.near(MIDDLE + 0.1) is not first
    assert [given[1].tolist() for given in asked] == [MIDDLE.tolist(), (MIDDLE + 0.1).tolist()]


def test_peaks_of_one_walk_are_one_place():
    """Those that were at one place in the middle of the window; another, and one that was not followed, stay."""
    places = np.array([[1.0, 1, 1], [1.4, 1, 1], [3.0, 3, 1], [1.2, 1, 1]])
    modes = [
        Mode(position=place, score=1.0, probability=p) for place, p in zip(places, (0.4, 0.3, 0.1, 0.1), strict=True)
    ]
    nobody = np.zeros(8, dtype=bool)
    evidence = heard((0.3, 0, 0)).evidence
    consensus = Consensus(
        is_kept=~nobody, is_named=nobody, is_inverted=nobody, profiles=(None,) * 8, modes=modes, evidence=evidence,
        is_contradicted=False,
    )  # fmt: skip
    stood = [Source(position_m=place, covariance_m2=np.eye(3), radius90_m=0.1, score=1.0) for place in places[:3]]
    walked = [replace(stood[0], position_m=places[3]), replace(stood[1], position_m=places[3] + 0.02), stood[2]]
    stood[0] = replace(stood[0], position_m=places[0] + 0.001)  # the first of several is placed by its own cells
    modes = one_of_ways(consensus, stood, walked).modes
    assert [mode.probability for mode in modes] == pytest.approx([0.7, 0.1, 0.1])
    assert one_of_ways(consensus, stood, stood) is consensus
