"""Short questions: answered in turn, kept nowhere, and refused where too many wait."""

import json
import threading

import pytest

from helpers.service import Instant, until
from soundfix.server import at_once
from soundfix.server.at_once import AtOnce
from soundfix.server.jobs import Busy
from soundfix.server.limits import Limits
from soundfix.server.workers import Outcome


@pytest.fixture
def asked(monkeypatch, tmp_path):
    def make(answer=None, **limits):
        monkeypatch.setattr(at_once, "Worker", lambda limits, compiles: Instant(limits, answer))
        return AtOnce(tmp_path / "at-once", Limits(**limits))

    return make


def keep(folder):
    for name in ("audio", "microphones"):
        (folder / name).mkdir()
    (folder / "audio" / "take.wav").write_bytes(b"sound")


def test_an_answer_leaves_nothing_behind(asked, tmp_path):
    (tmp_path / "at-once" / "old").mkdir(parents=True)
    once = asked()
    outcome = once.ask("window", keep, {"method": "srp-phat"})
    assert json.loads(outcome.document) == {"kind": "window", "audio": ["take.wav"], "options": {"method": "srp-phat"}}
    assert list((tmp_path / "at-once").iterdir()) == []


def test_what_cannot_be_kept_is_not_asked(asked, tmp_path):
    def refuse(folder):
        raise ValueError("no list")

    once = asked(at_once=1)
    for _ in range(3):  # nobody waits afterwards
        with pytest.raises(ValueError, match="no list"):
            once.ask("window", refuse, {})
    assert list((tmp_path / "at-once").iterdir()) == []


def test_one_after_another_and_no_more_than_so_many(asked):
    inside, most, go = [], [], threading.Event()

    def slow(kind, folder, options, tell, is_cancelled):
        inside.append(options["n"])
        most.append(len(inside))
        go.wait(60)
        inside.pop()
        return Outcome(document=str(options["n"]))

    once, said = asked(slow, at_once=3), {}
    threads = [
        threading.Thread(target=lambda n=n: said.update({n: once.ask("window", keep, {"n": n}).document}))
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    until(lambda: once._waiting == 3)
    with pytest.raises(Busy, match="too many others"):
        once.ask("window", keep, {"n": 3})
    go.set()
    for thread in threads:
        thread.join()
    assert said == {0: "0", 1: "1", 2: "2"}
    assert max(most) == 1


def test_who_waits_too_long_is_told(asked, monkeypatch):
    monkeypatch.setattr(at_once, "PATIENCE_S", 0.05)
    go, begun = threading.Event(), threading.Event()

    def slow(*_):
        begun.set()
        go.wait(60)
        return Outcome(document="")

    once = asked(slow)
    thread = threading.Thread(target=lambda: once.ask("window", keep, {}))
    thread.start()
    begun.wait(60)
    with pytest.raises(Busy, match="takes long"):
        once.ask("window", keep, {})
    go.set()
    thread.join()


def test_at_its_end_it_answers_no_more(asked):
    once = asked()
    once.start()
    assert once.worker.is_ready
    once.stop()
    assert not once.worker.is_ready
    assert once.ask("window", keep, {}).status == 503
    once.start()
    assert not once.worker.is_ready


def test_its_process_is_warm_before_the_first_question(asked):
    seen = []

    def note(kind, folder, options, tell, is_cancelled):
        seen.append((kind, [each.name for each in (folder / "audio").iterdir()]))
        return Outcome(document="")

    asked(note).start()
    assert seen == [("locate", ["walk.flac"])]


def test_a_process_that_does_not_start(asked):
    def broken(*_):
        raise RuntimeError("a worker did not start")

    outcome = asked(broken).ask("window", keep, {})
    assert (outcome.status, outcome.sentence) == (503, "a worker did not start")


def test_nobody_keeps_it_for_long(asked):
    assert asked(at_once_s=7.0, work_s=99.0).worker.limits.work_s == 7.0
