"""A question from start to end with a quick method, and gone on with after an interruption."""

from dataclasses import replace

import pytest

from soundfix.datasets.varied import VARIED
from soundfix.errors import ConfigError, OutputError
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.run import Method
from soundfix.studies import asking
from soundfix.studies.asking import Asked, ask, plans, total
from soundfix.studies.questions import QUESTIONS

ASKED = Asked(methods=(Method.parsed("srp-phat"),), clips=2)
SHORT = replace(QUESTIONS["unknown"], grid=Grid(windows_s=(0.128,), microphones=(6,), unknown=(0, 1)))


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(asking, "QUESTIONS", {**QUESTIONS, "unknown": SHORT})


def test_a_page_and_its_picture_and_nothing_twice(tmp_path):
    done = []
    text = ask("unknown", ASKED, tmp_path, done.append)
    assert (tmp_path / "unknown.md").read_text("utf-8") == text
    assert (tmp_path / "unknown.png").exists()
    assert text.startswith("# Several unknown positions at once\n\nWith 0 and 1 of 11 positions unknown, in the studio")
    assert sum(done) == total(SHORT, ASKED) == 4
    assert sum("| srp-phat |" in line for line in text.splitlines()) == 4  # two places, two counts
    rows = tmp_path / "unknown" / "luvira-twin" / "windows.jsonl"
    whole = rows.read_bytes()
    rows.write_bytes(whole[: len(whole) // 2])  # interrupted
    assert ask("unknown", ASKED, tmp_path) == text
    with pytest.raises(OutputError, match="holds another evaluation"):
        ask("unknown", replace(ASKED, seed=1), tmp_path)


def test_clips_are_of_every_condition():
    (lists,) = plans(QUESTIONS["lists"], ASKED).values()
    assert lists.wanted.clips == 2 * len(VARIED["luvira-wrong-lists"])
    (rooms,) = plans(QUESTIONS["rooms"], ASKED).values()
    assert (rooms.wanted.clips, rooms.wanted.microphones) == (6, 16)
    (sources,) = plans(QUESTIONS["sources"], ASKED).values()
    assert (sources.sources, sources.wanted.clip_s, sources.wanted.clips) == ((1, 2, 3, 4, 5), 4.0, 2)
    assert total(QUESTIONS["sources"], ASKED) == 10


def test_what_cannot_be_asked(tmp_path):
    with pytest.raises(ConfigError, match="no study is called 'drop'; there are dropped, unknown"):
        ask("drop", ASKED, tmp_path)
    with pytest.raises(ConfigError, match="two methods have one name"):
        replace(ASKED, methods=ASKED.methods * 2)
