"""`soundfix locate --turns`: who sounded when, and what a source says of its track."""

import csv
import json

import jsonschema
import numpy as np
import pytest
import soundfile

from helpers.command import SOURCE, assert_refused, given
from soundfix.estimate import KINDS
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
    kinds = [source["kinds"] for source in sources]
    assert all(sum(each.values()) == pytest.approx(1.0, abs=1e-5) for each in kinds)
    assert turn["kind"] in KINDS
    assert 0.25 <= float(turn["kind_probability"]) <= 1.0
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
    assert "kinds" not in source


def test_another_suffix_is_refused_before_the_work(take, tmp_path, command):
    assert_refused(command(*given(take, "--turns", tmp_path / "turns.txt")), "wanted a name that ends in .csv or .rttm")


def test_events_are_nobody_to_follow(take, tmp_path, command):
    (tmp_path / "labels.txt").write_text("0.1\t0.4\tsong\n")
    result = command(*given(take, "--events", tmp_path / "labels.txt", "--turns", tmp_path / "turns.csv"))
    assert_refused(result, "tracks does nothing with events")


def test_only_some_kinds_are_kept(long, tmp_path, command):
    """White noise from a point is of one kind: that kind alone keeps it, the three others leave nothing."""
    command(*given(long, *FAST, "--turns", tmp_path / "every.csv"))
    every = (tmp_path / "every.csv").read_text()
    (turn,) = csv.DictReader(every.splitlines())
    others = [kind for kind in KINDS if kind != turn["kind"]]
    words = [word for kind in others for word in ("--only", kind)]
    status, said, _ = command(*given(long, *FAST, "--turns", tmp_path / "others.csv", *words))
    assert status == 0
    assert "0 turns of 0 tracks (1 others left out)" in said
    assert (tmp_path / "others.csv").read_text() == ",".join(TURN_COLUMNS) + "\n"
    status, said, _ = command(*given(long, *FAST, "--turns", tmp_path / "it.csv", "--only", turn["kind"]))
    assert (tmp_path / "it.csv").read_text() == every


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--turns", "turns.csv", "--only", "voice"],
            "'voice': no kind of sound is called so, wanted speech, music, other",
        ),
        (["--only", "speech"], "--only does nothing without --turns FILE"),
    ],
)
def test_what_can_choose_nothing_is_refused_before_the_work(take, tmp_path, command, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert_refused(command(*given(take, *words)), message)
    assert not (tmp_path / "turns.csv").exists()
