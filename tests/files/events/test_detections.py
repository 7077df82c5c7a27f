"""Detections of BirdNET and OpenSoundscape."""

from pathlib import Path

import pytest

from soundfix.files.events.detections import is_birdnet, is_opensoundscape, read_birdnet, read_opensoundscape
from soundfix.files.events.table import read_table


def table(text):
    return read_table(Path("d.csv"), text)


def test_birdnet_has_a_row_a_detection():
    rows = table("Start (s),End (s),Scientific name,Common name,Confidence,File\n3.0,6.0,T. t.,Wren,0.8,a/b.wav\n")
    assert is_birdnet(rows)
    (event,) = read_birdnet(rows)
    assert (event.start_s, event.end_s, event.label, event.stations) == (3.0, 6.0, "Wren", ("a/b.wav",))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("0,1", "1,1"), ["b", "a", "b"]),
        (("False,True", "True,True"), ["b", "a", "b"]),
        (("0.2,0.6", "0.51,0.5"), ["b", "a"]),
        (("-3.2,0.1", "0.4,-0.1"), ["b", "a"]),
        (("0,", "1,"), ["a"]),
    ],
    ids=["0 and 1", "words", "probabilities", "logits", "blank"],
)
def test_opensoundscape_has_a_column_a_species(cells, expected):
    lines = [f"r{n}.wav,{5 * n},{5 * n + 5},{each}" for n, each in enumerate(cells)]
    rows = table("\n".join(["file,start_time,end_time,a,b", *lines]))
    assert is_opensoundscape(rows)
    events = read_opensoundscape(rows)
    assert [event.label for event in events] == expected
    assert (events[0].start_s, events[0].stations) == ((0.0, ("r0.wav",)) if len(events) > 1 else (5.0, ("r1.wav",)))
