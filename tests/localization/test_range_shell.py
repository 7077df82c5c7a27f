"""What one window knows of a microphone of unknown position: its distance from the source, honestly, and no place."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

import soundfix
from helpers.scenes import anechoic_scene, planted_evidence
from soundfix.evaluation.metrics import score
from soundfix.localization import range_shell as shells
from soundfix.localization.consensus import Consensus
from soundfix.localization.modes import Mode
from soundfix.localization.range_shell import shell
from soundfix.microphones import Microphones
from soundfix.report.exports import locate_schema
from soundfix.report.text import describe_microphones
from soundfix.search_region import SearchRegion

BOX = np.array([[0.0, 0.0, 0.0], [6.0, 5.0, 3.0]])
SOURCE = np.array([2.0, 3.0, 1.0])
EXACT = 1e-6 * np.eye(3)


@pytest.fixture
def positions(rng):
    return rng.uniform([0.3] * 3, [5.7, 4.7, 2.7], (8, 3))


def agreed(evidence, *modes, unknown=6):
    """The consensus of all but one microphone on places (x, probability)."""
    is_kept = np.arange(8) != unknown
    return Consensus(
        is_kept=is_kept, is_named=~is_kept, is_inverted=~is_kept, profiles=(None,) * 8, evidence=evidence,
        modes=[Mode(position=place, score=1.0, probability=odds) for place, odds in modes], is_contradicted=False,
    )  # fmt: skip


def found(positions, *modes, noise=0.1, rng=None, box=BOX, covariance=EXACT, m=6):
    evidence = planted_evidence(positions, SOURCE, noise=noise, rng=rng)
    blank = np.where((np.arange(8) == m)[:, None], 0.0, positions)
    return shell(m, blank, agreed(evidence, *modes, unknown=m), covariance, box)


@pytest.mark.parametrize("m", [0, 4, 7])
def test_the_radius_is_the_distance_from_the_source(positions, rng, m):
    true_m = np.linalg.norm(positions[m] - SOURCE)
    said = found(positions, (SOURCE, None), rng=rng, m=m)
    assert said.radius_m == pytest.approx(true_m, abs=0.01)
    assert said.radius90_m[0] < true_m < said.radius90_m[1] < said.radius90_m[0] + 0.06
    assert said.sigma_m < 0.03
    assert np.array_equal(said.centre_m, SOURCE)


def test_a_curve_that_tells_nothing_leaves_the_room(positions, rng):
    """The distance is then as if the microphone had been put anywhere; the place is about the middle."""
    evidence = planted_evidence(positions, SOURCE, noise=0.0)
    flat = replace(evidence, values=np.zeros_like(evidence.values))
    said = shell(6, positions, agreed(flat, (SOURCE, None)), EXACT, BOX)
    anywhere_m = np.linalg.norm(rng.uniform(*BOX, (20_000, 3)) - SOURCE, axis=1)
    assert said.radius90_m == pytest.approx(np.quantile(anywhere_m, [0.05, 0.95]), abs=0.06)
    assert said.radius_m == pytest.approx(np.median(anywhere_m), abs=0.05)
    assert np.linalg.norm(said.place_m - BOX.mean(axis=0)) < 0.2


def test_a_doubtful_source_leaves_its_share_to_the_room(positions, rng):
    sure, doubtful = (found(positions, (SOURCE, odds), rng=rng) for odds in (1.0, 0.6))
    assert sure.radius90_m[1] - sure.radius90_m[0] < 0.1
    assert doubtful.radius90_m[1] - doubtful.radius90_m[0] > 1.0
    assert doubtful.sigma_m > 10 * sure.sigma_m


def test_two_places_of_the_source_leave_both_distances(positions, rng):
    """The second place explains the known microphones as badly as chance: its shell is wide, the first one's narrow."""
    said = found(positions, (SOURCE, 0.5), (np.array([5.0, 1.0, 2.0]), 0.5), rng=rng)
    assert said.radius90_m[0] <= np.linalg.norm(positions[6] - SOURCE) <= said.radius90_m[1]
    assert said.radius90_m[1] - said.radius90_m[0] > 1.0


def test_the_source_s_own_error_widens_the_interval(positions, rng):
    exact, vague = (found(positions, (SOURCE, None), rng=rng, covariance=c) for c in (EXACT, 0.04 * np.eye(3)))
    unit = (SOURCE - np.delete(positions, 6, axis=0)) / np.linalg.norm(
        SOURCE - np.delete(positions, 6, axis=0), axis=1, keepdims=True
    )
    assert exact.sigma_m < 0.03
    assert vague.sigma_m == pytest.approx(0.2 * np.linalg.norm(unit.mean(axis=0)), rel=0.2)


