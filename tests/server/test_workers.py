"""A process that can be killed: what becomes of its task is always said."""

import os
import signal
from pathlib import Path

import pytest

from helpers.service import FAST, LIST, recording, until
from soundfix.server.job import LIST as LISTED
from soundfix.server.job import SOUND
from soundfix.server.limits import Limits
from soundfix.server.workers import Worker


@pytest.fixture(scope="module")
def worker():
    worker = Worker(Limits())
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def upload(tmp_path):
    def make(seconds=0.6):
        (tmp_path / SOUND).mkdir()
        (tmp_path / LISTED).mkdir()
        recording(tmp_path / SOUND / "take.wav", seconds=seconds)
        (tmp_path / LISTED / "list.csv").write_text(LIST)
        return tmp_path

    return make


def do(worker, folder, kind="locate", *, tell=lambda *said: None, is_cancelled=lambda: False):
    return worker.do(kind, folder, dict(FAST), tell=tell, is_cancelled=is_cancelled)


def test_a_task_is_done(worker, upload):
    outcome = do(worker, upload())
    assert (outcome.status, outcome.sentence) == (200, "")
    assert '"estimates"' in outcome.document


def test_a_file_that_is_no_sound_is_refused_by_name(worker, upload):
    folder = upload()
    (folder / SOUND / "take.wav").write_bytes(b"RIFF but nothing else")
    outcome = do(worker, folder)
    assert outcome.status == 422
    assert outcome.sentence.startswith("take.wav ")
    assert do(worker, folder).status == 422  # the process lives


def test_progress_is_told(worker, upload):
    shares = []
    assert (
        do(worker, upload(20.0), tell=lambda what, said: shares.append(said) if what == "progress" else None).status
        == 200
    )
    assert shares == sorted(shares)
    assert 0 < shares[0] < 1


def test_cancelled_in_the_middle(worker, upload):
    folder = upload(60.0)
    outcome = do(worker, folder, is_cancelled=lambda: True)
    assert (outcome.status, outcome.sentence) == (410, "cancelled")
    assert not worker.is_ready


def test_killed_in_the_middle_and_started_again(worker, upload):
    folder = upload(60.0)
    begun = []

    def kill(what, said):
        begun.append(said)
        os.kill(worker._process.pid, signal.SIGKILL)

    outcome = do(worker, folder, tell=kill)
    assert begun
    assert outcome.status == 500
    recording(folder / SOUND / "take.wav")
    assert do(worker, folder).status == 200


def test_longer_than_allowed(upload):
    worker = Worker(Limits(work_s=0.5))
    outcome = do(worker, upload(300.0))
    assert (outcome.status, outcome.sentence) == (413, "not done within 0.5 s: send a shorter recording")
    worker.stop()


def test_ctrl_c_is_for_the_service(worker, upload):
    do(worker, upload())
    os.kill(worker._process.pid, signal.SIGINT)
    assert do(worker, Path(upload.__closure__[0].cell_contents)).status == 200


def test_more_memory_than_allowed():
    """The process cannot even load its network."""
    with pytest.raises(RuntimeError, match="did not start"):
        Worker(Limits(memory_bytes=50 * 2**20)).start()


def test_a_worker_ends_with_its_service(upload):
    worker = Worker(Limits())
    worker.start()
    process = worker._process
    worker._pipe.close()
    until(lambda: not process.is_alive())
