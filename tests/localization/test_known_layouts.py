"""A familiar array: free places instead of a shell, with honest probabilities; and nothing where the array is new."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

import soundfix
from helpers.scenes import anechoic_scene
from soundfix.localization.known_layouts import (
    MOST_WAYS,
    assign_to_layout,
    assignment_marginals,
    distinct,
    free_places,
    gains,
)
from soundfix.microphones import Microphones
from soundfix.report.exports import locate_schema
from soundfix.report.text import describe_microphones
from soundfix.session.microphone_history import MicrophoneHistory

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))
SOURCE = np.array([2.0, 3.0, 1.0])
UNKNOWN = (4, 6)


@pytest.fixture
def positions(rng):
    return rng.uniform([0.3] * 3, [5.7, 4.7, 2.7], (9, 3))


@pytest.fixture
def scene(positions, rng):
    """Two rows are blank."""
    blank = positions.copy()
    blank[list(UNKNOWN)] = np.nan
    return replace(anechoic_scene(positions, SOURCE, rng, room=ROOM), microphones=Microphones(positions=blank))


def test_unknown_microphones_stand_at_the_free_places_that_their_distances_fit(scene, positions, rng):
    there = positions[rng.permutation(9)]  # an array has no order
    estimate = assign_to_layout(soundfix.load("srp-phat").locate(scene), scene.microphones, [there])
    for m in UNKNOWN:
        said = estimate.microphones[m].shell
        assert said.place_m == pytest.approx(positions[m])
        assert 0.9 < said.probability < 1.0
        assert said.expected_error_m < 0.3
        assert (
            said.radius90_m[0] < np.linalg.norm(positions[m] - SOURCE) < said.radius90_m[1] < said.radius90_m[0] + 0.2
        )
        assert estimate.microphones[m].position_m is None
        assert estimate.microphones[m].range_m == said.radius_m


def test_a_new_array_leaves_the_answer_as_it_is(scene, positions):
    estimate = soundfix.load("srp-phat").locate(scene)
    elsewhere = positions.copy()
    elsewhere[0] += [0.0, 0.3, 0.0]
    for arrays in ([], [elsewhere], [positions[[m for m in range(9) if m not in UNKNOWN]]]):
        assert assign_to_layout(estimate, scene.microphones, arrays) is estimate


def test_words_and_json_say_what_is_remembered(scene, positions):
    estimate = assign_to_layout(soundfix.load("srp-phat").locate(scene), scene.microphones, [positions])
    note = estimate.notes[estimate.reasons.index("familiar_array:mic5")]
    assert note.startswith("mic5: position unknown; at (")
    assert note.endswith("a free place of the array that the network knows")
    assert any("mic5: unknown-position, at (" in line for line in describe_microphones(estimate.microphones))
    said = estimate.to_dict()["microphones"][4]
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["shell"]["knows"] == "radius and array"
    jsonschema.validate(said, {"$ref": "#/$defs/microphone", "$defs": locate_schema()["$defs"]})


def test_who_tells_nothing_of_its_distance_is_at_any_free_place(scene, positions, rng):
    """Three places are free for two, and one hears only itself: no probability is claimed for it."""
    audio = scene.audio.copy()
    audio[6] = audio[6].std() * rng.standard_normal(audio.shape[1])
    more = np.vstack([positions, [5.0, 0.5, 0.5]])
    estimate = assign_to_layout(
        soundfix.load("srp-phat").locate(replace(scene, audio=audio)), scene.microphones, [more]
    )
    sure, unsure = (estimate.microphones[m].shell for m in UNKNOWN)
    assert sure.place_m == pytest.approx(positions[4])
    assert unsure.knows == "radius and array"
    assert unsure.probability is None or unsure.probability < 0.8
    assert unsure.expected_error_m > 0.5
    if unsure.probability is None:
        assert "does not tell which" in estimate.notes[estimate.reasons.index("familiar_array:mic7")]


def test_an_abstention_guesses_among_free_places(scene, positions, monkeypatch):
    monkeypatch.setattr("soundfix.localization.belief.DETECTED", np.inf)
    estimate = assign_to_layout(soundfix.load("srp-phat").locate(scene), scene.microphones, [positions])
    report = estimate.microphones[4]
    assert report.shell is None
    assert report.guess.place_m == pytest.approx(positions[4])
    assert not any("familiar" in reason for reason in estimate.reasons)


def test_no_two_microphones_at_one_place():
    """Both fit the first place; the second microphone fits the other one a little, so it gives way."""
    share = assignment_marginals(np.array([[100.0, 0.0], [100.0, 1.0]]))
    assert share.sum(axis=1) == pytest.approx(share.sum(axis=1)[[0, 0]])
    share /= share.sum(axis=1, keepdims=True)
    assert share[0, 0] > 0.85
    assert share[1, 1] > 0.8


def test_where_there_are_too_many_ways_nothing_is_recognized(positions, rng):
    blank = np.where(np.arange(9)[:, None] < 4, positions, np.nan)
    microphones = Microphones(positions=blank)
    scene = replace(anechoic_scene(positions, SOURCE, rng, room=ROOM), microphones=microphones)
    estimate = soundfix.load("srp-phat").locate(scene)
    many = np.vstack([positions, rng.uniform(0, 5, (8, 3))])
    assert (len(many) - 4 + 1) ** 5 > MOST_WAYS
    assert assign_to_layout(estimate, microphones, [many]) is estimate


def test_of_two_arrays_that_fit_the_one_that_fits_the_sound_wins(scene, positions):
    """One microphone was moved between two sessions, and both were trained on."""
    before = positions.copy()
    before[6] += [-1.0, 0.6, 0.0] if positions[6, 0] > 3 else [1.0, 0.6, 0.0]
    for arrays in ([before, positions], [positions, before]):
        estimate = assign_to_layout(soundfix.load("srp-phat").locate(scene), scene.microphones, arrays)
        assert estimate.microphones[6].shell.place_m == pytest.approx(positions[6])
        assert estimate.microphones[6].shell.probability > 0.8


def test_a_gain_is_how_much_likelier_a_radius_became(scene, positions):
    shell = soundfix.load("srp-phat").locate(scene).microphones[4].shell
    said = gains(shell, np.stack([positions[4], SOURCE + np.array([0.0, 0.0, 0.9])]))
    assert said[0] > 5
    assert said[1] < 0.2


def test_arrays_that_differ_by_centimetres_are_one_and_very_many_are_none(positions, rng):
    shaken = [positions + 0.01 * rng.standard_normal(positions.shape) for _ in range(20)]
    assert len(distinct([*shaken, positions[:5]])) == 2
    assert distinct([rng.uniform(0, 5, (6, 3)) for _ in range(20)]) == []


def test_fewer_than_three_known_positions_are_no_array(positions):
    blank = np.where(np.arange(9)[:, None] < 2, positions, np.nan)
    assert free_places(positions, Microphones(positions=blank)) is None


def test_many_windows_name_the_place_in_the_end(scene, positions):
    """The summary of a recording has the place that most of its windows name."""
    place = assign_to_layout(soundfix.load("srp-phat").locate(scene), scene.microphones, [positions]).microphones[4]
    history = MicrophoneHistory(name="mic5")
    for k in range(3):
        elsewhere = replace(place.shell, place_m=SOURCE) if k == 1 else place.shell
        history.add(replace(place, shell=elsewhere), time_s=float(k), place=SOURCE)
    assert history.familiar().place_m == pytest.approx(positions[4])
    assert MicrophoneHistory(name="mic6").familiar() is None


@pytest.mark.parametrize(("off_m", "is_familiar"), [(0.08, True), (0.15, False)])
def test_an_array_is_familiar_as_far_as_lists_are_exact(positions, off_m, is_familiar):
    """To a decimetre: a microphone that is listed further off stands elsewhere."""
    listed = np.where(np.arange(9)[:, None] == 8, np.nan, positions)
    listed[0, 1] += off_m
    free = free_places(positions, Microphones(positions=listed))
    assert (free is not None and np.array_equal(free, positions[8:])) == is_familiar
