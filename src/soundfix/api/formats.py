"""What `soundfix.locate` and the command tell writers of other programs' formats (report/formats.py)."""

from soundfix.api.request import LocateRequest
from soundfix.files.events.reading import EventTable
from soundfix.files.take import Take
from soundfix.report.recorded import Listener, Recorded


def recorded(request: LocateRequest, table: EventTable | None = None, listener: Listener | None = None) -> Recorded:
    """Of a request; table: of its events."""
    sound = request.sound
    return Recorded(
        microphones=sound.microphones,
        take=sound if isinstance(sound, Take) else None,
        table=table,
        hop_s=request.span_s[1] if request.events is None else None,
        room=request.room,
        speed_m_s=request.speed,
        listener=listener,
    )
