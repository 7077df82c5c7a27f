"""What can be said before anything is located: signals graded, limits of the geometry said, errors as the bound has them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from soundfix import physics
from soundfix.errors import SceneError
from soundfix.microphones import Microphones
from soundfix.report.survey import survey_dict, survey_lines
from soundfix.scene import Scene
from soundfix.simulation.faults import Fault, break_scene
from soundfix.survey.array_geometry import Array, lattice, losses, predict
from soundfix.survey.channel_grades import LOUDEST_KEPT, tally_channels
from soundfix.survey.survey import survey

ROOM = ((0.0, 0.0, 0.0), (6.0, 6.0, 3.0))
CORNERS = np.array([[x, y, z] for x in (0.5, 5.5) for y in (0.5, 5.5) for z in (0.3, 2.7)])
CEILING = np.array([[1.0, 1, 3], [5, 1, 3], [1, 5, 3], [5, 5, 3], [3, 3, 3]])
RATE = 16_000.0


def only(positions, **options):
    """The survey of a layout, without a recording."""
    return survey(Microphones(positions=np.array(positions, dtype=float)), **({"room": ROOM, "windows": []} | options))


@pytest.fixture
def windows(rng):
    """Noise from a source at one place, with independent noise 20 dB below it: eight windows of 0.25 s."""
    total, source = int(2 * RATE), np.array([2.0, 3.5, 1.2])
    delays = np.rint(physics.distances(source, CORNERS) / 343.2 * RATE).astype(int)
    sound = rng.standard_normal(total + delays.max())
    heard = np.stack([sound[delays.max() - delay :][:total] for delay in delays])
    audio = (0.1 * (heard + 0.1 * rng.standard_normal(heard.shape))).astype(np.float32)
    scene = Scene(audio=audio, sample_rate=RATE, microphones=Microphones(positions=CORNERS), room=ROOM)
    return [replace(scene, audio=part, start_s=0.25 * k) for k, part in enumerate(np.split(audio, 8, axis=1))]


def graded(windows, *faults, rng):
    broken = [break_scene(window, faults, rng) for window in windows]
    return survey(windows[0].microphones, room=ROOM, windows=iter(broken))


# signals


def test_sound_microphones_are_good(windows):
    report = survey(windows[0].microphones, room=ROOM, windows=iter(windows))
    assert [m.grade for m in report.microphones] == ["good"] * 8
    assert report.windows == 8
    assert report.is_used.all()
    assert all(abs(m.level_db) < 1 for m in report.microphones)


@pytest.mark.parametrize(
    ("fault", "grade", "word"),
    [
        (Fault("dead", "3"), "dead", "constant"),
        (Fault("noisy", "3", 40.0), "poor", "nothing in common"),
        (Fault("clipped", "3", 0.3), "poor", "clipped"),
        (Fault("nan", "3", 0.1), "fair", "no numbers"),
        (Fault("inverted", "3"), "fair", "polarity"),
    ],
)
def test_a_broken_microphone_is_graded_and_the_others_stay_good(windows, rng, fault, grade, word):
    report = graded(windows, fault, rng=rng)
    assert report.microphones[2].grade == grade
    assert word in report.microphones[2].why
    assert [m.grade for k, m in enumerate(report.microphones) if k != 2] == ["good"] * 7
    assert report.is_used[2] == (grade == "fair")
    assert any("mic3" in line and grade in line for line in survey_lines(report))


def test_a_copied_channel_is_poor(windows):
    copied = [replace(w, audio=w.audio[[0, 0, 2, 3, 4, 5, 6, 7]]) for w in windows]
    report = survey(windows[0].microphones, room=ROOM, windows=copied)
    assert report.microphones[1].grade == "poor"
    assert "very same samples" in report.microphones[1].why


def test_a_fault_in_some_windows_says_in_how_many(windows, rng):
    report = survey(
        windows[0].microphones, room=ROOM, windows=[break_scene(windows[0], [Fault("dead", "1")], rng), *windows[1:]]
    )
    assert report.microphones[0].grade == "fair"
    assert "(12 % of the windows)" in report.microphones[0].why


def test_a_quiet_microphone_is_told_by_its_level(windows):
    gain = np.array([0.01, 1, 1, 1, 1, 1, 1, 1], dtype=np.float32)[:, None]
    report = survey(windows[0].microphones, room=ROOM, windows=[replace(w, audio=gain * w.audio) for w in windows])
    assert report.microphones[0].grade == "fair"
    assert report.microphones[0].level_db == pytest.approx(-40, abs=0.5)
    assert "40 dB quieter" in report.microphones[0].why
    assert [m.grade for m in report.microphones[1:]] == ["good"] * 7


def test_mere_noise_accuses_nobody_but_asks_for_a_sound(windows, rng):
    noise = [replace(w, audio=rng.standard_normal(w.audio.shape).astype(np.float32)) for w in windows]
    report = survey(windows[0].microphones, room=ROOM, windows=noise)
    assert {m.grade for m in report.microphones} == {"fair"}
    assert all("clap" in m.why for m in report.microphones)


def test_silence_is_dead_and_the_geometry_is_judged_all_the_same(windows):
    report = survey(windows[0].microphones, room=ROOM, windows=[replace(w, audio=0 * w.audio) for w in windows])
    assert {m.grade for m in report.microphones} == {"dead"}
    assert report.is_used.all()
    assert all(m.level_db is None and m.shared is None for m in report.microphones)


def test_a_microphone_of_unknown_position_is_graded_but_not_counted(windows, rng):
    report = survey(
        (broken := break_scene(windows[0], [Fault("unknown", "1")], rng)).microphones,
        room=ROOM,
        windows=[replace(w, microphones=broken.microphones) for w in windows],
    )
    assert report.microphones[0].grade == "good"
    assert report.microphones[0].why.endswith("its position is unknown")
    assert report.microphones[0].position_m is None
    assert report.is_used.tolist() == [False] + [True] * 7


def test_only_the_loudest_windows_are_kept(windows):
    quiet_first = [replace(w, audio=w.audio * np.float32(k + 1)) for k, w in enumerate(windows)]
    heard = tally_channels(windows[0].microphones, iter(quiet_first))
    assert len(heard.loudest) == LOUDEST_KEPT
    assert [window.start_s for *_, window in heard.loudest] == [1.75, 1.5, 1.25]


def test_the_order_of_the_microphones_does_not_matter(windows, rng):
    order = rng.permutation(8)
    names = Microphones(positions=CORNERS).names
    shuffled = Microphones(positions=CORNERS[order], names=tuple(names[m] for m in order))
    broken = [break_scene(w, [Fault("dead", "mic5")], rng) for w in windows]
    turned = survey(
        shuffled, room=ROOM, windows=[replace(w, audio=w.audio[order], microphones=shuffled) for w in broken]
    )
    straight = survey(Microphones(positions=CORNERS), room=ROOM, windows=broken)
    assert {m.name: m.grade for m in turned.microphones} == {m.name: m.grade for m in straight.microphones}
    assert turned.prediction.median_m == pytest.approx(straight.prediction.median_m, rel=1e-9)
    assert vars(turned.geometry) == vars(straight.geometry)


# what the geometry can never tell


def test_a_flat_array_sees_the_mirror_image():
    flat = CEILING - [0, 0, 1.5]
    geometry = only(flat).geometry
    assert (geometry.rank, geometry.grade) == (2, "fair")
    assert any("z = 1.50 m" in limit and "mirror image" in limit for limit in geometry.limits)


def test_the_ceiling_of_a_room_excludes_the_mirror_image():
    assert only(CEILING).geometry.rank == 2
    assert not any("mirror" in limit for limit in only(CEILING).geometry.limits)
    assert any("mirror" in limit for limit in only(CEILING, room=None).geometry.limits)


def test_a_slanted_flat_array_is_called_so():
    slanted = [[1.0, 1, 0.5], [5, 1, 0.5], [1, 5, 2.5], [5, 5, 2.5], [3, 3, 1.5]]
    assert any("slanted plane" in limit for limit in only(slanted).geometry.limits)


def test_a_line_tells_only_along_and_from_it():
    geometry = only([[x, 3.0, 1.5] for x in (0.5, 1.5, 3.0, 4.0, 5.5)]).geometry
    assert (geometry.rank, geometry.grade) == (1, "poor")
    assert any("round its line" in limit for limit in geometry.limits)


@pytest.mark.parametrize(
    ("count", "limit", "integrity"),
    [
        (3, "any position: 4 microphones are needed", "unnoticed"),
        (4, "whether a microphone is wrong", "unnoticed"),
        (5, "which microphone is wrong", "not whose"),
        (6, None, "up to 1 wrong microphone can"),
        (8, None, "up to 3 wrong microphones can"),
    ],
)
def test_the_number_of_microphones_says_which_faults_are_found(count, limit, integrity):
    geometry = only(CORNERS[[0, 3, 5, 6, 1, 7, 2, 4][:count]]).geometry
    assert integrity in geometry.integrity
    assert (limit is None) == (geometry.limits == ())
    assert limit is None or geometry.limits[0].startswith(limit)
    assert geometry.grade == ("poor" if count < 4 else "fair" if limit else "good")


def test_at_a_known_height_three_microphones_do():
    floor = ((0.0, 0.0, 1.0), (6.0, 6.0, 1.0))
    report = only([[0.5, 0.5, 1], [5.5, 0.5, 1], [3, 5.5, 1]], room=floor)
    assert [limit for limit in report.geometry.limits if "mirror" in limit or "needed" in limit] == []
    assert report.prediction.axes_m[2] < 0.001
    assert [part.normal for part in report.prediction.slices] == ["z"]


def test_a_low_wide_array_is_poor_at_height():
    low = CORNERS * [1, 1, 0.05] + [0, 0, 1.4]
    limits = only(low).geometry.limits
    assert any(limit.startswith("the height") for limit in limits)
    assert not any(limit.startswith("the height") for limit in only(CORNERS * [0.5, 0.5, 1]).geometry.limits)


def test_how_many_can_be_lost():
    assert only(CORNERS[:4]).geometry.can_lose == 0
    assert only(CORNERS).geometry.can_lose == 3  # four on the ceiling remain, or four on the floor: flat
    assert only(np.concatenate([CEILING, [[3.0, 3, 1]]])).geometry.can_lose == 0  # one microphone alone gives the depth


def test_no_position_at_all_is_refused():
    with pytest.raises(SceneError, match="none of the 2 microphones has a position"):
        only(np.full((2, 3), np.nan))


# predicted errors


def test_the_middle_of_a_cross_has_the_bound_solved_by_hand():
    """Six microphones 2 m off along the axes: the information is 2 / sigma² on each, so the error is sigma sqrt(3/2)."""
    cross = np.concatenate([2 * np.eye(3), -2 * np.eye(3)])
    array = Array(Microphones(positions=cross), 0.01, np.array([[-1e3] * 3, [1e3] * 3]))
    assert array.errors(np.zeros((1, 3))) == pytest.approx([0.01 * np.sqrt(1.5)], rel=1e-6)


def test_errors_of_positions_add_to_the_timing_error():
    exact, vague = Microphones(positions=CORNERS), Microphones(positions=CORNERS, sigma_m=np.full(8, 0.03))
    medians = [survey(m, room=ROOM, windows=[]).prediction.median_m for m in (exact, vague)]
    assert medians[1] / medians[0] == pytest.approx(np.hypot(1, 3), rel=0.01)
    assert only(CORNERS, sigma_m=0.02).prediction.median_m == pytest.approx(2 * medians[0], rel=0.01)


def test_a_symmetrical_array_has_a_symmetrical_map():
    horizontal, ear, upright = only(CORNERS * [1, 1, 0.5]).prediction.slices
    assert (horizontal.normal, ear.normal, upright.normal) == ("z", "z", "y")
    assert (horizontal.at_m, ear.at_m, upright.at_m) == pytest.approx((0.75, 1.5, 3.0))
    np.testing.assert_allclose(horizontal.error_m, horizontal.error_m.T, rtol=1e-9)
    np.testing.assert_allclose(horizontal.error_m, horizontal.error_m[::-1], rtol=1e-9)
    np.testing.assert_allclose(upright.error_m, upright.error_m[:, ::-1], rtol=1e-9)


def test_a_map_holds_the_bound_at_its_own_places():
    part = only(CORNERS).prediction.slices[-1]
    for row, column in ((0, 0), (2, 5), (-1, 7)):
        point = np.array([part.across_m[column], part.at_m, part.up_m[row]])
        bound = physics.cramer_rao(point, CORNERS, 0.01, np.array(ROOM))
        assert part.error_m[row, column] == pytest.approx(np.sqrt(np.trace(bound)), rel=1e-9)


def test_the_summary_is_in_order():
    prediction = only(CORNERS).prediction
    assert 0 < prediction.median_m < prediction.p90_m < prediction.worst_m
    assert np.linalg.norm(prediction.axes_m) == pytest.approx(prediction.median_m, rel=0.2)


def test_points_fill_the_box_evenly():
    points = lattice(np.array([[0.0, 0, 0], [8, 4, 2]]))
    assert 100 < len(points) < 400
    np.testing.assert_allclose(points.mean(axis=0), [4, 2, 1])
    assert (points > 0).all()


def test_the_only_high_microphone_hurts_most():
    high = np.concatenate([CORNERS[::2], [[3.0, 3, 0.32], [1.0, 3, 0.28], [3.0, 3, 2.8]]])
    worst, *others = only(high).losses
    assert worst.name == "mic7"
    assert worst.error_m > 2 * others[0].error_m
    assert [loss.error_m for loss in others] == sorted((loss.error_m for loss in others), reverse=True)


def test_a_loss_is_the_prediction_of_the_rest():
    array = Array(Microphones(positions=CORNERS), 0.01, np.array(ROOM))
    points = lattice(array.box)
    first = losses(array, points)[0]
    rest = array.without(array.microphones.names.index(first.name))
    assert first.error_m == pytest.approx(predict(rest, points).median_m)
    assert first.error_m > predict(array, points).median_m


def test_without_one_of_four_there_is_no_position():
    report = only(CORNERS[[0, 3, 5, 6]])
    assert {loss.error_m for loss in report.losses} == {None}
    assert any("no position" in line for line in survey_lines(report))


# the report


def test_the_report_is_json(windows, rng):
    report = graded(windows, Fault("dead", "2"), rng=rng)
    stored = json.loads(json.dumps(survey_dict(report), allow_nan=False))
    assert stored["microphones"][1]["grade"] == "dead"
    assert stored["microphones"][1]["is_used"] is False
    assert stored["predicted_error"]["median_m"] == report.prediction.median_m
    assert stored["predicted_error"]["slices"][0]["error_m"][3][4] == pytest.approx(
        report.prediction.slices[0].error_m[3, 4], abs=1e-5
    )
    assert stored["without"][0]["name"] == report.losses[0].name


def test_the_text_is_in_centimetres_and_aligned(windows):
    lines = survey_lines(survey(windows[0].microphones, room=ROOM, windows=windows))
    assert lines[0] == "8 of 8 microphones are usable (8 windows heard)"
    assert len({line.index("hears") for line in lines[1:9]}) == 1
    assert any(line.startswith("  median ") and line.endswith(" cm") for line in lines)
    assert max(map(len, lines)) < 120


def test_without_a_recording_only_the_geometry_is_judged():
    report = only(CORNERS)
    assert {m.grade for m in report.microphones} == {"unheard"}
    assert report.is_used.all()
    assert report.geometry.grade == "good"
