"""What a picture of many windows tells of each microphone and place."""

import numpy as np

from helpers.drawings import MICROPHONES, ROOM, estimate
from soundfix.estimate import Estimate, MicrophoneReport
from soundfix.microphones import Microphones
from soundfix.report.picture import gather


def test_a_picture_tells_who_was_left_out():
    picture = gather([estimate()], MICROPHONES, ROOM)
    assert picture.is_used.tolist() == [True, True, False, True, True, False]
    assert picture.captions == ("door", "$desk$", "<b>: dead", "shelf", "lamp: inverted", "roof: late")


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
