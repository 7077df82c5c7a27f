"""`soundfix study`."""

from helpers.command import assert_refused, names_in
from soundfix.studies.questions import QUESTIONS


def test_study_prints_its_page(tmp_path, command):
    out, words = tmp_path / "s", ["--methods", "quick:srp-phat", "--clips", 2]
    status, said, _ = command("study", "dropped", "--out", out, *words)
    assert status == 0
    assert said == (out / "dropped.md").read_text("utf-8") + "\n"
    assert said.count("| quick |") == 8
    assert {"dropped.md", "dropped.png", "dropped/luvira-twin/windows.jsonl"} <= set(names_in(out))
    assert_refused(command("study", "drop", "--out", out), "no study is called 'drop'; there are dropped")


def test_help_names_every_study(command):
    _, said, _ = command("study", "--help")
    assert all(name in " ".join(said.split()) for name in QUESTIONS)
