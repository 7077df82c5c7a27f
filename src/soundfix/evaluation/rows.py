"""What is noted of every window and method, a line of JSON each, and read again when a run goes on."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from soundfix.atomic import refused
from soundfix.evaluation.metrics import Score

NAME = "windows.jsonl"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One method's answer to one window. labels: of the part of the test set. moment: which clip of that part.

    Metres; seconds: the method took so long. reasons: of the estimate; beside_m: where other things sound; told: the place
    of the source was (none in files of before these were noted).
    """

    clip: int
    moment: int
    labels: dict[str, str]
    sources: int
    window_s: float
    microphones: int
    unknown: int
    fault: str
    rt60_s: float | None
    snr_db: float | None
    method: str
    verdict: str
    score: Score
    true_m: list[list[float]]
    said_m: list[list[float]]
    seconds: float
    reasons: Sequence[str] = ()
    beside_m: Sequence[list[float]] = ()
    told: bool = False

    @property
    def recording(self) -> tuple:
        """What windows that are no independent draws have in common."""
        return *self.labels.values(), self.moment

    @property
    def condition(self) -> dict[str, Any]:
        """What was varied."""
        names = ("sources", "window_s", "microphones", "unknown", "fault", "told")
        return {name: getattr(self, name) for name in names}


@dataclass
class RowFile:
    """Lines appended clip by clip; a line that was cut short, and the clip it belongs to, are forgotten."""

    path: Path
    _done: set[tuple[int, int]] = field(default_factory=set)

    def read(self) -> list[Row]:
        """Rows of clips that are whole."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        rows: list[Row] = []
        clip: list[Row] = []
        for line in lines:
            entry = _parsed(line)
            if entry is None:
                clip = []
            elif entry.keys() == {"sources", "done"}:
                self._done.add((entry["sources"], entry["done"]))
                rows += clip
                clip = []
            else:
                read = {"score": Score(**_score(entry["score"])), "reasons": tuple(entry.get("reasons", ()))}
                clip.append(Row(**entry | read))
        return rows

    def is_done(self, sources: int, clip: int) -> bool:
        return (sources, clip) in self._done

    def append(self, sources: int, clip: int, rows: Iterable[Row]) -> None:
        """All rows of one clip, and that these are all. Raises OutputError where the system refuses."""
        lines = [json.dumps(_entry(row)) for row in rows]
        lines.append(json.dumps({"sources": sources, "done": clip}))
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n" + "\n".join(lines) + "\n")
        except OSError as error:
            raise refused(
                self.path, error, kept="clips that are done are kept, and the same command goes on"
            ) from error


def _entry(row: Row) -> dict[str, Any]:
    return asdict(row) | {"score": row.score._asdict()}


def _score(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"microphones_m": tuple(entry["microphones_m"])}


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def grouped(rows: Iterable[Row], *names: str) -> Iterator[tuple[tuple, list[Row]]]:
    """Rows by the values of these fields, in the order in which the values first appear."""
    found: dict[tuple, list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(getattr(row, name) for name in names), []).append(row)
    yield from found.items()
