"""A service to ask, with its real worker or with one that answers at once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import soundfile
from starlette.testclient import TestClient

from helpers.scenes import anechoic_scene
from soundfix.server import at_once, jobs, tasks, workers
from soundfix.server.app import create
from soundfix.server.limits import Limits
from soundfix.server.workers import Outcome, Worker

PLACES_M = np.array([[0, 0, 1], [4, 0, 2], [4, 3, 1], [0, 3, 2], [2, 0, 0.5], [2, 3, 2.5]], float)
TALKER_M = np.array([1.4, 2.1, 1.3])
LIST = "name,x,y,z\n" + "".join(f"m{k},{x},{y},{z}\n" for k, (x, y, z) in enumerate(PLACES_M))
FAST = {"method": "srp-phat"}


def recording(path: Path, *, seconds: float = 1.0, source=TALKER_M, seed: int = 0, level: float = 1.0) -> Path:
    """Of someone in the open, at 16 kHz."""
    scene = anechoic_scene(PLACES_M, source, np.random.default_rng(seed), seconds=seconds)
    soundfile.write(path, level * scene.audio.T, 16000, subtype="FLOAT")
    return path


def sent(path: Path, listed: str = LIST, **more) -> list:
    """The files of a request."""
    return [
        ("audio", (path.name, path.read_bytes())),
        ("microphones", ("microphones.csv", listed.encode())),
        *more.items(),
    ]


class Instant(Worker):
    """A worker that says which job it was given, or what `answer` makes of it."""

    def __init__(self, limits: Limits, answer: Callable[..., Outcome] | None = None) -> None:
        super().__init__(limits)
        self.answer, self.has_started = answer, False

    @property
    def is_ready(self) -> bool:
        return self.has_started

    def start(self) -> None:
        self.has_started = True

    def stop(self) -> None:
        self.has_started = False

    def do(self, kind, folder, options, *, tell, is_cancelled):
        if self.answer:
            return self.answer(kind, folder, options, tell, is_cancelled)
        names = sorted(each.name for each in (folder / "audio").iterdir())
        return Outcome(document=json.dumps({"kind": kind, "audio": names, "options": options}))


@contextmanager
def running(folder: Path, **given) -> Iterator[TestClient]:
    """Until the end of the `with`."""
    with TestClient(create(folder, **given), base_url="http://127.0.0.1") as client:
        yield client


@contextmanager
def instant(monkeypatch, folder: Path, answer=None, **given) -> Iterator[TestClient]:
    """The same, with workers that need no time."""
    for module in (jobs, at_once):
        monkeypatch.setattr(module, "Worker", lambda limits, **_: Instant(limits, answer))
    with running(folder, **given) as client:
        yield client


def in_this_process(limits: Limits) -> Callable[..., Outcome]:
    """What a worker answers, without the seconds until one has started."""

    def answer(kind, folder, options, tell, is_cancelled):
        outcome = workers._heard(workers._done(tasks, (kind, folder, options), limits, tell), tell)
        assert outcome is not None
        return outcome

    return answer


@contextmanager
def serving(folder: Path, *, waits: bool = True, **environment) -> Iterator[tuple[subprocess.Popen, httpx.Client]]:
    """A process of `soundfix serve`, and a client of it; with a port of its own, and ready if anybody `waits`."""
    words = [sys.executable, "-m", "soundfix", "serve", "--folder", folder, "--port", "0"]
    environ = os.environ | {"PYTHONUNBUFFERED": "1"} | environment
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, text=True)
    client = httpx.Client(base_url=process.stdout.readline().strip(), timeout=120)
    try:
        if waits:
            until(lambda: _is_ready(client), 120)
        yield process, client
    finally:
        process.kill()
        process.communicate()
        client.close()


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/ready").status_code == 200
    except httpx.TransportError:
        return False


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for what comes soon."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)
