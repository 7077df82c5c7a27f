"""`soundfix locate --events`: a table goes in, and comes out with its answers."""

import csv
import json

import jsonschema
import numpy as np
import pytest

from helpers.calls import PLACES, calls, written
from helpers.command import assert_refused, given
from soundfix.files.scenes import write_scene
from soundfix.report.exports import locate_schema


@pytest.fixture
def field(tmp_path):
    return written(tmp_path)


def events(field, *options):
    return given(field, "--method", "srp-phat", "--events", field / "events.txt", *options)


def test_the_whole_way(field, command):
    files = {name: field / f"answers.{name}" for name in ("json", "csv", "raven")}
    status, said, complaint = command(
        *events(field, *(word for name, path in files.items() for word in (f"--{name}", path)))
    )
    assert (status, "2 events, each in its own time and band" in complaint) == (0, True)
    assert [line.split()[5] for line in said.splitlines()[:2]] == ["call", "call"]
    document = json.loads(files["json"].read_text())
    jsonschema.validate(document, locate_schema())
    assert [each["event"]["rows"] for each in document["estimates"]] == [[1], [2]]
    for each, place in zip(document["estimates"], PLACES.values(), strict=True):
        assert np.linalg.norm(np.array(each["sources"][0]["position_m"]) - place) < 0.5
    with files["csv"].open(newline="") as file:
        assert {row["event"] for row in csv.DictReader(file)} == {"call 0", "call 1"}
    assert files["raven"].read_text().startswith("Selection\tView")


def test_what_is_left_out_is_told(field, command):
    with (field / "events.txt").open("a") as file:
        file.write("3\tSpectrogram 1\t1\t60\t61\t2000\t4000\tlate\n")
    _, _, complaint = command(*events(field))
    assert "1 of 3 events are not in this recording: left out." in complaint


def test_raven_needs_events_and_windows_are_not_theirs(field, command):
    assert_refused(command(*given(field, "--raven", field / "r.txt")), "--raven writes the table of --events FILE")
    assert_refused(command(*events(field, "--window", 1)), "window does nothing with events")
    assert_refused(command(*events(field, "--raven", field / "events.txt")), "it is an input")


def test_a_large_array_has_longer_windows_and_says_so(tmp_path, command):
    write_scene(tmp_path, calls())
    _, said, complaint = command(*given(tmp_path, "--method", "srp-phat"))
    assert "windows of 1.3 s: sound takes half of that to cross the array" in complaint
    assert said.startswith("    0.00 -    1.30 s")
    _, said, complaint = command(*given(tmp_path, "--method", "srp-phat", "--window", 2))
    assert "windows of" not in complaint
    assert said.startswith("    0.00 -    2.00 s")
