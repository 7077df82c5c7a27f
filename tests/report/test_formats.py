"""Every format by its name: what it needs is asked for, what it writes is whole."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.foreign import AHEAD, OF_EVENTS, RECORDED, answer, source
from soundfix.errors import ConfigError, OutputError
from soundfix.report.formats import FORMATS, format_of, open_format

TEXTS = ("audacity", "birdnet", "dcase", "odas", "opensoundscape")
LISTENING = replace(RECORDED, listener=AHEAD)
ANSWERS = (
    answer(source(1, 2, 3, track=1)),
    answer(start_s=1.5, end_s=2.0),
    answer(source(3, 2, 1, track=1), start_s=2.0, end_s=2.5),
)


def write(name, path, *estimates, recorded=LISTENING):
    with open_format(name, path, recorded) as writer:
        for estimate in estimates:
            writer.write(estimate)
    return Path(path)


def test_the_formats_are_these():
    assert sorted(FORMATS) == sorted([*TEXTS, "rerun", "ros2"])
    assert [name for name, each in FORMATS.items() if each.has_tracks] == ["dcase", "odas"]
    assert [name for name, each in FORMATS.items() if each.is_binary] == ["rerun", "ros2"]
    with pytest.raises(ConfigError, match=r"'raven' is no format, wanted one of audacity, birdnet"):
        format_of("raven")


@pytest.mark.parametrize(
    ("name", "lines"), [("audacity", 2), ("birdnet", 3), ("dcase", 10), ("odas", 3), ("opensoundscape", 4)]
)
def test_texts_are_written_and_printed_alike(tmp_path, capfdbinary, name, lines):
    written = write(name, tmp_path / "a", *ANSWERS).read_bytes()
    assert written.count(b"\n") == lines
    write(name, "-", *ANSWERS)
    assert capfdbinary.readouterr().out == written


@pytest.mark.parametrize("name", TEXTS)
def test_no_answer_is_a_file_all_the_same(tmp_path, name):
    assert write(name, tmp_path / "a").exists()


def test_hops_of_odas_are_numbered_from_one_by_their_time(tmp_path):
    """Between the last two nobody could be heard for a second."""
    later = answer(start_s=3.5, end_s=4.0)
    told = [json.loads(line) for line in write("odas", tmp_path / "a", *ANSWERS, later).read_text().splitlines()]
    assert [each["timeStamp"] for each in told] == [3, 4, 5, 8]
    (first,) = write("odas", tmp_path / "b", answer(start_s=0.0, end_s=0.5)).read_text().splitlines()
    assert json.loads(first)["timeStamp"] == 1
    assert [each["src"][0]["id"] for each in told] == [1, 0, 1, 0]


def test_positions_are_a_list_of_json(tmp_path):
    told = json.loads(write("opensoundscape", tmp_path / "a", *ANSWERS).read_text())
    assert [each["location_estimate"] for each in told] == [[1, 2, 3], [3, 2, 1]]


@pytest.mark.parametrize("name", TEXTS)
def test_rows_stay_and_documents_go_where_a_run_fails(tmp_path, name):
    class OwnError(Exception):
        pass

    def broken():
        with open_format(name, tmp_path / "a", LISTENING) as writer:
            writer.write(ANSWERS[0])
            raise OwnError

    with pytest.raises(OwnError):
        broken()
    assert (tmp_path / "a").exists() == (name != "opensoundscape")


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(ConfigError, match="dcase tells directions from a listener's place"):
        open_format("dcase", tmp_path / "a", RECORDED)
    with pytest.raises(ConfigError, match="odas numbers windows that follow each other"):
        open_format("odas", tmp_path / "a", OF_EVENTS)
    for name in ("rerun", "ros2"):
        with pytest.raises(OutputError, match="its files are no text"):
            open_format(name, "-", RECORDED)
