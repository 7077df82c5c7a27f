"""What the service takes upon itself, and what it refuses."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """upload_bytes: of one request. files: in it. sound_s, channels: of a recording. work_s: that a job may take,
    memory_bytes that its process may have. waiting: jobs in the queue; a_client: of those, from one address. live: sockets
    at once. at_once: short questions that wait. idle_s: without a byte from a client that has not sent all; sending_s: until
    it has. keep_days: results are there for so long. heard_bytes: of the sound that is kept, where that is asked for, for
    sound_days. window_s: the longest window that is answered at once; at_once_s: that it may take.
    """

    upload_bytes: int = 512 * 2**20
    files: int = 128
    sound_s: float = 3600.0
    channels: int = 256
    work_s: float = 1800.0
    memory_bytes: int = 6 * 2**30
    waiting: int = 256
    a_client: int = 64
    live: int = 4
    at_once: int = 16
    idle_s: float = 30.0
    sending_s: float = 600.0
    keep_days: float = 30.0
    heard_bytes: int = 256 * 2**20
    sound_days: float = 1.0
    window_s: float = 60.0
    at_once_s: float = 60.0
