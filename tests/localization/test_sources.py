"""None"""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.scenes import anechoic_scene, planted_evidence
from soundfix.localization.boxes import CorrelationBoxes
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode
from soundfix.localization.pipeline import estimate_window
from soundfix.localization.sources import _border, _of_wind, _without, least_expected_error, one_of_twins, place_sources
from soundfix.testing import contract_scene

LOCALIZER = soundfix.load("srp-phat")

SOURCE = np.array([2.0, 3.0, 1.7])


@pytest.fixture
def flat():
    positions = np.random.default_rng(3).uniform([0.2] * 3, [5.8, 4.8, 2.8], (8, 3))
    positions[:, 2] = 1.0
    return positions


def test_both_mirror_twins_of_a_flat_array_are_reported(flat, rng):
    estimate = LOCALIZER.locate(anechoic_scene(flat, SOURCE, rng, room=((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))))
    assert estimate.verdict == "ambiguous"
    assert "mirror_twin" in estimate.reasons
    assert sorted(round(float(s.position_m[2]), 1) for s in estimate.sources) == [0.3, 1.7]


def test_a_room_box_excludes_the_twin(flat, rng):
    estimate = LOCALIZER.locate(anechoic_scene(flat, SOURCE, rng, room=((0.0, 0.0, 1.0), (6.0, 5.0, 3.0))))
    assert estimate.verdict == "ok"
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.03


def test_microphones_on_a_line_see_a_circle(rng):
    line = np.array([[x, 2.0, 1.0] for x in (0.3, 1.1, 2.6, 4.0, 5.5)])
    estimate = LOCALIZER.locate(anechoic_scene(line, SOURCE, rng, room=((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))))
    assert estimate.verdict == "ambiguous"
    assert "collinear" in estimate.reasons
    radii = [np.hypot(s.position_m[1] - 2.0, s.position_m[2] - 1.0) for s in estimate.sources]
    assert np.allclose(radii, np.hypot(1.0, 0.7), atol=0.05)


def test_four_microphones_have_no_integrity_check(rng):
    positions = np.array([[0.1, 0.1, 0.1], [5.8, 0.2, 2.7], [0.2, 4.7, 2.8], [5.5, 4.9, 0.3]])
    estimate = LOCALIZER.locate(anechoic_scene(positions, SOURCE, rng, room=((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))))
    assert "no_integrity_check" in estimate.reasons
    assert estimate.verdict in ("degraded", "ambiguous")
    assert min(np.linalg.norm(s.position_m - SOURCE) for s in estimate.sources) < 0.05


def test_a_tone_is_ambiguous_or_nothing(rng):
    positions = rng.uniform([0.1] * 3, [5.9, 4.9, 2.9], (8, 3))
    scene = anechoic_scene(positions, SOURCE, rng, room=((0.0, 0.0, 0.0), (6.0, 5.0, 3.0)))
    ranges = np.linalg.norm(SOURCE - positions, axis=1)
    tone = np.sin(2 * np.pi * 1000 * (np.arange(8000) / 16_000 - ranges[:, None] / 343))
    audio = (0.1 * tone + 1e-4 * rng.standard_normal(tone.shape)).astype(np.float32)
    assert LOCALIZER.locate(replace(scene, audio=audio)).verdict in ("ambiguous", "abstain")


def test_the_region_holds_the_truth_about_nine_times_in_ten(rng):
    positions = rng.uniform([0.1] * 3, [5.9, 4.9, 2.9], (8, 3))
    inside = []
    for _ in range(40):
        source = rng.uniform([0.5] * 3, [5.5, 4.5, 2.5])
        # Real arrays are never exact: 5 mm of position error that the list does not know of.
        scene = anechoic_scene(positions, source, rng, room=((0.0, 0.0, 0.0), (6.0, 5.0, 3.0)))
        listed = listed_at(scene, positions + 0.005 * rng.standard_normal(positions.shape))
        best = LOCALIZER.locate(listed).sources[0]
        offset = source - best.position_m
        inside.append(offset @ np.linalg.solve(best.covariance_m2, offset) < 6.251)
    assert 0.75 <= np.mean(inside) <= 1.0


