"""Files on one line of time: in a row, holes, overlaps, clocks that were never set."""

from datetime import datetime, timedelta
from math import inf
from pathlib import Path

import pytest

from soundfix.errors import AudioFileError
from soundfix.files.decoding import AudioFile
from soundfix.files.headers import Header
from soundfix.files.start_times import StartTime
from soundfix.files.timeline import Part, Recorder, Timed, at_once, in_a_row, merged, session, shared_s, uncovered

NOON = datetime(2022, 6, 20, 12)


def timed(after_s, length_s=60.0, *, is_fine=False, name="a.wav"):
    """A file of 1 kHz that begins so long after noon."""
    file = AudioFile(path=Path(name), channels=1, sample_rate=1000, frames=round(1000 * length_s), header=Header())
    return Timed(file, None if after_s is None else StartTime(NOON + timedelta(seconds=after_s), is_fine))


def starts(*files):
    return [round(part.start_s, 6) for part in in_a_row(files, NOON)]


def test_files_stand_where_their_times_say_with_holes_between_them():
    parts = in_a_row([timed(70), timed(0), timed(300.0)], NOON)
    assert [(part.start_s, part.until_s) for part in parts] == [(0, 70), (70, 300), (300, inf)]
    assert [part.covered(60.0) for part in parts] == [(0, 60), (70, 130), (300, 360)]


def test_a_file_without_a_time_begins_with_the_first():
    assert starts(timed(None)) == [0.0]
    assert [part.start_s for part in in_a_row([timed(None)], None)] == [0.0]


def test_the_next_file_is_heard_from_where_it_begins():
    first, _ = in_a_row([timed(0), timed(50)], NOON)
    assert first.covered(60.0) == (0, 50)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([timed(0, 60.4), timed(60, 60.4), timed(121, 60.4)], [0, 60.4, 120.8]),  # times were cut to seconds
        ([timed(0, 60.4), timed(60, 60.4), timed(130, 60.4)], [0, 60.4, 130]),
        ([timed(0, 60.05), timed(60, 60.05), timed(120)], [0, 60, 120]),  # a clock that drifts
        ([timed(0, 59.6), timed(60, 59.6), timed(120)], [0, 60, 120]),  # a pause to write
        ([timed(0, 60.4, is_fine=True), timed(60, is_fine=True)], [0, 60]),
        ([timed(0, 62.0), timed(60)], [0, 60]),
    ],
)
def test_times_that_were_cut_to_seconds_are_told_from_others(files, found):
    assert starts(*files) == found


def test_samples_of_files_that_follow_directly_leave_no_gap():
    parts = tuple(Part(file=timed(0, 1.0003).file, start_s=start) for start in (0.0, 1.0006, 2.5))
    assert Recorder(path=Path("a"), channels=1, parts=parts).spans(1000.0) == [(0, 1000), (1000, 2000), (2500, 3500)]
    cut = (Part(file=timed(0, 2.0).file, until_s=1.5), Part(file=timed(0, 2.0).file, start_s=1.5))
    assert Recorder(path=Path("a"), channels=1, parts=cut).spans(1000.0) == [(0, 1500), (1500, 3500)]


def test_a_clock_that_was_never_set_is_out():
    ages = timed(-50 * 365 * 86_400.0)
    recorders = [[timed(0), timed(86_400.0)], [timed(3), ages], [timed(None)]]
    kept = session(recorders)
    assert ages not in kept
    assert all(each in kept for files in recorders for each in files if each is not ages)


def test_recorders_that_never_run_together_are_refused():
    with pytest.raises(AudioFileError, match=r"a\.wav lasts from 2022-06-20 12:00:00 to .*b\.wav begins at"):
        session([[timed(0)], [timed(60, name="b.wav")]])
    with pytest.raises(AudioFileError, match="no two recorders"):
        session([[timed(0), timed(30)], [timed(500, name="b.wav")]])
    assert len(session([[timed(0), timed(60)]])) == 2  # one recorder
    assert len(session([[timed(0)], [timed(59)]])) == 2


def test_intervals():
    covered = merged([(4.0, 5.0), (0.0, 1.0), (0.5, 2.0), (5.0, 6.0), (3.0, 3.0)])
    assert covered == [(0.0, 2.0), (4.0, 6.0)]
    assert uncovered(covered, 8.0) == [(2.0, 4.0), (6.0, 8.0)]
    assert uncovered(covered, 6.0) == [(2.0, 4.0)]
    assert uncovered([(1.0, 2.0)], 1.5) == [(0.0, 1.0)]
    assert [shared_s(each, covered) for each in [(1.0, 5.0), (2.0, 4.0), (-1.0, 9.0), (4.5, 4.75)]] == [2, 0, 4, 0.25]


def test_how_many_run_at_once():
    intervals = [(0.0, 5.0), (1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]
    assert at_once(intervals, 1) == [(0.0, 6.0)]
    assert at_once(intervals, 2) == [(1.0, 5.0)]  # one follows directly on another
    assert at_once(intervals, 3) == [(3.0, 4.0)]
    assert at_once(intervals, 4) == at_once([], 0) == []
