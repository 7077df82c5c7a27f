"""What a picture of many windows tells of each microphone and place."""

import numpy as np

from helpers.drawings import MICROPHONES, ROOM, directed, estimate
from soundfix.estimate import Estimate, MicrophoneReport
from soundfix.microphones import Microphones
from soundfix.report.picture import gather


def test_a_picture_tells_who_was_left_out():
    picture = gather([estimate()], MICROPHONES, ROOM)
    assert picture.is_used.tolist() == [True, True, False, True, True, False]
    assert picture.captions == ("door", "$desk$", "<b>: dead", "shelf", "lamp: inverted", "roof: late")


def test_a_direction_is_a_ray_with_a_cone_and_no_place():
    picture = gather([directed(is_flat=True), estimate(0.5)], MICROPHONES, None)
    assert len(picture.positions) == 1
    assert [time_s for time_s, _ in picture.directions] == [0.25, 0.25]
    np.testing.assert_allclose(picture.rays[:, 0], 1)
    off = picture.rays[:, 1] - picture.rays[:, 0]
    np.testing.assert_allclose(np.linalg.norm(off, axis=1), 3)  # its source is in the middle
    np.testing.assert_allclose(np.degrees(np.arctan2(off[:, 1], off[:, 0])), 20)
    rim = picture.cones[0] - picture.rays[0, 0]
    np.testing.assert_allclose(rim @ off[0] / 9, np.cos(np.radians(6)))
    assert (picture.box[0] <= picture.rays.min(axis=(0, 1))).all()
    assert (picture.box[1] >= picture.rays.max(axis=(0, 1))).all()


def test_a_status_is_that_of_most_windows():
    answers = [estimate(), estimate(0.5), estimate(1.0, statuses=("dead",) * 6)]
    assert gather(answers, MICROPHONES, ROOM).captions[0] == "door"


def test_several_places_are_candidates_and_gaps_are_remembered():
    picture = gather([estimate(), estimate(0.5, ((1.0, 1, 1), (2.0, 1, 1))), estimate(1.0, ())], MICROPHONES, ROOM)
    assert picture.is_candidate.tolist() == [False, True, True]
    assert picture.time_s.tolist() == [0.25, 0.75, 0.75]
    assert picture.unanswered_s.tolist() == [1.25]


def test_an_unknown_microphone_stands_where_the_answer_puts_it():
    lost = Microphones(positions=np.array([[0.0, 0, 0], [np.nan] * 3, [np.nan] * 3]), names=("a", "b", "c"))
    report = MicrophoneReport(name="b", status="unknown-position", weight=0.0, position_m=np.array([1.0, 2, 3]))
    answer = Estimate(method="m", start_s=0.0, end_s=1.0, verdict="abstain", microphones=(report,))
    picture = gather([answer], lost, ROOM)
    assert picture.captions == ("a", "b: unknown-position")
    assert picture.microphones.tolist() == [[0, 0, 0], [1, 2, 3]]
    assert picture.is_estimated.tolist() == [False, True]


def test_a_picture_moves_as_a_whole():
    picture, by_m = gather([directed(), estimate(0.5)], MICROPHONES, ROOM), np.array([10.0, -20.0, 30.0])
    moved = picture.moved(by_m)
    for name in ("box", "positions", "rays", "cones", "microphones"):
        np.testing.assert_allclose(getattr(moved, name) - getattr(picture, name) - by_m, 0, atol=1e-12)
    assert moved.captions == picture.captions
