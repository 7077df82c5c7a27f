"""`soundfix archive`, as somebody types it."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas
import pytest

from helpers.season import CRS, write_list, write_season


def given(tmp_path, *more):
    where = ["archive", tmp_path / "recordings", "-m", write_list(tmp_path), "--out", tmp_path / "out"]
    return [*where, "--method", "srp-phat", *more]


def test_a_season_is_located(tmp_path, command):
    write_season(tmp_path / "recordings")
    words = given(tmp_path, "--crs", CRS)
    status, said, told = command(*words, "--temperature", 20)
    assert (status, told) == (0, "0.07 hours of sound over all microphones\n")
    assert said.startswith("0.07 hours of sound in 2 pieces: ")
    assert said.endswith(f"answers: {tmp_path / 'out'}\n")
    assert len(pandas.read_parquet(tmp_path / "out" / "answers.parquet")) >= 4
    assert json.loads((tmp_path / "out" / "settings.json").read_text())["temperature_c"] == "20.0"
    _, _, again = command(*words, "--temperature", 20)
    assert "0.07 of them done before" in again
    status, _, other = command(*words, "--temperature", 21)
    assert status == 2
    assert "holds another run: its temperature_c is 20.0, and 21.0 was asked for" in other


def test_a_signal_ends_it_after_the_piece(tmp_path):
    """What was located until then is in the tables; the status is that of a signal."""
    write_season(tmp_path / "recordings")
    words = [sys.executable, "-m", "soundfix", *map(str, given(tmp_path, "--every", "--window", 2))]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert "hours of sound" in process.stderr.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert process.returncode in (143, 128 + signal.SIGTERM)
    assert "stopping after this piece" in said
    assert len(os.listdir(tmp_path / "out" / "parts")) == 1
    assert len(pandas.read_parquet(tmp_path / "out" / "answers.parquet")) == 5


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--events", "det.csv", "--window", "1"], "--window does nothing with --events"),
        (["--events", "det.csv", "--every"], "--every does nothing with --events"),
        (["--engine", "rey"], "--engine 'rey': wanted local or ray"),
        (["--starts", "none.csv"], "none.csv cannot be read"),
        (["--events", "none.csv"], "none.csv cannot be read"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, command, more, message):
    write_season(tmp_path / "recordings")
    status, _, complaint = command(*given(tmp_path, *more))
    assert status == 2
    assert message in complaint
    assert complaint.count("\n") == 1


def test_starts_of_a_table_move_the_pieces(tmp_path, command):
    write_season(tmp_path / "recordings")
    names = [path.name for path in (tmp_path / "recordings").iterdir()]
    starts = tmp_path / "starts.csv"
    starts.write_text("file,offset_s\n" + "".join(f"{name},100\n" for name in names))
    assert command(*given(tmp_path, "--starts", starts))[0] == 0
    said = json.loads((tmp_path / "out" / "report.json").read_text())
    assert said["starts_at"] == "2022-06-20T06:01:30+00:00"
    assert said["pieces"] == 1
