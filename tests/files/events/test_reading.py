"""Whose format it is, is told by the first line."""

import pytest

from soundfix.errors import EventFileError
from soundfix.files.events.reading import read_events

FORMATS = {
    "raven": "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\tS\t1\t1\t2\towl\n",
    "audacity": "1\t2\towl\n",
    "locar": "Station1,From,To,F_Low,F_High,Species\na,1,2,200,900,owl\n",
    "birdnet": "Start (s),End (s),Scientific name,Common name,Confidence\n1,2,x,owl,0.5\n",
    "opensoundscape": "file,start_time,end_time,owl\na.wav,1,2,1\nb.wav,2,3,0\n",
}


@pytest.mark.parametrize("text", FORMATS.values(), ids=list(FORMATS))
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "with a mark of order"])
def test_every_format_is_known(tmp_path, text, start):
    (tmp_path / "e").write_text(start + text, "utf-8")
    read = read_events(tmp_path / "e")
    (event,) = read.events
    assert (event.start_s, event.end_s, event.label) == (1.0, 2.0, "owl")
    assert len(read.table.rows) == len(text.splitlines()) - ("\towl\n" not in text or "Selection" in text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,x,y,z\na,0,0,0\n", "begins with name, x, y, z: wanted a Raven selection table"),
        ("", "begins with nothing"),
        ("file,start_time,end_time,owl\na.wav,1,2,0\n", "lists no event"),
    ],
)
def test_what_is_no_table_of_events_is_refused(tmp_path, text, message):
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(EventFileError, match=message):
        read_events(tmp_path / "e.csv")


def test_rows_are_events_in_their_order_whoever_heard_the_same(tmp_path):
    (tmp_path / "e.csv").write_text("file,start_time,end_time,owl\nb.wav,5,6,1\na.wav,1,2,1\nb.wav,1,2,1\n")
    assert [(each.start_s, each.stations) for each in read_events(tmp_path / "e.csv").events] == [
        (5.0, ("b.wav",)),
        (1.0, ("a.wav",)),
        (1.0, ("b.wav",)),
    ]
