"""The screen of `soundfix listen`: redrawn where stderr is a terminal; elsewhere only sentences go there."""

from time import monotonic
from typing import TYPE_CHECKING

from soundfix.cli.terminal import say

if TYPE_CHECKING:
    from rich.live import Live

    from soundfix.microphones import Microphones
    from soundfix.scene import Room
    from soundfix.streaming.stream import StreamAnswer

REDRAWN_S = 0.1
SENTENCES = 3  # below the map, the last ones


class LiveView:
    """Answers come in by `tell`, sentences by `say`."""

    def __init__(self, microphones: "Microphones", room: "Room | None") -> None:
        from rich.console import Console
        from rich.live import Live

        from soundfix.report.live import LiveScreen

        self._console, self._screen = Console(stderr=True), LiveScreen(microphones=microphones, room=room)
        self._said: list[str] = []
        self._below: list[str] = []
        self._drawn_s = float("-inf")
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        if self._live:
            self._live.start()
            self._draw(self._live)

    def tell(self, answer: "StreamAnswer", *, missing: tuple[str, ...], dropped: int) -> None:
        """One more answer."""
        self._screen.tell(answer.estimate)
        gone = f", no sound from {', '.join(missing)}" if missing else ""
        self._below = [f"{1000 * answer.latency_s:.0f} ms after the sound, {answer.skipped} windows skipped{gone}"]
        self._below += [f"{dropped} lines dropped: the reader is slow"] if dropped else []
        if self._live and monotonic() - self._drawn_s >= REDRAWN_S:
            self._draw(self._live)

    def say(self, sentence: str) -> None:
        """What happens to the sound."""
        self._said = [*self._said, sentence][-SENTENCES:]
        if self._live is None:
            say(sentence)
        else:
            self._draw(self._live)

    def _draw(self, live: "Live") -> None:
        from rich.text import Text

        self._drawn_s = monotonic()
        width, height = self._console.width - 1, max(6, self._console.height - 8)
        lines = self._screen.lines(*self._below, *self._said, width=width, height=height)
        live.update(Text("\n".join(lines)), refresh=True)

    def close(self) -> None:
        """Leave the last screen."""
        if self._live:
            self._draw(self._live)
            self._live.stop()
