"""What became of an archive: how much was heard, what was answered, and what was left out and why."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from soundfix.archive.inventory import Inventory, LeftOut
from soundfix.archive.pieces import TimeLine
from soundfix.archive.work import Located
from soundfix.atomic import atomic_path

NAME = "report.json"
MOST_SHOWN = 8  # lines of one kind on a terminal; the file has all
PASSED_OVER = "passed_over"


@dataclass(kw_only=True)
class Report:
    """recorders: hours of sound and files of each. left_out: files, recorders and events, and why. troubles: pieces that
    could not be located, which the next run tries again. silences: of microphones, in words.

    heard_s, seconds: of sound that this run located (over all microphones), and what that took. audio_s: of all runs.
    """

    recorders: dict[str, dict[str, Any]]
    left_out: list[LeftOut]
    starts_at: str
    troubles: list[LeftOut] = field(default_factory=list)
    silences: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    pieces: int = 0
    audio_s: float = 0.0
    heard_s: float = 0.0
    seconds: float = 0.0

    @property
    def has_zone(self) -> bool:
        """Whether times say in which zone they are."""
        return datetime.fromisoformat(self.starts_at).tzinfo is not None

    @classmethod
    def of(cls, inventory: Inventory, line: TimeLine) -> "Report":
        """Before anything was located."""
        recorders = {
            name: {
                "files": len(recorder.parts),
                "hours": round(sum(part.file.duration_s for part in recorder.parts) / 3600, 3),
            }
            for name, recorder in line.recorders.items()
        }
        silent = [LeftOut(name, "it has no file") for name in inventory.recorders if name not in recorders]
        left_out = [*inventory.left_out, *silent, *line.lonely()]
        return cls(recorders=recorders, left_out=left_out, starts_at=line.origin.isoformat())

    def hear(self, located: Located) -> None:
        """A piece that was located now."""
        if located.trouble is not None:
            self.troubles.append(LeftOut(located.key, located.trouble))
        else:
            self.heard_s += located.audio_s

    def add(self, located: Located) -> None:
        """A piece that is in the tables."""
        self.pieces += 1
        self.audio_s += located.audio_s
        self.counts.update(located.counts)
        self.silences += [f"{located.key}: {text}" for text in located.silences]

    def to_dict(self) -> dict[str, Any]:
        """As in the file (hours of sound over all microphones)."""
        return {
            "starts_at": self.starts_at,
            "pieces": self.pieces,
            "hours": round(self.audio_s / 3600, 3),
            "answers": {name: count for name, count in self.counts.items() if name != PASSED_OVER},
            "windows_passed_over": self.counts[PASSED_OVER],
            "this_run": {"hours": round(self.heard_s / 3600, 3), "seconds": round(self.seconds, 1)},
            "recorders": self.recorders,
            "left_out": [each._asdict() for each in self.left_out],
            "troubles": [each._asdict() for each in self.troubles],
            "silences": self.silences,
        }

    def lines(self) -> Iterator[str]:
        """For the terminal."""
        answers = ", ".join(f"{count} {name}" for name, count in self.counts.items() if name != PASSED_OVER)
        yield f"{self.audio_s / 3600:.2f} hours of sound in {self.pieces} pieces: {answers or 'no answers'}"
        if passed := self.counts[PASSED_OVER]:
            yield f"{passed} windows were passed over: nothing stands out in them"
        if self.heard_s:
            hours = self.heard_s / 3600
            yield f"{hours:.2f} hours in {self.seconds:.0f} s: {hours / max(self.seconds, 1e-9):.3f} hours a second"
        for what, found in (("left out", self.left_out), ("not located", self.troubles)):
            yield from (f"{what}: {each.what}: {each.why}" for each in found[:MOST_SHOWN])
            if len(found) > MOST_SHOWN:
                yield f"{what}: {len(found) - MOST_SHOWN} more, all in {NAME}"


def write_report(folder: Path, report: Report) -> None:
    """report.json."""
    with atomic_path(folder / NAME) as part:
        part.write_text(json.dumps(report.to_dict(), indent=1) + "\n", encoding="utf-8")
