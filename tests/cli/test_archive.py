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


def command(tmp_path, *more):
    return [
        sys.executable, "-m", "soundfix", "archive", str(tmp_path / "recordings"), "-m", str(write_list(tmp_path)), "--out",
        str(tmp_path / "out"), "--method", "srp-phat", *more,
    ]  # fmt: skip


def archive(tmp_path, *more):
    return subprocess.run(command(tmp_path, *more), capture_output=True, text=True)


def test_a_season_is_located(tmp_path):
    write_season(tmp_path / "recordings")
    done = archive(tmp_path, "--crs", CRS, "--temperature", "20")
    assert (done.returncode, done.stderr) == (0, "0.07 hours of sound over all microphones\n")
    assert done.stdout.startswith("0.07 hours of sound in 2 pieces: ")
    assert done.stdout.endswith(f"answers: {tmp_path / 'out'}\n")
    assert len(pandas.read_parquet(tmp_path / "out" / "answers.parquet")) >= 4
    assert json.loads((tmp_path / "out" / "settings.json").read_text())["temperature_c"] == "20.0"
    again = archive(tmp_path, "--crs", CRS, "--temperature", "20")
    assert "0.07 of them done before" in again.stderr
    other = archive(tmp_path, "--crs", CRS, "--temperature", "21")
    assert other.returncode == 2
    assert "holds another run: its temperature_c is 20.0, and 21.0 was asked for" in other.stderr


def test_a_signal_ends_it_after_the_piece(tmp_path):
    """What was located until then is in the tables; the status is that of a signal."""
    write_season(tmp_path / "recordings")
    with subprocess.Popen(command(tmp_path, "--every"), stderr=subprocess.PIPE, text=True) as process:
        assert "hours of sound" in process.stderr.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert process.returncode in (143, 128 + signal.SIGTERM)
    assert "stopping after this piece" in said
    assert len(os.listdir(tmp_path / "out" / "parts")) == 1
    assert len(pandas.read_parquet(tmp_path / "out" / "answers.parquet")) == 20


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
def test_mistakes_are_one_sentence(tmp_path, more, message):
    write_season(tmp_path / "recordings")
    done = archive(tmp_path, *more)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_starts_of_a_table_move_the_pieces(tmp_path):
    write_season(tmp_path / "recordings")
    names = [path.name for path in (tmp_path / "recordings").iterdir()]
    starts = tmp_path / "starts.csv"
    starts.write_text("file,offset_s\n" + "".join(f"{name},100\n" for name in names))
    assert archive(tmp_path, "--starts", str(starts)).returncode == 0
    said = json.loads((tmp_path / "out" / "report.json").read_text())
    assert said["starts_at"] == "2022-06-20T06:01:30+00:00"
    assert said["pieces"] == 1