def test_the_place_is_the_least_expected_distance_on_the_shell(positions, rng):
    """In a box that leaves a quarter of the sphere; no other place is nearer on average."""
    said = found(positions, (SOURCE, None), rng=rng)
    ends = SOURCE + said.radius_m * (lambda v: v / np.linalg.norm(v, axis=1, keepdims=True))(
        rng.normal(size=(20_000, 3))
    )
    ends = ends[((ends >= BOX[0]) & (ends <= BOX[1])).all(axis=1)]

    def expected_m(place):
        return np.linalg.norm(ends - place, axis=1).mean()

    assert said.expected_error_m == pytest.approx(expected_m(said.place_m), rel=0.05)
    others = said.place_m + rng.normal(scale=0.3, size=(50, 3))
    assert expected_m(said.place_m) < min(expected_m(other) for other in others) + 0.01


def test_a_whole_sphere_has_its_middle_as_place(positions, rng):
    wide = np.array([[-50.0] * 3, [50.0] * 3])
    said = found(positions, (SOURCE, None), rng=rng, box=wide)
    assert np.linalg.norm(said.place_m - SOURCE) < 0.05
    assert said.expected_error_m == pytest.approx(np.linalg.norm(positions[6] - SOURCE), rel=0.02)


def test_a_known_height_of_the_source_is_not_that_of_the_microphone(positions, rng):
    said = found(positions, (SOURCE, None), rng=rng, box=np.array([[0.0, 0.0, 1.0], [6.0, 5.0, 1.0]]))
    assert said.radius_m == pytest.approx(np.linalg.norm(positions[6] - SOURCE), abs=0.02)


def test_nobody_to_compare_with_or_a_source_too_far_for_any_sphere_is_none(positions, rng):
    evidence = planted_evidence(positions, SOURCE, noise=0.1, rng=rng)
    alone = replace(agreed(evidence, (SOURCE, None)), is_kept=np.zeros(8, dtype=bool))
    assert shell(6, positions, alone, EXACT, BOX) is None
    assert found(positions, (SOURCE + 1e4, None), rng=rng) is None


def test_directions_are_even():
    ends = shells.sphere_directions()
    assert np.linalg.norm(ends, axis=1) == pytest.approx(np.ones(len(ends)))
    assert np.abs(ends.mean(axis=0)).max() < 0.01
    assert ends.T @ ends / len(ends) == pytest.approx(np.eye(3) / 3, abs=0.01)


def test_areas_by_hand():
    """From the middle of a cube of side 2: whole spheres up to 1, and nothing beyond the corners."""
    radii_m = np.array([0.5, 1.0, 1.74, 2.0])
    said = shells.areas(np.zeros(3), radii_m, np.array([[-1.0] * 3, [1.0] * 3]))
    assert said[:2] == pytest.approx([0.25, 1.0], rel=0.03)
    assert said[2:].tolist() == [0, 0]


@pytest.fixture
def located(positions, rng):
    """An answer with one blank row, and where that microphone stands."""
    scene = anechoic_scene(positions, SOURCE, rng, room=tuple(map(tuple, BOX.tolist())))
    blank = positions.copy()
    blank[6] = np.nan
    return replace(scene, microphones=Microphones(positions=blank))


@pytest.mark.parametrize("name", ["three-stream", "srp-phat", "multilateration"])
def test_words_and_json_say_radius_only(located, positions, name):
    estimate = soundfix.load(name).locate(located)
    report, true_m = estimate.microphones[6], np.linalg.norm(positions[6] - SOURCE)
    assert report.position_m is None
    assert report.range_m == report.shell.radius_m == pytest.approx(true_m, abs=0.02)
    note = next(note for note in estimate.notes if note.startswith("mic7"))
    assert f"on a sphere of {report.range_m:.2f} m ± " in note
    assert note.endswith("radius only, one window knows no more")
    assert any("mic7: unknown-position, on a sphere" in line for line in describe_microphones(estimate.microphones))
    said = estimate.to_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["microphones"][6]["shell"]["knows"] == "radius only"
    assert said["microphones"][6]["position_m"] is None
    answer = {"$ref": "#/$defs/microphone", "$defs": locate_schema()["$defs"]}
    jsonschema.validate(said["microphones"][6], answer)


def test_an_abstention_knows_no_distance(located):
    quiet = replace(located, audio=np.zeros_like(located.audio))
    said = soundfix.load("srp-phat").locate(quiet)
    assert said.verdict == "abstain"
    assert said.microphones[6].shell is None
    assert "shell" not in said.to_dict()["microphones"][6]


def test_noise_of_its_own_says_that_hardly_anything_is_known(located, rng):
    """A microphone that hears nothing of the source: a wide interval, and no range."""
    audio = located.audio.copy()
    audio[6] = audio[6].std() * rng.standard_normal(audio.shape[1])
    estimate = soundfix.load("srp-phat").locate(replace(located, audio=audio))
    report = estimate.microphones[6]
    assert report.range_m is None
    assert report.shell.radius90_m[1] - report.shell.radius90_m[0] > 1.0
    assert any("radius only, and hardly that" in note for note in estimate.notes)


