"""Processes of this machine: every task once, whoever dies."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from helpers import TESTS
from helpers.crews import cannot_be_made, counted, deadly, failing, large, meeting, squares, threads, unsendable
from soundfix.engines.local import HERE, Local
from soundfix.errors import EngineError, MissingPackageError


def test_every_task_is_done_once_by_several_processes(tmp_path):
    found = list(Local(2).map(partial(meeting, str(tmp_path)), list(range(20))))
    assert sorted((number, said) for number, (said, _) in found) == [(k, k**2) for k in range(20)]
    assert len({process for _, (_, process) in found}) == 2
    assert os.getpid() not in {process for _, (_, process) in found}


def test_one_worker_works_in_this_process_in_order():
    assert list(HERE.map(squares, [3, 1])) == [(0, (9, os.getpid())), (1, (1, os.getpid()))]
    assert list(Local(4).map(squares, [3])) == [(0, (9, os.getpid()))]
    assert list(Local(4).map(squares, [])) == []


def test_a_worker_is_made_once_in_each_process(tmp_path):
    list(Local(2).map(partial(counted, str(tmp_path)), list(range(20))))
    assert len(list(tmp_path.glob("made-*"))) == 2


def test_a_process_that_dies_loses_nothing(tmp_path):
    found = dict(Local(2).map(partial(deadly, str(tmp_path), 2), list(range(8))))
    assert found == {k: k for k in range(8)}
    assert len(list(tmp_path.glob("3-*"))) == 3


def test_a_task_that_ends_every_process_is_told_and_the_others_are_done(tmp_path):
    found = dict(Local(2).map(partial(deadly, str(tmp_path), 99), list(range(8))))
    assert isinstance(found[3], EngineError)
    assert "3 processes ended without a word" in str(found[3])
    assert {k: said for k, said in found.items() if k != 3} == {k: k for k in range(8) if k != 3}
    assert len(list(tmp_path.glob("3-*"))) == 3


def test_what_a_worker_raises_is_raised_here():
    with pytest.raises(KeyError, match=r"task \d is a mistake"):
        list(Local(2).map(failing, [1, 2, 3]))
    with pytest.raises(ValueError, match="no such weights"):
        list(Local(2).map(cannot_be_made, [1, 2, 3]))


@pytest.mark.parametrize(
    ("task", "error", "message"),
    [
        (
            "missing",
            MissingPackageError,
            r"^rosbags is not installed; this needs it: pip install 'soundfix\[interop\]'$",
        ),
        ("stubborn", EngineError, "a worker raised Stubborn: this and that"),
        ("result", Exception, "pickle"),
    ],
)
def test_what_cannot_be_sent_as_it_is_is_told(task, error, message):
    with pytest.raises(error, match=message):
        list(Local(2).map(unsendable, [task, task]))


def test_a_process_computes_in_one_thread():
    assert dict(Local(2).map(threads, [0, 1])) == {0: 1, 1: 1}


def test_large_tasks_and_results_do_not_wait_for_each_other():
    tasks = [bytes([k]) * 5_000_000 for k in range(6)]
    assert dict(Local(2).map(large, tasks)) == dict(enumerate(tasks))


LED = """
import sys
sys.path.insert(0, {tests!r})
from functools import partial
from helpers.crews import meeting
from soundfix.engines.local import Local
for _, (_, process) in Local(2).map(partial(meeting, {folder!r}), list(range(10**6))):
    print(process, flush=True)
"""


def test_processes_end_with_the_one_that_started_them(tmp_path):
    code = LED.format(tests=str(TESTS), folder=str(tmp_path))
    leader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    processes = {int(leader.stdout.readline()) for _ in range(200)}
    leader.send_signal(signal.SIGKILL)
    leader.wait()
    leader.stdout.close()
    assert len(processes) == 2
    until = time.monotonic() + 60
    while any(os.path.exists(f"/proc/{process}") for process in processes):
        assert time.monotonic() < until, "they work on for nobody"
        time.sleep(0.05)
