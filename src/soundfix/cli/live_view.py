"""The screen of `soundfix listen`: redrawn where stderr is a terminal; elsewhere only sentences go there."""

from time import monotonic
from typing import TYPE_CHECKING

from soundfix.cli.terminal import say

if TYPE_CHECKING:
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
        self._drawn_s = float("-inf")
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        if self._live:
            self._live.start()

    def tell(self, answer: "StreamAnswer", *, missing: tuple[str, ...], dropped: int) -> None:
        """One more answer."""
        self._screen.tell(answer.estimate)
        if self._live is None or monotonic() - self._drawn_s < REDRAWN_S:
            return
        self._drawn_s = monotonic()
        from rich.text import Text

        gone = f", no sound from {', '.join(missing)}" if missing else ""
        lines = [f"{1000 * answer.latency_s:.0f} ms after the sound, {answer.skipped} windows skipped{gone}"]
        lines += [f"{dropped} lines dropped: the reader is slow"] if dropped else []
        width, height = self._console.width - 1, max(6, self._console.height - 8)
        self._live.update(
            Text("\n".join(self._screen.lines(*lines, *self._said, width=width, height=height))), refresh=True
        )

    def say(self, sentence: str) -> None:
        """What happens to the sound."""
        self._said = [*self._said, sentence][-SENTENCES:]
        if self._live is None:
            say(sentence)

    def close(self) -> None:
        """Leave the last screen as it is."""
        if self._live:
            self._live.stop()
