"""Rows of several recorders that are one event, and those that are not."""

from soundfix.events import SoundEvent
from soundfix.files.events.joined import joined


def event(start, end, *stations, label="owl", row=0):
    return SoundEvent(start_s=float(start), end_s=float(end), label=label, stations=stations, rows=(row,))


def test_one_clip_of_three_recorders_is_one_event():
    (one,) = joined([event(0, 5, "a", row=0), event(0, 5, "b", row=1), event(1, 6, "c", row=2)])
    assert (one.start_s, one.end_s, one.stations, one.rows) == (0.0, 6.0, ("a", "b", "c"), (0, 1, 2))


def test_clips_that_overlap_are_joined_each_with_its_own():
    rows = [event(0, 3, "a"), event(1.5, 4.5, "a"), event(0, 3, "b"), event(1.5, 4.5, "b")]
    assert [(each.start_s, each.end_s, each.stations) for each in joined(rows)] == [
        (0.0, 3.0, ("a", "b")),
        (1.5, 4.5, ("a", "b")),
    ]


def test_what_differs_is_not_joined():
    """Another species, the same recorder, half of the time, no recorder, several."""
    for other in (
        event(0, 5, "b", label="wren"),
        event(0, 5, "a"),
        event(2.5, 7.5, "b"),
        event(0, 5),
        event(0, 5, "b", "c"),
    ):
        assert len(joined([event(0, 5, "a"), other])) == 2


def test_they_come_in_order_of_time():
    assert [each.start_s for each in joined([event(7, 8), event(1, 2, label="wren"), event(3, 4)])] == [1.0, 3.0, 7.0]
