"""What the service answers: documents of jobs, how far a job is, and what is declared of both in the OpenAPI document."""

import json
from typing import Any

from fastapi import HTTPException, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel

from soundfix.server.job import Job
from soundfix.server.jobs import Jobs
from soundfix.server.workers import Outcome


class JobStatus(BaseModel):
    """state: waiting, running, done, failed. progress: 0 to 1. created_s, ended_s: seconds since 1970. detail: of a failure.
    result: where the document is, or will be."""

    id: str
    kind: str
    state: str
    progress: float
    created_s: float
    ended_s: float | None
    detail: str
    result: str


class Problem(BaseModel):
    """What is wrong, in a sentence."""

    detail: str | list[Any]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem} for status in statuses}


DOCUMENT: dict[str, Any] = {
    "description": "The document, as `soundfix ... --json` writes it.",
    "content": {
        "application/json": {"schema": {"type": "object"}, "example": {"method": "three-stream", "estimates": []}}
    },
}
LATER: dict[str, Any] = {"model": JobStatus, "description": "Not yet: ask for the job again."}
WORK = {200: DOCUMENT, 202: LATER} | _problems(400, 401, 404, 408, 410, 413, 422, 429, 500, 503)
AT_ONCE = {200: DOCUMENT} | _problems(400, 401, 404, 408, 413, 422, 429, 500, 503)
JOB = _problems(401, 404)
SOUND: dict[int | str, dict[str, Any]] = {200: {"content": {"audio/wav": {}}}, **JOB}
LIST = _problems(400, 401, 408, 413, 422)
BUSY = _problems(503)


def found(jobs: Jobs, name: str) -> Job:
    """The job of this id; 404 where there is none."""
    job = jobs.store.job(name)
    if job is None:
        raise HTTPException(404, "no such job: was it removed, or is it older than jobs are kept?")
    return job


def status_of(job: Job) -> JobStatus:
    """How far it is."""
    return JobStatus(
        id=job.id, kind=job.kind, state=job.state, progress=job.progress, created_s=job.created_s, ended_s=job.ended_s,
        detail=job.sentence, result=f"/jobs/{job.id}/result",
    )  # fmt: skip


def of_job(jobs: Jobs, name: str) -> Response:
    """Its document; 202 with how far it is; or its failure."""
    job = found(jobs, name)
    headers = {"Location": f"/jobs/{name}", "X-Job": name}
    if not job.has_ended:
        return JSONResponse(status_of(job).model_dump(), 202, headers | {"Retry-After": "1"})
    if job.state == "failed":
        return JSONResponse({"detail": job.sentence}, job.status, headers)
    return Response(jobs.store.document(name), media_type="application/json", headers=headers)


def of_outcome(outcome: Outcome) -> Response:
    """What came out of a question that is not kept."""
    if outcome.document is None:
        return JSONResponse({"detail": outcome.sentence}, outcome.status)
    return Response(outcome.document, media_type="application/json")


def so_far(jobs: Jobs, name: str, after: int) -> Response:
    """The estimates of a job that runs, and how far it is."""
    job, said = found(jobs, name), jobs.said(name, after)
    head = {"state": job.state, "progress": job.progress, "sound": jobs.sound_of(name) is not None}
    return Response(f'{json.dumps(head)[:-1]}, "estimates": [{", ".join(said)}]}}', media_type="application/json")


def heard_in(jobs: Jobs, name: str) -> Response:
    """The sound of a job; 404 where none is kept."""
    found(jobs, name)
    path = jobs.sound_of(name)
    if path is None:
        raise HTTPException(404, "no sound is kept: was it asked for, is it too long, or older than sound is kept?")
    return FileResponse(path, media_type="audio/wav")
