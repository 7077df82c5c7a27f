"""The queue: jobs wait in the order in which they came, each worker takes the next, and what came out is kept."""

import json
import secrets
import shutil
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from time import time
from typing import Any

from soundfix.server.job import HEARD, LIST, SOUND, Job
from soundfix.server.limits import Limits
from soundfix.server.logs import log
from soundfix.server.metrics import JOBS_ENDED, SECONDS
from soundfix.server.store import DAY_S, Store
from soundfix.server.workers import Outcome, Worker

MOST_ATTEMPTS = 2  # a job whose worker, or service, ended twice is not begun again
HOUR_S = 3600.0


class Busy(Exception):
    """No more is taken now. is_client: of this client; else of anybody."""

    def __init__(self, sentence: str, *, is_client: bool = False) -> None:
        super().__init__(sentence)
        self.is_client = is_client


class Jobs:
    """folder: uploads are kept there, a folder a job, until their job has ended."""

    def __init__(self, store: Store, folder: Path, limits: Limits, *, workers: int = 1) -> None:
        self.store, self.folder, self.limits = store, folder, limits
        self.workers = [Worker(limits) for _ in range(workers)]
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._lock, self._stopping, self.has_ended_one = Lock(), Event(), Event()
        self._ends: dict[str, Future[None]] = {}
        self._clients: dict[str, str] = {}
        self._said: dict[str, list[str]] = {}
        self._cancelled: set[str] = set()
        self._threads = [Thread(target=self._serve, args=(each,), daemon=True) for each in self.workers]

    def start(self) -> None:
        """Begin with what an earlier service left; workers start beside."""
        self.tidy()
        for job in self.store.unfinished():
            self._take(job)
        self._drop_strangers()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more jobs are begun; what runs is killed, and begun again by the next service."""
        self._stopping.set()
        self.has_ended_one.set()  # whoever waits for it waits no more
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    @property
    def is_ready(self) -> bool:
        """Whether somebody would begin at once."""
        return any(each.is_ready for each in self.workers)

    @property
    def is_stopping(self) -> bool:
        """Whether nothing begins any more."""
        return self._stopping.is_set()

    @property
    def waiting(self) -> int:
        """Jobs that have not ended."""
        with self._lock:
            return len(self._ends)

    def room_for(self, client: str) -> None:
        """Raises Busy where one more of this client would be too many."""
        with self._lock:
            if len(self._ends) >= self.limits.waiting:
                raise Busy("too many jobs are waiting")
            if Counter(self._clients.values())[client] >= self.limits.a_client:
                raise Busy("you have too many jobs waiting", is_client=True)

    def new_folder(self) -> tuple[str, Path]:
        """The id of a job that is to come, and a folder for what was sent."""
        name = secrets.token_hex(16)
        folder = self.folder / name
        folder.mkdir(parents=True)
        return name, folder

    def submit(self, name: str, kind: str, options: Mapping[str, Any], client: str) -> "Future[None]":
        """Put it into the queue; done when the job has ended. Raises Busy."""
        self.room_for(client)
        job = Job(name, kind, "waiting", client, json.dumps(options), 0.0, 0, time())
        self.store.add(job)
        log("waiting", job=name, kind=kind, client=client)
        return self._take(job)

    def cancel(self, name: str) -> None:
        """It is gone, with its result; what works on it stops soon."""
        with self._lock:
            if name in self._ends:
                self._cancelled.add(name)
        self.discard([name])

    def discard(self, names: list[str]) -> None:
        """All of these jobs."""
        self.store.remove(names)
        for name in names:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def tidy(self) -> None:
        """What is older than it is kept is gone; sound sooner than results."""
        if old := self.store.older_than(self.limits.keep_days):
            self.discard(old)
        for sound in self.folder.glob(f"*/{HEARD}"):
            if sound.stat().st_mtime < time() - self.limits.sound_days * DAY_S and sound.parent.name not in self._ends:
                shutil.rmtree(sound.parent, ignore_errors=True)

    def sound_of(self, name: str) -> Path | None:
        """What was heard, where it is kept."""
        path = self.folder / name / HEARD
        return path if path.exists() else None

    def _take(self, job: Job) -> "Future[None]":
        end: Future[None] = Future()
        with self._lock:
            self._ends[job.id], self._clients[job.id] = end, job.client
        self._queue.put(job.id)
        return end

    def _drop_strangers(self) -> None:
        """Folders of uploads that never became a job."""
        known = set(self._ends)
        for folder in self.folder.iterdir() if self.folder.exists() else ():
            if folder.name not in known and not (folder / HEARD).exists():
                shutil.rmtree(folder, ignore_errors=True)

    def _serve(self, worker: Worker) -> None:
        """The life of the thread that tells one worker what to do."""
        tidied_s = time()
        with suppress(RuntimeError):  # it is started again with the first job
            worker.start()
        while (name := self._queue.get()) is not None and not self._stopping.is_set():
            try:
                self._run(name, worker)
            except Exception as error:  # such as a database that is gone: the next job may find it again
                log("error", job=name, error=repr(error))
            self._forget(name)
            if time() - tidied_s > HOUR_S:
                self.tidy()
                tidied_s = time()
        worker.stop()

    def _run(self, name: str, worker: Worker) -> None:
        job = self.store.job(name)
        if job is None:
            return
        started_s = time()
        outcome = self._outcome(job, worker)
        if self._stopping.is_set() and outcome.document is None:  # it is begun again by the next service
            self.store.change(name, state="waiting", attempts=job.attempts)
        else:
            self._ended(job, outcome, time() - started_s)

    def _forget(self, name: str) -> None:
        """Whoever waits for it is told."""
        with self._lock:
            end = self._ends.pop(name)
            del self._clients[name]
            self._said.pop(name, None)
            self._cancelled.discard(name)
        self.has_ended_one.set()
        end.set_result(None)

    def _outcome(self, job: Job, worker: Worker) -> Outcome:
        if job.attempts >= MOST_ATTEMPTS:
            return Outcome(
                status=500, sentence=f"given up: it was begun {job.attempts} times, and never came to an end"
            )
        self.store.change(job.id, state="running", attempts=job.attempts + 1)
        self._said[job.id] = []
        try:
            return worker.do(
                job.kind, self.folder / job.id, json.loads(job.options),
                tell=lambda what, said: self._told(job.id, what, said),
                is_cancelled=lambda: job.id in self._cancelled or self._stopping.is_set(),
            )  # fmt: skip
        except RuntimeError as error:
            return Outcome(status=503, sentence=str(error))

    def _told(self, name: str, what: str, said: Any) -> None:
        if what == "progress":
            self.store.change(name, progress=said)
        else:
            self._said[name].append(said)

    def said(self, name: str, after: int) -> list[str]:
        """Of a job that runs: its estimates so far but the first ones, as JSON. They are not kept."""
        return self._said.get(name, [])[after:]

    def _ended(self, job: Job, outcome: Outcome, seconds: float) -> None:
        """Keep what came out; of a job that was cancelled meanwhile there is nothing to keep it for."""
        self.store.end(job.id, document=outcome.document, status=outcome.status, sentence=outcome.sentence)
        folder = self.folder / job.id
        keeps_sound = outcome.document is not None and (folder / HEARD).exists()
        for part in (folder / SOUND, folder / LIST) if keeps_sound else (folder,):
            shutil.rmtree(part, ignore_errors=True)
        JOBS_ENDED.labels(job.kind, str(outcome.status)).inc()
        SECONDS.labels(job.kind).observe(seconds)
        told = {"status": outcome.status, "sentence": outcome.sentence, "seconds": round(seconds, 3)}
        log("ended", job=job.id, kind=job.kind, **told)
