"""What was kept is there again."""

from time import time

import pytest

from soundfix.server.job import Job
from soundfix.server.store import DAY_S, Store


@pytest.fixture
def store(tmp_path):
    store = Store.in_folder(tmp_path)
    yield store
    store.close()


def job(name, **changes):
    return Job(name, "locate", "waiting", "me", "{}", 0.0, 0, time())._replace(**changes)


def test_a_job_comes_back_as_it_was(store, tmp_path):
    given = job("a", options='{"method": "ü"}', progress=0.25)
    store.add(given)
    store.close()
    again = Store.in_folder(tmp_path)
    assert again.job("a") == given
    assert again.job("b") is None
    again.close()


def test_a_job_ends_with_its_document(store):
    store.add(job("a"))
    store.end("a", document='{"x": 1}', status=200, sentence="")
    assert store.document("a") == '{"x": 1}'
    ended = store.job("a")
    assert (ended.state, ended.progress, ended.status) == ("done", 1.0, 200)
    assert abs(ended.ended_s - time()) < 10


def test_a_job_that_is_gone_keeps_no_document(store):
    store.end("a", document="{}", status=200, sentence="")
    assert store.document("a") is None


def test_unfinished_ones_in_their_order(store):
    for k, state in enumerate(["running", "done", "waiting", "failed"]):
        store.add(job(f"j{k}", state=state, created_s=100.0 - k))
    assert [each.id for each in store.unfinished()] == ["j2", "j0"]


def test_old_ones(store):
    for name, days in (("old", 3), ("new", 1)):
        store.add(job(name))
        store.change(name, ended_s=time() - days * DAY_S)
    store.add(job("running"))
    assert store.older_than(2.0) == ["old"]
    store.remove(["old", "running"])
    assert store.job("old") is store.job("running") is None
    assert store.job("new")


def test_lists_of_microphones(store):
    store.keep_set("hall", "a.csv", "one")
    store.keep_set("hall", "b.csv", "two")
    store.keep_set("attic", "c.csv", "three")
    assert store.sets() == ["attic", "hall"]
    assert store.set_of("hall") == ("b.csv", "two")
    assert store.drop_set("hall")
    assert not store.drop_set("hall")
    assert store.set_of("hall") is None
    assert store.is_there()
