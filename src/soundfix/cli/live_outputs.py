"""Who is told what `soundfix listen` hears: readers of lines, viewers, the screen."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from soundfix.cli.terminal import say
from soundfix.errors import OutputError

if TYPE_CHECKING:
    from soundfix.scene import Room
    from soundfix.streaming.stream import Stream, StreamAnswer


class Outputs(NamedTuple):
    """Files, and addresses of viewers."""

    json: Path | None
    csv: Path | None
    odas: str | None
    odas_potential: str | None

    def check(self, inputs: list[Path]) -> None:
        """That they can be written is found out before the work."""
        from soundfix.report.outputs import check_targets, is_standard

        if any(path and is_standard(path) for path in (self.json, self.csv)):
            raise OutputError("- is standard output, which has a line of JSON an answer; wanted the name of a file")
        check_targets([path for path in (self.json, self.csv) if path], inputs)


class Teller:
    """JSON lines on standard output unless that is a terminal, ODAS messages, and the screen where stderr is one."""

    def __init__(self, stream: "Stream", outputs: Outputs, room: "Room | None") -> None:
        from soundfix.cli.live_view import LiveView
        from soundfix.streaming.outlet import Outlet, TcpWriter, to_file

        self._stream, self._number = stream, 0
        self._lines = None if sys.stdout.isatty() else Outlet(to_file(sys.stdout))
        self._viewers = [TcpWriter(address) for address in (outputs.odas, outputs.odas_potential) if address]
        self._tracked = Outlet(self._viewers[0]) if outputs.odas else None
        self._potential = Outlet(self._viewers[-1]) if outputs.odas_potential else None
        self._view = LiveView(stream.microphones, room)

    @property
    def is_gone(self) -> bool:
        """Whether nobody reads the lines any more, as after `| head`."""
        return self._lines is not None and self._lines.is_gone

    def tell(self, answer: "StreamAnswer") -> None:
        from soundfix.report.odas import potential_line, tracked_line

        estimate, self._number = answer.estimate, self._number + 1 + answer.skipped
        if self._lines:
            self._lines.put(json.dumps(answer.to_dict(), allow_nan=False))
        if self._tracked:
            self._tracked.put(tracked_line(estimate, self._stream.microphones, self._number))
        if self._potential:
            self._potential.put(potential_line(estimate, self._stream.microphones, self._number))
        self._view.tell(answer, missing=self._stream.missing, dropped=self._lines.dropped if self._lines else 0)

    def warn(self, sentence: str, once: set[str] | None = None) -> None:
        """A sentence to stderr; of those in `once` each only the first time."""
        if once is None or sentence not in once:
            self._view.say(sentence)
        if once is not None:
            once.add(sentence)

    def close(self) -> None:
        self._view.close()
        for outlet in (self._lines, self._tracked, self._potential):
            if outlet:
                outlet.close()
                if outlet.dropped and not (outlet is self._lines and self.is_gone):
                    say(f"lines that were dropped, for a reader was too slow, or gone: {outlet.dropped}")
        for viewer in self._viewers:
            viewer.close()