def test_a_shell_is_judged_by_its_place(located, positions):
    estimate = soundfix.load("srp-phat").locate(located)
    truth = np.full_like(positions, np.nan)
    truth[6] = positions[6]
    judged = score(estimate, SOURCE[None], middle_m=BOX.mean(axis=0), microphones_m=truth)
    assert judged.microphones_m == (
        pytest.approx(np.linalg.norm(estimate.microphones[6].shell.place_m - positions[6])),
    )


def test_an_abstention_guesses_for_comparisons_only(located, positions, monkeypatch):
    """A source that is not believed in: the guess is as near as the answer's place, and in no file."""
    believed = soundfix.load("srp-phat").locate(located).microphones[6]
    monkeypatch.setattr("soundfix.localization.belief.DETECTED", np.inf)
    estimate = soundfix.load("srp-phat").locate(located)
    assert estimate.verdict == "abstain"
    guessed = estimate.microphones[6]
    assert np.linalg.norm(guessed.guess.place_m - believed.shell.place_m) < 0.01
    assert guessed.shell is None
    assert not {"guess", "shell", "range_m"} & set(estimate.to_dict()["microphones"][6])
    assert all(report.guess is None for m, report in enumerate(estimate.microphones) if m != 6)


def test_where_the_source_is_sought_says_nothing_of_microphones(located, positions):
    """A source told to a few centimetres: the microphone still stands anywhere in the room."""
    told = replace(located, search=SearchRegion(bounds=np.stack([SOURCE - 0.03, SOURCE + 0.03])))
    for method in ("srp-phat", "three-stream"):  # the network has doubts of its own, and is told better
        report = soundfix.load(method).locate(told).microphones[6]
        assert report.range_m == pytest.approx(np.linalg.norm(positions[6] - SOURCE), abs=0.05), method


def test_the_odds_of_two_distances_are_what_the_curve_says_times_how_sure_it_is_held():
    """p(rho) ~ A(rho) exp(2.5 z(rho)): on a curve so smooth that blurring it changes nothing."""
    spots = np.random.default_rng(4).uniform([0.3] * 3, [5.7, 4.7, 2.7], (8, 3))
    evidence = planted_evidence(spots, SOURCE, width_m=0.6)
    blank = np.where((np.arange(8) == 6)[:, None], 0.0, spots)
    radii = shell(6, blank, agreed(evidence, (SOURCE, None)), EXACT, BOX).radii
    said, known = shells._curves_of(6, blank, agreed(evidence, (SOURCE, None)))
    z = shells.curve(said, known, SOURCE, radii.radii_m)
    true_m = np.linalg.norm(spots[6] - SOURCE)
    one, other = (int(np.argmin(np.abs(radii.radii_m - r))) for r in (true_m, true_m + 0.5))
    odds = np.log(radii.heard[[one, other]] / radii.before[[one, other]])
    assert odds[0] - odds[1] == pytest.approx(2.5 * (z[one] - z[other]), rel=0.03)


def test_a_source_of_known_height_leaves_a_microphone_as_much_room_as_is_usual(positions):
    """Of which nothing is heard: as if a room 2.6 m high had been told, the source halfway up."""
    evidence = planted_evidence(positions, SOURCE)
    flat = replace(evidence, values=np.zeros_like(evidence.values))
    thin, usual = (
        shell(6, positions, agreed(flat, (SOURCE, None)), EXACT, np.array([[0.0, 0.0, low], [6.0, 5.0, high]]))
        for low, high in ((1.0, 1.0), (-0.3, 2.3))
    )
    assert thin.radius90_m == pytest.approx(usual.radius90_m)
    assert thin.place_m == pytest.approx(usual.place_m)


def test_what_all_radii_have_in_common_says_nothing(positions, rng):
    """Pairs whose whole curves are higher: a shell beyond the reach of some of them is not likelier for it."""
    evidence = planted_evidence(positions, SOURCE, noise=0.1, rng=rng, reach_m=2.5)
    radii_m = np.linspace(0, 6, 301)
    plain, raised = (
        shells.curve(replace(evidence, values=evidence.values + more), positions[evidence.pairs[:, 1]], SOURCE, radii_m)
        for more in (0.0, 1.0)
    )
    assert (plain == 0).any()
    assert raised == pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_a_blur_is_as_wide_as_it_is_asked_to_be(sigma):
    spike = np.eye(1, 61, 30)[0]
    said = shells._blurred(spike, sigma)
    assert said.sum() == pytest.approx(1)
    assert np.sqrt(said @ np.square(np.arange(61) - 30)) == pytest.approx(sigma, rel=1e-3)