def listed_at(scene, positions):
    return replace(scene, microphones=soundfix.Microphones(positions=positions))


ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))


@pytest.fixture
def deep():
    return np.random.default_rng(8).uniform([0.1] * 3, [5.9, 4.9, 2.9], (8, 3))


def test_a_clean_scene_is_ok_without_a_reason(deep, rng):
    estimate = LOCALIZER.locate(anechoic_scene(deep, SOURCE, rng, room=ROOM))
    assert (estimate.verdict, estimate.reasons, len(estimate.sources)) == ("ok", (), 1)


def test_twins_are_equally_good_and_mirror_each_other(flat, rng):
    first, second = LOCALIZER.locate(anechoic_scene(flat, SOURCE, rng, room=ROOM)).sources[:2]
    assert first.score == second.score
    assert np.allclose((first.position_m + second.position_m)[2] / 2, 1.0, atol=1e-6)
    assert np.allclose(first.position_m[:2], second.position_m[:2], atol=1e-6)


def test_a_source_in_the_plane_of_a_flat_array_is_all_its_twins(flat, rng):
    """Height hardly shows there: a few centimetres above or below, never elsewhere."""
    estimate = LOCALIZER.locate(anechoic_scene(flat, np.array([2.0, 3.0, 1.0]), rng, room=ROOM))
    for found in estimate.sources:
        assert np.linalg.norm(found.position_m[:2] - [2.0, 3.0]) < 0.01
        assert abs(found.position_m[2] - 1.0) < 0.15


def test_a_flat_array_of_any_slant_has_its_twin(rng):
    along, across, normal = np.linalg.qr(rng.standard_normal((3, 3)))[0].T
    positions = np.array([3.0, 2.5, 1.5]) + rng.uniform(-1.3, 1.3, (8, 2)) @ np.array([along, across])
    source = np.array([3.0, 2.5, 1.5]) + 0.6 * normal + 0.3 * along
    estimate = LOCALIZER.locate(anechoic_scene(positions, source, rng, room=ROOM))
    assert "mirror_twin" in estimate.reasons
    found = [s.position_m for s in estimate.sources[:2]]
    for place in (source, source - 1.2 * normal):
        assert min(np.linalg.norm(place - one) for one in found) < 0.02


def test_ambiguous_means_more_than_one_source_and_only_then(deep, flat, rng):
    for positions in (deep, flat, deep[:4]):
        estimate = LOCALIZER.locate(anechoic_scene(positions, SOURCE, rng, room=ROOM))
        assert (estimate.verdict == "ambiguous") == (len(estimate.sources) > 1)
        assert len(estimate.reasons) == len(estimate.notes)


def test_a_source_at_the_border_is_told(deep, rng):
    estimate = LOCALIZER.locate(anechoic_scene(deep, np.array([6.0, 3.0, 1.0]), rng, room=ROOM))
    assert "at_border" in estimate.reasons
    assert estimate.verdict == "degraded"


def test_without_a_room_the_border_is_that_of_what_was_searched(rng):
    """What is beyond the box round the microphones is found there, and is at no border."""
    cluster, source = rng.uniform(0, 1, (8, 3)), np.array([3.5, 0.5, 0.5])
    scene = anechoic_scene(cluster, source, rng)
    estimate = LOCALIZER.locate(scene)
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.02
    assert "at_border" not in estimate.reasons
    (at_end,) = _border(source, scene, np.array([[-4.0, -4.0, -4.0], [3.51, 5.0, 5.0]]))
    assert at_end.code == "at_border"
    assert "box searched" in at_end.sentence


