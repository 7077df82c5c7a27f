"""A job: what somebody asked for, and how far it is."""

from typing import NamedTuple

ENDED = ("done", "failed")
SOUND, LIST = "audio", "microphones"  # folders in that of a job
HEARD = "heard.wav"  # beside them: what was heard of each microphone


class Job(NamedTuple):
    """One line of the store.

    kind: locate, check or calibrate. state: waiting, running, done, failed. client: who asked. options: as JSON. progress: 0
    to 1. attempts: how often it was begun. created_s, ended_s: seconds since 1970. status, sentence: of a failure, as HTTP
    has it.
    """

    id: str
    kind: str
    state: str
    client: str
    options: str
    progress: float
    attempts: int
    created_s: float
    ended_s: float | None = None
    status: int = 200
    sentence: str = ""

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED
