"""What is heard now, as a screen of plain text: a map seen from above, the answer, and the microphones.

On the map: o a microphone, x one that something is wrong with, 1 2 3 ... sources by their tracks, * one of no track (yet),
. where they were before; x goes to the right, y upwards.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Estimate
from soundfix.microphones import Microphones
from soundfix.report.text import describe
from soundfix.scene import Room, search_box

TRAIL = 50  # places
CHARACTER = 2.0  # a character is so much higher than wide
WIDEST, HIGHEST = 72, 20


@dataclass(kw_only=True, eq=False)
class LiveScreen:
    """Answers come in by `tell`; `lines` is the screen. room: drawn, if it was told."""

    microphones: Microphones
    room: Room | None = None
    _estimate: Estimate | None = None
    _trail: deque[Float[np.ndarray, "3"]] = field(default_factory=lambda: deque(maxlen=TRAIL))

    def tell(self, estimate: Estimate) -> None:
        """One more answer."""
        self._estimate = estimate
        self._trail.extend(source.position_m for source in estimate.sources)

    def lines(self, *told: str, width: int = WIDEST, height: int = HIGHEST) -> list[str]:
        """The screen, so many characters at most; told: lines below it."""
        answer = describe(self._estimate) if self._estimate else "nothing yet"
        return [*self._map(width, height), answer[:width], *self._states(width), *(line[:width] for line in told)]

    def _map(self, width: int, height: int) -> list[str]:
        box = search_box(self.microphones, self.room)[:, :2]
        span = np.maximum(box[1] - box[0], 1e-3)
        scale = min((width - 3) / span[0], CHARACTER * (height - 3) / span[1])  # characters a metre, across
        columns, rows = max(1, int(span[0] * scale)), max(1, int(span[1] * scale / CHARACTER))
        grid = [[" "] * (columns + 1) for _ in range(rows + 1)]

        def put(place: np.ndarray, mark: str) -> None:
            share = (place[:2] - box[0]) / span
            if (share >= 0).all() and (share <= 1).all():
                row, column = round((1 - share[1]) * rows), round(share[0] * columns)
                marks = mark[-columns - 1 :]
                first = min(column, columns + 1 - len(marks))
                grid[row][first : first + len(marks)] = marks

        for place in self._trail:
            put(place, ".")
        self._mark(put)
        edge = "+" + "-" * (columns + 1) + "+"
        return [edge, *("|" + "".join(row) + "|" for row in grid), edge]

    def _mark(self, put: Callable[[np.ndarray, str], None]) -> None:
        wrong = self._wrong()
        for name, place, known in zip(
            self.microphones.names, self.microphones.positions, self.microphones.is_known, strict=True
        ):
            if known:
                put(place, "x" if name in wrong else "o")
        for source in self._estimate.sources if self._estimate else ():
            put(source.position_m, str(source.track or "*"))

    def _wrong(self) -> dict[str, str]:
        reports = self._estimate.microphones if self._estimate else ()
        return {report.name: report.status for report in reports if report.status != "ok"}

    def _states(self, width: int) -> list[str]:
        wrong = self._wrong()
        count = len(self.microphones)
        states = ", ".join(f"{name} {status}" for name, status in wrong.items())
        return [f"microphones: {count - len(wrong)} of {count} ok{': ' if states else ''}{states}"[:width]]
