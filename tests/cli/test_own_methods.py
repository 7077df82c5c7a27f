"""Methods of somebody's: taken by `locate` and `evaluate`, with what they do not promise said."""

import pytest

from helpers.command import assert_refused
from helpers.service import LIST, recording

MINE = """
from dataclasses import dataclass, replace
import soundfix

@dataclass(frozen=True)
class Mine:
    name: str = "mine"

    def locate(self, scene):
        if len(scene.microphones) < 4:
            raise RuntimeError("too few for me")
        return replace(soundfix.load("srp-phat").locate(scene), method=self.name)

broken = lambda: Mine("broken")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A module, a recording, and the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_method.py").write_text(MINE)
    recording(tmp_path / "take.wav")
    (tmp_path / "list.csv").write_text(LIST)
    return tmp_path


def test_locate_takes_it_and_says_what_it_breaks(folder, command):
    words = ["locate", "take.wav", "-m", "list.csv", "--room", "0,0,0,5,4,3"]
    status, said, errors = command(*words, "--method", "my_method:Mine")
    assert status == 0
    assert "my_method:Mine breaks 1 of the 13 promises of localizers" in errors
    assert "  abstains_with_three_microphones: too few for me" in errors
    assert said == command(*words, "--method", "srp-phat")[1]
    assert_refused(command(*words, "--method", "my_methods:Mine"), "cannot make my_methods:Mine")


def test_evaluate_puts_it_beside_others(folder, command, monkeypatch):
    monkeypatch.setattr("soundfix.testing.CHECKS", ())
    command("simulate", "scenes", "--scenes", 2, "--world", "luvira-twin", "--set", "duration_s=2.0")
    words = ["--methods", "my_method:Mine,again:my_method:Mine,srp-phat", "--windows", "0.2"]
    status, said, _ = command("evaluate", "scenes", "--out", "e", *words)
    assert status == 0
    rows = [line.split("|")[1:] for line in said.splitlines() if line.startswith("| ")]
    figures = {row[0].strip(): [cell.strip() for cell in row[1:-2]] for row in rows}
    assert figures["Mine"] == figures["again"] == figures["srp-phat"]
