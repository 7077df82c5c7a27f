"""What became of an archive, in a file and on the terminal."""

import json

from soundfix.archive.inventory import LeftOut
from soundfix.archive.told import MOST_SHOWN, Report, write_report
from soundfix.archive.work import Located


def report():
    said = Report(recorders={"S01": {"files": 2, "hours": 1.5}}, left_out=[LeftOut("a.wav", "empty")], starts_at="T")
    said.hear(Located(key="p", audio_s=7200.0))
    said.hear(Located(key="q", audio_s=3600.0, trouble="bad"))
    said.add(Located(key="p", audio_s=7200.0, counts={"ok": 2, "passed_over": 5}, silences=["S01: gone"]))
    said.seconds = 100.0
    return said


def test_the_file_has_all(tmp_path):
    write_report(tmp_path, report())
    assert json.loads((tmp_path / "report.json").read_text()) == {
        "starts_at": "T",
        "pieces": 1,
        "hours": 2.0,
        "answers": {"ok": 2},
        "windows_passed_over": 5,
        "this_run": {"hours": 2.0, "seconds": 100.0},
        "recorders": {"S01": {"files": 2, "hours": 1.5}},
        "left_out": [{"what": "a.wav", "why": "empty"}],
        "troubles": [{"what": "q", "why": "bad"}],
        "silences": ["p: S01: gone"],
    }


def test_the_terminal_has_the_most_important():
    assert list(report().lines()) == [
        "2.00 hours of sound in 1 pieces: 2 ok",
        "5 windows were passed over: nothing stands out in them",
        "2.00 hours in 100 s: 0.020 hours a second",
        "left out: a.wav: empty",
        "not located: q: bad",
    ]


def test_much_that_was_left_out_is_counted():
    said = report()
    said.left_out = [LeftOut(f"{k}.wav", "empty") for k in range(MOST_SHOWN + 3)]
    lines = [line for line in said.lines() if line.startswith("left out")]
    assert lines[-1] == "left out: 3 more, all in report.json"
    assert len(lines) == MOST_SHOWN + 1
