"""What was kept is there again."""

import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from time import time

import pytest
from sqlalchemy import create_engine

from helpers.service import FAST, recording, running, sent, until
from soundfix.server.job import Job
from soundfix.server.store import DAY_S, TABLES, Store

WANTED = bool(os.environ.get("ALL_PROGRAMS"))  # where everything is installed, nothing must be passed over


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'x.sqlite'}"
    return request.getfixturevalue("empty_database")


@pytest.fixture
def store(url):
    store = Store(url)
    yield store
    store.close()


@pytest.fixture
def empty_database(postgresql):
    """Its tables are gone afterwards."""
    yield postgresql
    engine = create_engine(postgresql)
    TABLES.drop_all(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def postgresql():
    """A server of Debian's package, in a folder of its own, that hears of nobody but these tests."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        assert not WANTED, "no postgresql here, where it is wanted"
        pytest.skip("no postgresql here: apt-get install postgresql")
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user:  # it refuses to run as root
            shutil.chown(folder, **user)
        run = partial(
            subprocess.run, check=True, capture_output=True, cwd=folder, extra_groups=[] if user else None, **user
        )
        run([programs[-1] / "initdb", "-D", folder / "data", "-U", "tests", "--auth=trust", "-E", "UTF8"])
        options = f"-k {folder} -c listen_addresses=''"
        control = [programs[-1] / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log"]
        run([*control, "-o", options, "start"])
        try:
            yield f"postgresql+psycopg://tests@/postgres?host={folder}"
        finally:
            run([*control, "-m", "immediate", "stop"])


def job(name, **changes):
    return Job(name, "locate", "waiting", "me", "{}", 0.0, 0, time())._replace(**changes)


def test_a_job_comes_back_as_it_was(store, url):
    given = job("a", options='{"method": "ü"}', progress=0.25)
    store.add(given)
    store.close()
    again = Store(url)
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


@pytest.mark.slow
def test_a_service_that_keeps_its_jobs_in_postgresql(empty_database, tmp_path):
    with running(tmp_path / "s", database=empty_database) as service:
        until(lambda: service.get("/ready").status_code == 200, 120)
        job = service.post("/locate", files=sent(recording(tmp_path / "take.wav")), data=FAST).headers["location"]
    assert not list(tmp_path.rglob("*.sqlite"))
    with running(tmp_path / "s", database=empty_database) as service:
        assert service.get(f"{job}/result").json()["estimates"]


def test_in_a_folder_it_is_a_file(tmp_path):
    Store.in_folder(tmp_path).close()
    assert (tmp_path / "soundfix.sqlite").exists()
