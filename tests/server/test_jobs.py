"""The queue: nothing lost, nothing mixed up, whatever ends in the middle."""

import json
import os
import threading
from time import time

import pytest

from helpers.service import Instant, until
from soundfix.server import jobs as module
from soundfix.server.job import HEARD, SOUND
from soundfix.server.jobs import Busy, Jobs
from soundfix.server.limits import Limits
from soundfix.server.store import DAY_S, Store
from soundfix.server.workers import Outcome


@pytest.fixture
def queue(monkeypatch, tmp_path):
    """Makes services in one folder, one after another; all are stopped at the end."""
    made = []

    def make(answer=None, *, workers=1, **limits):
        monkeypatch.setattr(module, "Worker", lambda limits: Instant(limits, answer))
        made.append(Jobs(Store.in_folder(tmp_path), tmp_path / "jobs", Limits(**limits), workers=workers))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()
        each.store.close()


def submitted(jobs, file="a.wav", client="me", **options):
    name, folder = jobs.new_folder()
    (folder / SOUND).mkdir()
    (folder / SOUND / file).write_bytes(b"sound")
    return name, jobs.submit(name, "locate", options, client)


def echo(kind, folder, options, tell, is_cancelled):
    return Outcome(document=json.dumps([kind, next((folder / SOUND).iterdir()).name, options]))


def until_cancelled(kind, folder, options, tell, is_cancelled):
    until(is_cancelled)
    return Outcome(status=410, sentence="cancelled")


def test_fifty_at_once_each_get_their_own(queue):
    jobs, ends = queue(echo, workers=2), {}

    def send(k):
        ends[k] = submitted(jobs, f"{k}.wav", number=k)

    threads = [threading.Thread(target=send, args=(k,)) for k in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for k, (name, end) in ends.items():
        end.result(20)
        assert json.loads(jobs.store.document(name)) == ["locate", f"{k}.wav", {"number": k}]
    assert jobs.waiting == 0
    assert not list(jobs.folder.iterdir())


def test_jobs_begin_in_the_order_in_which_they_came(queue):
    begun = []

    def note(kind, folder, options, tell, is_cancelled):
        begun.append(options["k"])
        return Outcome(document="{}")

    jobs = queue(note)
    for end in [submitted(jobs, k=k)[1] for k in range(8)]:
        end.result(20)
    assert begun == list(range(8))


def test_what_was_running_is_begun_again_by_the_next_service(queue):
    first = queue(until_cancelled)
    names = [submitted(first, f"{k}.wav")[0] for k in range(3)]
    until(lambda: first.store.job(names[0]).state == "running")
    first.stop()
    assert first.store.job(names[0]).attempts == 0  # it was stopped in good order
    second = queue(echo)
    until(lambda: all(second.store.job(name).has_ended for name in names))
    assert [json.loads(second.store.document(name))[1] for name in names] == ["0.wav", "1.wav", "2.wav"]


def test_what_ended_the_service_twice_is_given_up(queue):
    first = queue(until_cancelled)
    name, _ = submitted(first)
    first.stop()
    first.store.change(name, state="running", attempts=2)  # as kill -9 leaves it
    second = queue(echo)
    until(lambda: second.store.job(name).has_ended)
    job = second.store.job(name)
    assert (job.state, job.status) == ("failed", 500)
    assert job.sentence.startswith("given up: it was begun 2 times")


def test_results_of_before_are_there_and_uploads_without_a_job_are_not(queue):
    first = queue(echo)
    name, end = submitted(first)
    end.result(20)
    stranger = first.new_folder()[1]
    first.stop()
    second = queue(echo)
    assert second.store.document(name)
    assert not stranger.exists()


def test_cancelled_while_it_waits_and_while_it_runs(queue):
    jobs = queue(until_cancelled)
    (running, end), (waiting, other) = submitted(jobs), submitted(jobs)
    until(lambda: jobs.store.job(running).state == "running")
    jobs.cancel(waiting)
    jobs.cancel(running)
    end.result(20)
    other.result(20)
    assert jobs.store.job(running) is jobs.store.job(waiting) is None
    assert jobs.store.document(running) is None
    assert not list(jobs.folder.iterdir())


def test_a_result_that_comes_after_its_job_was_removed_is_not_kept(queue):
    def late(kind, folder, options, tell, is_cancelled):
        until(is_cancelled)
        return Outcome(document="{}")

    jobs = queue(late)
    name, end = submitted(jobs)
    until(lambda: jobs.store.job(name).state == "running")
    jobs.cancel(name)
    end.result(20)
    assert jobs.store.document(name) is None


def test_no_more_than_allowed(queue):
    jobs = queue(until_cancelled, waiting=3, a_client=2)
    submitted(jobs), submitted(jobs)
    with pytest.raises(Busy, match="you have too many") as refused:
        submitted(jobs)
    assert refused.value.is_client
    submitted(jobs, client="other")
    with pytest.raises(Busy, match="too many jobs are waiting") as refused:
        submitted(jobs, client="third")
    assert not refused.value.is_client


def test_old_results_go(queue):
    jobs = queue(echo, keep_days=2.0)
    (old, first), (new, second) = submitted(jobs), submitted(jobs)
    first.result(20), second.result(20)
    jobs.store.change(old, ended_s=time() - 3 * DAY_S)
    jobs.store.change(new, ended_s=time() - 1 * DAY_S)
    jobs.tidy()
    assert jobs.store.job(old) is None
    assert jobs.store.document(new)


def test_a_failure_is_kept_with_its_sentence(queue):
    jobs = queue(lambda *_: Outcome(status=422, sentence="no sound"))
    name, end = submitted(jobs)
    end.result(20)
    assert jobs.store.job(name)[-2:] == (422, "no sound")
    assert jobs.store.job(name).state == "failed"
    assert jobs.store.document(name) is None


def test_an_error_nobody_thought_of_ends_one_job_alone(queue, monkeypatch):
    jobs = queue(lambda *_: 1 / 0)
    _, end = submitted(jobs)
    end.result(20)
    monkeypatch.setattr(jobs.workers[0], "answer", echo)
    name, end = submitted(jobs)
    end.result(20)
    assert jobs.store.document(name)


def test_sound_is_kept_for_a_day_and_over_a_restart(queue, tmp_path):
    def heard(kind, folder, options, tell, is_cancelled):
        (folder / HEARD).write_bytes(b"heard")
        return Outcome(document="{}")

    jobs = queue(heard)
    assert not jobs.has_ended_one.is_set()
    names = [submitted(jobs, f"{k}.wav")[0] for k in range(2)]
    until(lambda: jobs.waiting == 0)
    assert jobs.has_ended_one.is_set()
    for name in names:
        assert [each.name for each in (jobs.folder / name).iterdir()] == [HEARD]
        assert jobs.sound_of(name).read_bytes() == b"heard"
    old = time() - 2 * DAY_S
    os.utime(jobs.sound_of(names[0]), (old, old))
    jobs._drop_strangers()
    jobs.tidy()
    assert jobs.sound_of(names[0]) is None
    assert jobs.sound_of(names[1])
    jobs.discard([names[1]])
    assert jobs.sound_of(names[1]) is None


def test_a_job_that_failed_keeps_nothing(queue):
    def refused(kind, folder, options, tell, is_cancelled):
        (folder / HEARD).write_bytes(b"heard")
        return Outcome(status=422, sentence="no")

    jobs = queue(refused)
    name = submitted(jobs, "a.wav")[0]
    until(lambda: jobs.waiting == 0)
    assert not (jobs.folder / name).exists()
