"""The files that are asked for: `-` is standard output, and what is for people goes to standard error then."""

import csv
import io
import json

import pytest

from helpers.command import assert_refused, given
from soundfix.report.exports import CSV_COLUMNS

PHYSICS = ("--method", "srp-phat")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("json", lambda text: len(json.loads(text)["estimates"])),
        ("jsonl", lambda text: len([json.loads(line) for line in text.splitlines()])),
        ("csv", lambda text: len([row for row in csv.DictReader(io.StringIO(text)) if list(row) == CSV_COLUMNS])),
    ],
)
def test_a_dash_is_standard_output_and_lines_go_to_standard_error(take, tmp_path, command, name, read):
    _, lines, _ = command(*given(take, *PHYSICS, f"--{name}", tmp_path / "file"))
    status, said, complaint = command(*given(take, *PHYSICS, f"--{name}", "-"))
    assert status == 0
    assert said == (tmp_path / "file").read_text()
    assert complaint.endswith(lines)
    assert read(said) == 2


def test_a_map_too(take, command):
    status, said, _ = command(*given(take, *PHYSICS, "--geojson", "-", "--crs", "EPSG:32632"))
    assert status == 0
    assert json.loads(said)["type"] == "FeatureCollection"


def test_json_lines_are_the_estimates_of_the_json_file(take, tmp_path, command):
    words = given(take, *PHYSICS, "--json", tmp_path / "a.json", "--jsonl", tmp_path / "a.jsonl")
    assert command(*words)[0] == 0
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == json.loads((tmp_path / "a.json").read_text())["estimates"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--json", "-", "--csv", "-"), "named for two outputs"),
        (("--plot", "-"), "wanted one of .png, .svg"),
        (("--events", "EVENTS", "--raven", "-"), "wanted the name of a file"),
    ],
)
def test_what_cannot_be_printed(take, tmp_path, command, options, message):
    events = tmp_path / "events.txt"
    events.write_text("0.1\t0.4\tcall\n")
    assert_refused(command(*given(take, *(events if word == "EVENTS" else word for word in options))), message)
