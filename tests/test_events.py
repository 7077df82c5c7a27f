"""A sound event, and the same one listed twice."""

from soundfix.events import SoundEvent


def test_listed_once_more_it_lasts_as_long_as_both_and_is_heard_by_both():
    one = SoundEvent(start_s=1.0, end_s=2.0, label="owl", stations=("a",), rows=(0,))
    other = SoundEvent(start_s=0.5, end_s=1.5, label="owl", stations=("b", "a"), rows=(3,))
    both = one.with_row(other)
    assert (both.start_s, both.end_s, both.stations, both.rows) == (0.5, 2.0, ("a", "b"), (0, 3))


def test_rows_count_from_one_in_the_file():
    event = SoundEvent(start_s=1.0, end_s=2.0, band_hz=(200.0, 900.0), label="owl", rows=(0, 3))
    assert event.to_dict() == {"label": "owl", "band_hz": [200.0, 900.0], "rows": [1, 4]}
    assert SoundEvent(start_s=1.0, end_s=2.0).to_dict()["band_hz"] is None
