"""Windows that other processes locate before their turn have the answers that they have one after the other."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.session import locate
from soundfix.errors import ConfigError
from soundfix.estimate import Estimate
from soundfix.session import ahead
from soundfix.session.ahead import Ahead, begun_ahead, working_ahead
from soundfix.session.session import Session
from soundfix.simulation.faults import break_scene, parse_fault
from soundfix.testing import contract_scene

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))


class Says:
    """A localizer that says who asked it, and how often."""

    name = "says"

    def __init__(self, who):
        self.who, self.asked = who, 0

    def locate(self, scene):
        self.asked += 1
        return Estimate(
            method=self.who, start_s=scene.start_s, end_s=1.0, verdict="abstain", findings=(), microphones=()
        )


class AtOnce(Executor):
    """A pool of one, which does all when it is begun; or ends without a word, while it locates or before."""

    def __init__(self, localizer=None, *, has_ended=False):
        self.localizer, self.has_ended = localizer, has_ended

    def submit(self, _work, scene):
        if self.has_ended:
            raise BrokenProcessPool
        future = Future()
        if self.localizer:
            future.set_result(self.localizer.locate(scene))
        else:
            future.set_exception(BrokenProcessPool())
        return future


@pytest.fixture
def scene():
    return contract_scene(6, seconds=0.5)


def test_answers_are_the_same_to_the_last_bit_while_microphones_are_convicted(outdoors):
    late = break_scene(outdoors, [parse_fault("late:2:0.006")], np.random.default_rng(3))
    one, two = (
        locate(late, method="srp-phat", window_s=0.25, jobs=jobs, room=ROOM).to_dict()["estimates"] for jobs in (1, 2)
    )
    assert one == two
    assert any("left out" in note for each in one for note in each["notes"])


def test_events_that_sound_at_once_are_not_mistaken_for_each_other(outdoors, tmp_path):
    """Of one start, in different bands: Audacity writes these on a line of their own."""
    (tmp_path / "labels.txt").write_text(
        "0.5\t1.0\tlow\n\\\t300\t3000\n0.5\t1.0\thigh\n\\\t2500\t7000\n1.2\t1.6\tall\n"
    )
    one, two = (
        locate(outdoors, method="srp-phat", events=tmp_path / "labels.txt", jobs=jobs).to_dict()["estimates"]
        for jobs in (1, 2)
    )
    assert one == two
    assert len({str(each["sources"]) for each in one}) == 3


def test_what_was_begun_is_not_located_again(scene):
    worker = Says("worker")
    localizer = Ahead(Says("self"), 1, AtOnce(worker))
    localizer.begin(scene)
    assert localizer.locate(replace(scene, audio=scene.audio.copy())).method == "worker"
    assert worker.asked == 1
    assert localizer.name == "says"


@pytest.mark.parametrize(
    "change",
    [
        {"room": None},
        {"is_trusted": np.arange(6) != 2},
        {"audio": np.zeros((6, 8000), dtype=np.float32)},
        {"start_s": 0.5},
        {"band_hz": (500.0, 4000.0)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_told_otherwise_is_located_again(scene, change):
    worker = Says("worker")
    localizer = Ahead(Says("self"), 1, AtOnce(worker))
    localizer.begin(scene)
    localizer.locate(replace(scene, **change))
    assert worker.asked == 2


@pytest.mark.parametrize("has_ended", [False, True])
def test_without_its_processes_it_locates_itself_and_says_so(scene, has_ended):
    localizer = Ahead(Says("self"), 1, AtOnce(has_ended=has_ended))
    localizer.begin(scene)
    with pytest.warns(UserWarning, match="ended without a word"):
        assert localizer.locate(scene).method == "self"


def told(session, rate):
    """What a window that is to be located is told."""
    return lambda turn: session.scene(*turn[0], rate) if turn[1] else None


def test_no_more_windows_are_read_than_are_begun(scene):
    """Three a process, and the one whose turn it is."""
    read, worker = [], Says("worker")
    localizer = Ahead(Says("self"), 2, AtOnce(worker))
    session = Session(localizer=localizer, microphones=scene.microphones)

    def windows():
        for number in range(20):
            read.append(number)
            yield (0.5 * number, np.array(scene.audio)), number % 2 == 0

    turns = begun_ahead(windows(), session, told(session, scene.sample_rate))
    (start_s, _), is_located = next(turns)
    assert (start_s, is_located, len(read)) == (0.0, True, localizer.depth + 1)
    assert worker.asked == 4  # of those that are located
    assert [start_s for (start_s, _), _ in turns] == [0.5 * number for number in range(1, 20)]


def test_one_process_reads_window_by_window(scene):
    session = Session(localizer=Says("self"), microphones=scene.microphones)
    windows = iter([((0.0, np.array(scene.audio)), True), ((0.5, np.array(scene.audio)), True)])
    next(begun_ahead(windows, session, told(session, scene.sample_rate)))
    assert len(list(windows)) == 1


def test_a_session_has_its_localizer_back_and_pytorch_its_threads(scene):
    own = Says("self")
    session, before = Session(localizer=own, microphones=scene.microphones), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with working_ahead(session, 2):
            assert isinstance(session.localizer, Ahead)
            assert session.localizer.locate(scene).method == "self"  # a worker's copy
            assert (own.asked, torch.get_num_threads()) == (0, 1)
        assert (session.localizer, torch.get_num_threads()) == (own, 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("jobs", [0, -1, True])
def test_jobs_are_a_number_of_processes(outdoors, jobs):
    with pytest.raises(ConfigError, match="wanted how many processes"):
        locate(outdoors, method="srp-phat", jobs=jobs)


def test_workers_end_with_the_process_that_started_them():
    """However it ended."""
    program = (
        "import time; from soundfix.session.ahead import working_ahead; from soundfix.session.session import Session\n"
        "from soundfix.testing import contract_scene; import soundfix, multiprocessing\n"
        "scene = contract_scene(6, seconds=0.2)\n"
        "session = Session(localizer=soundfix.load('srp-phat'), microphones=scene.microphones)\n"
        "with working_ahead(session, 2):\n"
        "    session.localizer.locate(scene)\n"
        "    print(*[child.pid for child in multiprocessing.active_children()], flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        workers = [int(number) for number in process.stdout.readline().split()]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert workers
    until = time.monotonic() + 60
    while any(is_running(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(is_running(pid) for pid in workers)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().split()[2] != "Z"


def test_a_worker_locates_with_what_it_was_begun_with_in_one_thread(monkeypatch, scene):
    class Counts(Says):
        def locate(self, scene):
            self.threads = torch.get_num_threads()
            return super().locate(scene)

    before, worker = torch.get_num_threads(), Counts("worker")
    monkeypatch.setattr(ahead, "_LOCALIZER", [worker])
    try:
        torch.set_num_threads(2)
        assert ahead._located(scene).method == "worker"
    finally:
        torch.set_num_threads(before)
    assert worker.threads == 1
