"""Runs that somebody stops: real signals to a real process, real pipes that are closed, and files that are whole."""

import json
import os
import signal
import subprocess
import sys
import time

import jsonschema
import pytest

import soundfix.__main__
import soundfix.cli.app
from helpers.command import CORNERS, SOURCE, given
from helpers.scenes import anechoic_scene
from soundfix.cli.stopping import CLOSED_PIPE, Stop, stoppable
from soundfix.files.scenes import write_scene
from soundfix.report.exports import locate_schema

PATIENCE_S = 60


@pytest.fixture
def long_take(tmp_path, rng):
    """Twenty seconds: a thousand windows, more than can be located before a signal comes."""
    write_scene(tmp_path / "take", anechoic_scene(CORNERS, SOURCE, rng, seconds=20.0))
    return tmp_path / "take"


def started(take, *options, stdout=subprocess.PIPE, **how):
    """`soundfix locate` in a process of its own, as a shell starts it."""
    words = [*given(take, "--method", "srp-phat", "--hop", 0.02), *options]
    return subprocess.Popen(
        [sys.executable, "-m", "soundfix", *map(str, words)], stdout=stdout, stderr=subprocess.PIPE, text=True, **how
    )


def rows_of(path):
    return path.read_text().splitlines() if path.exists() else []


def wait_for_rows(path, count):
    end = time.monotonic() + PATIENCE_S
    while len(rows_of(path)) < count:
        assert time.monotonic() < end, f"{path} has {len(rows_of(path))} rows"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_whole_files_that_say_so(long_take, tmp_path, number):
    """Rows are there while it runs; afterwards three files hold the same windows, and the JSON says how many of how many."""
    files = {name: tmp_path / f"a.{name}" for name in ("json", "jsonl", "csv")}
    process = started(long_take, *(word for name, path in files.items() for word in (f"--{name}", path)))
    wait_for_rows(files["csv"], 3)
    assert not files["json"].exists()
    process.send_signal(number)
    said, complaint = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + number
    assert "Traceback" not in complaint
    assert "stopping after this window" in complaint
    document = json.loads(files["json"].read_text())
    jsonschema.validate(document, locate_schema())
    assert [json.loads(line) for line in rows_of(files["jsonl"])] == document["estimates"]
    assert document["interrupted"] == {"done": len(document["estimates"]), "of": 976}
    assert 2 <= len(document["estimates"]) == len(rows_of(files["csv"])) - 1 < 976
    assert f"interrupted after {len(document['estimates'])} of 976" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.json", "a.jsonl", "take"]


def test_ctrl_c_ends_the_processes_beside_it_too(long_take, tmp_path):
    """A terminal sends it to all of them; only the first says anything."""
    process = started(long_take, "--jobs", 2, "--csv", tmp_path / "a.csv", start_new_session=True)
    wait_for_rows(tmp_path / "a.csv", 3)
    os.killpg(process.pid, signal.SIGINT)
    said, complaint = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + signal.SIGINT
    assert "Traceback" not in complaint
    assert complaint.count("stopping after this window") == 1
    assert "without a word" not in complaint
    assert f"interrupted after {len(rows_of(tmp_path / 'a.csv')) - 1} of 976" in said


@pytest.mark.parametrize("options", [("--csv", "-"), ("--jsonl", "-"), ()])
def test_a_reader_that_has_enough_ends_it_without_a_word(long_take, tmp_path, options):
    """As with `| head -1`: of rows, and of the lines for people."""
    process = started(long_take, *options, "--json", tmp_path / "a.json")
    assert process.stdout.readline()
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    assert process.wait(PATIENCE_S) == 128 + signal.SIGPIPE
    assert "Broken" not in complaint
    assert "Traceback" not in complaint
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["interrupted"]["done"] == len(document["estimates"]) >= 1


def test_the_first_signal_finishes_the_second_ends():
    with stoppable() as stop:
        stop.has_begun = True
        os.kill(os.getpid(), signal.SIGINT)
        assert (stop(), stop.status) == (True, 130)
        with pytest.raises(SystemExit) as end:
            os.kill(os.getpid(), signal.SIGTERM)
    assert end.value.code == 143


def test_before_anything_was_located_a_signal_ends_it():
    with stoppable() as stop, pytest.raises(SystemExit) as end:
        os.kill(os.getpid(), signal.SIGINT)
    assert end.value.code == 130
    assert not stop()


def test_signals_that_were_ignored_stay_so_and_others_come_back():
    before = signal.getsignal(signal.SIGINT)
    ignored = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGINT) == stop.on_signal
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        signal.signal(signal.SIGTERM, ignored)


def test_a_closed_pipe_is_a_reason_of_its_own_and_other_errors_are_none(monkeypatch):
    forgotten = []
    monkeypatch.setattr("soundfix.cli.stopping._forget_standard_output", lambda: forgotten.append(True))
    stop = Stop()
    stop.tell(lambda: None)
    assert not stop()
    with pytest.raises(ConnectionResetError):
        stop.tell(_fail, ConnectionResetError())
    stop.tell(_fail, BrokenPipeError())
    assert (stop.status, forgotten) == (CLOSED_PIPE, [True])


def _fail(error):
    raise error


INTERRUPTED_WHILE_LOADING = """
import os, signal, sys
from soundfix.__main__ import main
class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "soundfix.cli.app":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
main()
"""


def test_ctrl_c_while_modules_are_loaded_ends_without_a_word():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHILE_LOADING], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_afterwards_ctrl_c_is_as_it_was(monkeypatch):
    monkeypatch.setattr(soundfix.cli.app, "main", lambda: None)
    before = signal.getsignal(signal.SIGINT)
    soundfix.__main__.main()
    assert signal.getsignal(signal.SIGINT) is before