def test_the_weak_axis_is_named(rng):
    """Microphones nearly in a plane, far below: height hardly shows in any delay, and costs no verdict by itself."""
    positions = np.column_stack([rng.uniform(0, 6, 8), rng.uniform(0, 5, 8), rng.uniform(0, 0.3, 8)])
    estimate = LOCALIZER.locate(
        anechoic_scene(positions, np.array([3.0, 2.5, 0.45]), rng, room=((0.0, 0.0, 0.2), (6.0, 5.0, 3.0)))
    )
    deviations = np.sqrt(np.diag(estimate.sources[0].covariance_m2))
    assert deviations[2] > 3 * deviations[:2].max()


def test_a_declared_position_error_widens_the_region(deep, rng):
    scene = anechoic_scene(deep, SOURCE, rng, room=ROOM)
    vague = soundfix.Microphones(positions=deep, sigma_m=np.full(8, 0.1))
    exact, wide = (LOCALIZER.locate(s).sources[0] for s in (scene, replace(scene, microphones=vague)))
    assert wide.radius90_m > 5 * exact.radius90_m


def with_probabilities(*probabilities, follows=False):
    """The answer of a method that gives its best modes these probabilities, in this order, and the others none."""

    class Sure(CorrelationBoxes):
        def find(self, heard, evidence, box):
            modes = super().find(heard, evidence, box)
            given = (*probabilities, *[0.0] * len(modes))
            return [replace(mode, probability=p) for mode, p in zip(modes, given, strict=False)]

    return estimate_window(contract_scene(8), Sure(follows=follows), method="sure").estimate


TWIN = SOURCE * [1, 1, -1] + [0, 0, 2]
ASIDE = SOURCE + np.array([0.3, 0.3, 0.1])


def of_flat(flat, *told):
    """The consensus on a flat array, of a method that tells places and probabilities."""
    nobody = np.zeros(8, dtype=bool)
    modes = [Mode(position=np.array(place), score=1.0, probability=p) for place, p in told]
    return Consensus(
        is_kept=~nobody, is_named=nobody, is_inverted=nobody, profiles=(None,) * 8, modes=modes,
        evidence=planted_evidence(flat, SOURCE), is_contradicted=False,
    )  # fmt: skip


def placed(flat, rng, *told):
    scene = anechoic_scene(flat, SOURCE, rng)
    return place_sources(scene, one_of_twins(of_flat(flat, *told)), scene.search_box())


@pytest.mark.parametrize("sure", [0.88, 0.95])
def test_mirror_twins_have_regions_that_mirror_each_other(flat, rng, sure):
    """Whatever side was likelier, and on whatever side something else was left; as wide as one place of both their
    probability would have."""
    mirror = np.diag([1.0, 1.0, -1.0])
    for told in (
        [(SOURCE, 0.6 * sure), (TWIN, 0.4 * sure), (ASIDE, 0.04)],
        [(SOURCE, sure), (ASIDE @ mirror + [0, 0, 2], 0.04)],
    ):
        (first, second), findings = placed(flat, rng, *told)
        assert np.allclose(second.position_m, TWIN)
        assert second.radius90_m == pytest.approx(first.radius90_m, rel=0.02)
        assert np.allclose(second.covariance_m2, mirror @ first.covariance_m2 @ mirror, atol=0.03 * first.radius90_m**2)
        assert first.radius90_m < 0.1 if sure > 0.9 else 0.3 < first.radius90_m < 0.9
        assert "unsure" not in [finding.code for finding in findings]


def test_a_rival_of_a_flat_array_has_a_twin_too(flat, rng):
    above, below = np.array([[4.5, 1.0, 1.4], [4.5, 1.0, 0.6]])
    sources, _ = placed(flat, rng, (SOURCE, 0.4), (TWIN, 0.35), (above, 0.08), (below, 0.08))
    assert np.allclose([source.position_m for source in sources], [SOURCE, TWIN, above, below])


