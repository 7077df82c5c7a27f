"""`soundfix locate --again`: the same files, and a word on whether they are the same."""

import json
import shutil

import pytest

from helpers.command import assert_refused, given


@pytest.fixture
def before(take, tmp_path, command):
    """Answers of two windows."""
    words = given(take, "--method", "srp-phat", "--height", "1.3", "--hop", 0.5, "--json", tmp_path / "before.json")
    assert command(*words)[0] == 0
    return tmp_path / "before.json"


def test_the_file_is_the_same_byte_for_byte(before, tmp_path, command):
    status, said, _ = command(
        "locate", "--again", before, "--json", tmp_path / "after.json", "--csv", tmp_path / "a.csv"
    )
    assert status == 0
    assert said.endswith(f"2 answers are the same as in {before}\n")
    assert (tmp_path / "after.json").read_bytes() == before.read_bytes()
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 3


def test_answers_that_differ_are_counted(before, take, command):
    document = json.loads(before.read_text())
    document["estimates"][1]["sources"][0]["score"] = 0.0
    before.write_text(json.dumps(document))
    shutil.move(take / "scene.wav", take / "moved.wav")
    with (take / "moved.wav").open("ab") as file:
        file.write(b"xx")
    status, said, complaint = command("locate", take / "moved.wav", "--again", before)
    assert status == 0
    assert said.endswith(f"1 of 2 answers are not those in {before}, the first at 0.5 s\n")
    assert "moved.wav has changed: it has " in complaint


def test_of_an_interrupted_run_what_there_is_is_compared(before, command):
    document = json.loads(before.read_text())
    document["estimates"].pop()
    before.write_text(json.dumps(document | {"interrupted": {"done": 1, "of": 2}}))
    assert command("locate", "--again", before)[1].endswith(f"1 answers are the same as in {before}\n")


@pytest.mark.parametrize(
    "option",
    [("--height", 1), ("-m", "list.csv"), ("--method", "multilateration"), ("--smooth",), ("--events", "e.txt")],
)
def test_what_is_in_the_file_is_not_given_again(before, command, option):
    assert_refused(command("locate", "--again", before, *option), "is in the file of --again: leave it out")


@pytest.mark.parametrize("name", ["before.json", "take/scene.wav"])
def test_inputs_are_not_overwritten(before, tmp_path, command, name):
    assert_refused(command("locate", "--again", before, "--json", tmp_path / name), "it is an input")


def test_a_list_is_needed_without_it(take, command):
    status, _, complaint = command("locate", take / "scene.wav")
    assert status == 2
    assert "wanted -m LIST, or --again FILE" in complaint
