"""The service: what can be asked over HTTP. Made by `create`, run by `soundfix serve`.

request - Guard (guard.py) - upload (uploads.py) - Jobs (jobs.py) - Worker (workers.py) - tasks.py, in its own process
                   |                                 |
                   |                      Store (store.py): what was asked, what came out
                   AtOnce (at_once.py): short questions, answered and forgotten
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from prometheus_client import generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket

from soundfix import __version__
from soundfix.methods.catalog import CATALOG, DEFAULT
from soundfix.server import answers
from soundfix.server.at_once import STOP_S, AtOnce
from soundfix.server.guard import Guard, Refused, answer_to
from soundfix.server.jobs import Busy, Jobs
from soundfix.server.limits import Limits
from soundfix.server.lists import NoList, kept_list
from soundfix.server.live import Live
from soundfix.server.metrics import WAITING
from soundfix.server.openapi import declared
from soundfix.server.options import (
    FILES,
    READY,
    CalibrateForm,
    CheckForm,
    Listed,
    ListForm,
    LocateForm,
    PlanForm,
    Recording,
    WindowForm,
)
from soundfix.server.page import add_page
from soundfix.server.store import Store
from soundfix.server.uploads import checked_name, write_kept_list, write_list, write_sound

ABOUT = (
    "Recordings of scattered microphones in, places in metres out, with regions of uncertainty and what is wrong with the "
    "microphones. Documents are those of the command `soundfix ... --json`."
)
LARGEST_LIST, USUAL = 2**20, Limits()
Wait = Annotated[float, Query(ge=0, le=300, description="Seconds to wait for the result before 202 is answered.")]
JobId = Annotated[str, InPath(pattern="^[0-9a-f]{32}$")]
SetName = Annotated[str, InPath(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


def create(
    folder: Path, *, limits: Limits = USUAL, workers: int = 1, token: str | None = None, database: str | None = None
) -> FastAPI:
    """The application. folder: uploads and the database are kept there. token: that clients must show, if any. database: URL
    of SQLAlchemy, a SQLite file in the folder without it."""
    folder.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        store = Store(database) if database else Store.in_folder(folder)
        app.state.jobs = Jobs(store, folder / "jobs", limits, workers=workers)
        app.state.live = Live(store, limits)
        app.state.at_once = AtOnce(folder / "at-once", limits)
        app.state.jobs.start()
        second = Thread(target=_start_second, args=(app.state.jobs, app.state.at_once), daemon=True)
        second.start()
        try:
            yield
        finally:
            app.state.at_once.stop()
            await run_in_threadpool(app.state.jobs.stop)
            await run_in_threadpool(second.join, STOP_S)
            store.close()

    app = FastAPI(title="soundfix", version=__version__, description=ABOUT, lifespan=life)
    app.add_middleware(Guard, limits=limits, token=token)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(NoList, _no_list)
    for add in (_add_work, _add_at_once, _add_live, _add_jobs, _add_sets, _add_state, add_page):
        add(app)
    app.openapi = lambda: declared(app)  # type: ignore[method-assign]
    return app


def _start_second(jobs: Jobs, at_once: AtOnce) -> None:
    """Once a job has ended, so that the first recording has all processors, and who never moves a microphone all memory."""
    jobs.has_ended_one.wait()
    if not jobs.is_stopping:
        with suppress(RuntimeError):  # it is started again with the first question
            at_once.start()


def _add_work(app: FastAPI) -> None:
    """A recording is sent, and what comes of it is the answer, or a job to ask for later."""

    @app.post("/locate", responses=answers.WORK, tags=["recordings"])
    async def locate(request: Request, given: LocateForm, wait: Wait = 60.0) -> Response:
        """Where the sounds in a recording came from, and what is wrong with the microphones."""
        return await _work(request, "locate", given, wait)

    @app.post("/check", responses=answers.WORK, tags=["recordings"])
    async def check(request: Request, given: CheckForm, wait: Wait = 60.0) -> Response:
        """What an array can and can never tell, before you trust it."""
        return await _work(request, "check", given, wait)

    @app.post("/calibrate", responses=answers.WORK, tags=["recordings"])
    async def calibrate(request: Request, given: CalibrateForm, wait: Wait = 60.0) -> Response:
        """Where microphones really stand, and how their clocks run."""
        return await _work(request, "calibrate", given, wait)


async def _work(request: Request, kind: str, given: Recording, wait_s: float) -> Response:
    jobs: Jobs = request.app.state.jobs
    client = request.client.host if request.client else "?"
    jobs.room_for(client)
    name, folder = await run_in_threadpool(jobs.new_folder)
    try:
        await run_in_threadpool(_keep, given, folder, jobs)
        end = await run_in_threadpool(jobs.submit, name, kind, _options(given), client)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(end)), wait_s)
    return await run_in_threadpool(answers.of_job, jobs, name)


def _keep(given: Listed, folder: Path, jobs: Jobs) -> None:
    """Everything that was sent, in the folder of its job."""
    if isinstance(given, Recording):
        write_sound(given.audio, folder, jobs.limits)
    kept = kept_list(jobs.store, given.microphones, given.microphone_set)
    if kept is not None:
        write_kept_list(*kept, folder)
    elif given.microphones is not None:
        write_list(given.microphones, folder)


def _options(given: Listed) -> dict[str, Any]:
    return {name: value for name, value in given if name not in FILES and value is not None}


def _add_at_once(app: FastAPI) -> None:
    """Short questions, for whoever moves a microphone and looks what happens: nothing of them is kept."""

    @app.post("/window", responses=answers.AT_ONCE, tags=["at once"])
    def window(request: Request, given: WindowForm) -> Response:
        """Where the sounds in a moment came from: all that is sent is one window."""
        return _at_once(request, "window", given)

    @app.post("/likelihood", responses=answers.AT_ONCE, tags=["at once"])
    def likelihood(request: Request, given: WindowForm) -> Response:
        """The curves of its pairs: at any place, the mean of their values at its range differences."""
        return _at_once(request, "likelihood", given)

    @app.post("/plan", responses=answers.AT_ONCE, tags=["at once"])
    def plan(request: Request, given: PlanForm) -> Response:
        """What an array that is to be will tell, and what it will not: as /check, without a recording."""
        return _at_once(request, "plan", given)


def _at_once(request: Request, kind: str, given: Listed) -> Response:
    jobs: Jobs = request.app.state.jobs
    asked: AtOnce = request.app.state.at_once
    return answers.of_outcome(asked.ask(kind, lambda folder: _keep(given, folder, jobs), _options(given)))


def _add_live(app: FastAPI) -> None:
    """Sound while it is made."""

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.app.state.live.serve(socket)


def _add_jobs(app: FastAPI) -> None:
    """What became of it."""

    @app.get("/jobs/{job}", responses=answers.JOB, tags=["jobs"])
    def job(request: Request, job: JobId) -> answers.JobStatus:
        """How far it is."""
        return answers.status_of(answers.found(request.app.state.jobs, job))

    @app.get("/jobs/{job}/result", responses=answers.WORK, tags=["jobs"])
    def result(request: Request, job: JobId) -> Response:
        """The document; 202 while it is not there yet."""
        return answers.of_job(request.app.state.jobs, job)

    @app.get("/jobs/{job}/estimates", responses=answers.JOB, tags=["jobs"])
    def estimates(request: Request, job: JobId, after: Annotated[int, Query(ge=0)] = 0) -> Response:
        """Its estimates so far but the first `after` ones, while it runs (then they are in its document); whether its sound
        is there."""
        return answers.so_far(request.app.state.jobs, job, after)

    @app.get("/jobs/{job}/sound", responses=answers.SOUND, response_class=FileResponse, tags=["jobs"])
    def sound(request: Request, job: JobId) -> Response:
        """What was heard of each microphone, in the order of the list, where `sound` asked for it: WAV, 32-bit floats."""
        return answers.heard_in(request.app.state.jobs, job)

    @app.delete("/jobs/{job}", status_code=204, responses=answers.JOB, tags=["jobs"])
    def remove(request: Request, job: JobId) -> None:
        """End it, and forget what came of it."""
        answers.found(request.app.state.jobs, job)
        request.app.state.jobs.cancel(job)


def _add_sets(app: FastAPI) -> None:
    """Lists of microphones that are kept, so that they need not be sent with every recording."""

    @app.get("/microphones", tags=["lists of microphones"])
    def names(request: Request) -> list[str]:
        """Their names."""
        found: list[str] = request.app.state.jobs.store.sets()
        return found

    @app.put("/microphones/{name}", status_code=204, responses=answers.LIST, tags=["lists of microphones"])
    def keep(request: Request, name: SetName, given: ListForm) -> None:
        """Keep one under this name, instead of one of before."""
        content = given.file.file.read(LARGEST_LIST + 1)
        if len(content) > LARGEST_LIST:
            raise HTTPException(413, f"a list of more than {LARGEST_LIST // 2**20} MiB")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise HTTPException(422, "the list is no text in UTF-8") from None
        request.app.state.jobs.store.keep_set(name, checked_name(given.file.filename), text)

    @app.delete("/microphones/{name}", status_code=204, responses=answers.JOB, tags=["lists of microphones"])
    def drop(request: Request, name: SetName) -> None:
        """Forget it."""
        if not request.app.state.jobs.store.drop_set(name):
            raise HTTPException(404, f"no list of microphones is called {name!r}")


def _add_state(app: FastAPI) -> None:
    """What the service can do, and how it is."""

    @app.get("/methods", tags=["service"])
    def methods() -> list[dict[str, Any]]:
        """That `method` takes."""
        return [{"name": name, "summary": CATALOG[name].summary, "is_default": name == DEFAULT} for name in READY]

    @app.get("/health", tags=["service"])
    def health() -> dict[str, str]:
        """Whether it runs."""
        return {"status": "ok", "version": __version__}

    @app.get("/ready", responses=answers.BUSY, tags=["service"])
    def ready(request: Request) -> dict[str, Any]:
        """Whether a job would begin: the database answers, and a worker has loaded its network."""
        jobs: Jobs = request.app.state.jobs
        if not jobs.is_ready or not jobs.store.is_there():
            raise HTTPException(503, "workers are starting", {"Retry-After": "2"})
        return {"status": "ready", "jobs": jobs.waiting}

    @app.get("/metrics", tags=["service"], response_class=PlainTextResponse)
    def metrics(request: Request) -> Response:
        """For Prometheus."""
        WAITING.set(request.app.state.jobs.waiting)
        return Response(generate_latest(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    return answer_to(refused)


async def _no_list(request: Request, error: Exception) -> Response:
    assert isinstance(error, NoList)
    return JSONResponse({"detail": str(error)}, error.status)


async def _busy(request: Request, busy: Exception) -> Response:
    assert isinstance(busy, Busy)
    return JSONResponse({"detail": f"{busy}: try again later"}, 429 if busy.is_client else 503, {"Retry-After": "10"})
