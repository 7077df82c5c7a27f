"""What OpenSoundscape located, as the table that --raven writes again."""

import json

import soundfix.report.raven as raven
from helpers.foreign import answer, source
from soundfix.files.events.opensoundscape import is_located
from soundfix.files.events.reading import read_events

EVENT = {
    "class_name": "owl",
    "duration": 3.0,
    "receiver_start_time_offsets": [6.0],
    "receiver_files": ["a.wav", "b.wav"],
}


def test_it_is_a_list():
    assert is_located(' \n[{"class_name": "owl"}]')
    assert not is_located('{"class_name": "owl"}')


def test_a_selection_table_comes_of_it(tmp_path):
    (tmp_path / "e.json").write_text(json.dumps([EVENT]))
    table = read_events(tmp_path / "e.json")
    assert table.events[0].rows == (0,)
    estimate = answer(source(1, 2, 3), start_s=6.0, end_s=9.0, event=table.events[0])
    raven.write_raven(tmp_path / "r.txt", table, [estimate])
    header, row = (line.split("\t") for line in (tmp_path / "r.txt").read_text().splitlines())
    told = dict(zip(header, row, strict=True))
    assert (told["class_name"], told["start_time"], told["duration"], told["receiver_files"]) == (
        "owl",
        "6",
        "3",
        "a.wav b.wav",
    )
    assert (told["Begin Time (s)"], told["X (m)"]) == ("6.000000", "1.000")