def test_places_that_no_delay_tells_apart_are_one(flat):
    """As probable as both; of who does not know how probable places are, nothing is put together."""
    told = [(SOURCE, 0.3), (ASIDE, 0.2), (TWIN + 0.01, 0.25)]
    assert [mode.probability for mode in one_of_twins(of_flat(flat, *told)).modes] == [0.55, 0.2]
    untold = of_flat(flat, *[(place, None) for place, _ in told])
    assert one_of_twins(untold) is untold
    solid = of_flat(flat + np.arange(8)[:, None] * [0, 0, 0.1], *told)
    assert one_of_twins(solid) is solid


def test_a_sure_method_changes_nothing():
    sure, usual = with_probabilities(0.97, 0.02), LOCALIZER.locate(contract_scene(8))
    assert sure.verdict == usual.verdict == "ok"
    assert sure.sources[0].radius90_m == pytest.approx(usual.sources[0].radius90_m)


def test_probable_places_are_listed():
    estimate = with_probabilities(0.6, 0.35, 0.02)
    assert estimate.verdict == "ambiguous"
    assert "several_places" in estimate.reasons
    assert len(estimate.sources) == 2
    assert estimate.sources[0].radius90_m < 0.1


def test_a_rival_that_is_at_the_first_place_in_the_middle_of_the_window_is_none():
    """Whoever passes it on a way from there is the same one: as sure as both."""
    estimate = with_probabilities(0.6, 0.35, 0.02, follows=True)
    assert (estimate.verdict, len(estimate.sources)) == ("ok", 1)
    assert estimate.sources[0].radius90_m < 0.1


def test_what_is_probably_elsewhere_widens_the_region():
    radii = [with_probabilities(p).sources[0].radius90_m for p in (0.91, 0.85, 0.7)]
    assert radii[0] < 0.1
    assert 0.5 < radii[1] < radii[2] < 10


def test_a_source_that_is_probably_nowhere_is_no_answer():
    estimate = with_probabilities(0.4)
    assert estimate.verdict == "abstain"
    assert "no_fix" in estimate.reasons
    assert estimate.guess_m is not None


def test_the_guess_of_an_abstention_is_where_the_least_error_is_expected():
    """Two places near each other outweigh a likelier one far away; how probable all are together does not matter."""
    yes, no = np.ones(2, dtype=bool), np.zeros(2, dtype=bool)
    evidence = Evidence(
        pairs=np.array([[0, 1]]), values=np.zeros((1, 3), dtype=np.float32), step_m=0.01, positions=np.eye(3)[:2]
    )
    for share in (1.0, 0.1):
        modes = [
            Mode(position=np.array([x, 0.0, 0.0]), score=1.0, probability=share * p)
            for x, p in ((0.0, 0.4), (5.0, 0.35), (5.3, 0.25))
        ]
        unsure = Consensus(
            is_kept=yes, is_named=no, is_inverted=no, profiles=(None, None), modes=modes, evidence=evidence,
            is_contradicted=False,
        )  # fmt: skip
        assert least_expected_error(unsure)[0] == 5.0


@pytest.mark.parametrize(("apart_m", "is_another"), [(0.2, False), (0.4, True)])
def test_a_place_a_few_decimetres_from_another_is_one_of_its_own(apart_m, is_another):
    here, there = (Mode(position=SOURCE + np.array([0.0, each, 0.0]), score=1.0) for each in (0.0, apart_m))
    assert _without([there], [here]) == ([there] if is_another else [])


def test_what_the_wind_does_to_a_microphone_that_hardly_counts_moves_no_place(deep):
    """One far away whose position is known to a hundred metres is as none."""
    box, told = np.array([[-50.0] * 3, [50.0] * 3]), np.full(len(deep), 0.1)
    alone = _of_wind(SOURCE, deep, told, box, 0.01)
    more = _of_wind(SOURCE, np.vstack([deep, [40.0, 0, 0]]), np.append(told, 100.0), box, 0.01)
    assert np.trace(alone) > 1e-4
    assert more == pytest.approx(alone, rel=0.01, abs=1e-6)
