"""`soundfix locate --turns`: who sounded when, and what a source says of its track."""

import csv
import json

import jsonschema
import numpy as np
import pytest
import soundfile

from helpers.command import SOURCE, assert_refused, given
from soundfix.report.exports import locate_schema
from soundfix.report.turns import TURN_COLUMNS

FAST = ("--method", "srp-phat", "--hop", "0.25")


@pytest.fixture
def long(take):
    """The take, twice in a row."""
    sound, rate = soundfile.read(take / "scene.wav")
    soundfile.write(take / "scene.wav", np.concatenate([sound, sound]), rate)
    return take


def test_turns_and_tracks_are_written(long, tmp_path, command):
    files = {name: tmp_path / name for name in ("turns.csv", "answers.json", "answers.csv")}
    words = ["--turns", files["turns.csv"], "--json", files["answers.json"], "--csv", files["answers.csv"]]
    status, said, complaint = command(*given(long, *FAST, *words))
    assert status == 0, complaint
    assert f"1 turns of 1 tracks: {files['turns.csv']}" in said
    with files["turns.csv"].open(newline="") as file:
        (turn,) = csv.DictReader(file)
    assert tuple(turn) == TURN_COLUMNS
    assert (turn["track"], turn["returned"]) == ("1", "no")
    assert [float(turn[name]) for name in ("x_m", "y_m", "z_m")] == pytest.approx(SOURCE, abs=0.05)
    written = json.loads(files["answers.json"].read_text())
    jsonschema.validate(written, locate_schema())
    sources = [source for estimate in written["estimates"] for source in estimate["sources"]]
    assert {source["track"] for source in sources} == {1}
    assert all(-40 < source["level_dbfs"] < 0 for source in sources)
    with files["answers.csv"].open(newline="") as file:
        assert {row["track"] for row in csv.DictReader(file)} == {"1"}


def test_rttm_is_named_after_its_file(long, tmp_path, command):
    status, *_ = command(*given(long, *FAST, "--turns", tmp_path / "talk.rttm"))
    assert status == 0
    assert (tmp_path / "talk.rttm").read_text().startswith("SPEAKER talk 1 ")


def test_without_it_nobody_is_followed(take, tmp_path, command):
    command(*given(take, *FAST, "--json", tmp_path / "a.json"))
    (source,) = json.loads((tmp_path / "a.json").read_text())["estimates"][0]["sources"]
    assert "track" not in source
    assert "level_dbfs" not in source


def test_another_suffix_is_refused_before_the_work(take, tmp_path, command):
    assert_refused(command(*given(take, "--turns", tmp_path / "turns.txt")), "wanted a name that ends in .csv or .rttm")


def test_events_are_nobody_to_follow(take, tmp_path, command):
    (tmp_path / "labels.txt").write_text("0.1\t0.4\tsong\n")
    result = command(*given(take, "--events", tmp_path / "labels.txt", "--turns", tmp_path / "turns.csv"))
    assert_refused(result, "tracks does nothing with events")
