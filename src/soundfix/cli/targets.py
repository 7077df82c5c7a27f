"""Where answers go beside the terminal: the files that were asked for, and what fills them."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from soundfix import __version__
from soundfix.cli.formats import AsFile, has_tracks, writers
from soundfix.cli.options import refuse_idle
from soundfix.cli.terminal import say
from soundfix.cli.turns import check_turns
from soundfix.errors import OutputError

if TYPE_CHECKING:
    from soundfix.microphones import Microphones
    from soundfix.report.formats import Writer
    from soundfix.report.geojson import GeoJsonWriter
    from soundfix.report.recorded import Listener, Recorded
    from soundfix.session.summary import Summary

JsonFile = Annotated[Path | None, typer.Option(help="Write all answers to this JSON file, at the end; -: print it.")]
JsonLinesFile = Annotated[
    Path | None, typer.Option(help="Write a line of JSON an answer, as they come; -: print them.")
]
CsvFile = Annotated[
    Path | None, typer.Option(help="Write a row a source, as they come, to this CSV file; -: print them.")
]
GeoJsonFile = Annotated[
    Path | None, typer.Option(help="Write the sources, for a map, to this GeoJSON file, at the end; -: print it.")
]
CrsText = Annotated[str | None, typer.Option(help="Of the list's metres, for --geojson: EPSG:32632 and so on.")]
PlotFile = Annotated[
    Path | None, typer.Option(help="Draw the answers: .png, .svg, .pdf, .html to turn in 3-D, .gif or .mp4 to watch.")
]


class Targets(NamedTuple):
    """The files that are asked for, and in which system of coordinates the list is, for those that need it."""

    json: Path | None = None
    jsonl: Path | None = None
    csv: Path | None = None
    plot: Path | None = None
    raven: Path | None = None
    geojson: Path | None = None
    turns: Path | None = None
    crs: str | None = None
    only: Sequence[str] = ()
    formats: tuple[AsFile, ...] = ()
    listener: "Listener | None" = None

    def check(self, inputs: list[Path]) -> None:
        """Whether they can be written, and whether there is such a kind of picture, is found out before the work."""
        from soundfix.report.canvas import checked_suffix
        from soundfix.report.outputs import check_targets, is_standard
        from soundfix.report.plots import WRITERS

        if self.raven and is_standard(self.raven):
            raise OutputError("--raven - : a selection table is written when all is located; wanted the name of a file")
        check_targets([*(path for path in self if isinstance(path, Path)), *self._as_files], inputs)
        check_turns(self.turns, self.only)
        if self.plot:
            checked_suffix(self.plot, WRITERS)
        if self.geojson is None:
            refuse_idle({"--crs": self.crs}, "does nothing without --geojson")

    @property
    def complete(self) -> list[Path]:
        """Files that hold all answers."""
        return [path for path in (self.json, self.jsonl, self.csv) if path]

    def lines(self) -> AbstractContextManager[object]:
        """Inside the `with` what is printed goes to standard error, where standard output has a file's place."""
        from soundfix.report.outputs import is_standard

        is_taken = any(is_standard(path) for path in (*self.complete, self.geojson, *self._as_files) if path)
        return redirect_stdout(sys.stderr) if is_taken else nullcontext()

    @property
    def _as_files(self) -> list[Path]:
        return [path for _, path in self.formats]

    def follow(self, events: object) -> bool:
        """Whether tracks are wanted: for turns, or for a format that tells them of windows; of events there are none."""
        return self.turns is not None or (events is None and has_tracks(self.formats))

    def map_of(self, microphones: "Microphones") -> "GeoJsonWriter | None":
        """That nothing says the system of coordinates is found out before the work, too."""
        if self.geojson is None:
            return None
        from soundfix.report.geojson import GeoJsonWriter, crs_of

        return GeoJsonWriter(self.geojson, crs_of(microphones, self.crs))


class Files:
    """What is asked for, being filled: `writes`, functions that write an estimate to a file each, and `conclude`."""

    def __init__(
        self, targets: Targets, method: str, *, to_map: "GeoJsonWriter | None" = None, request: Any = None,
        recorded: "Recorded | None" = None,
    ) -> None:  # fmt: skip
        """request: what went in; recorded: for targets.formats. To be made before the `with` of Targets.lines, which takes
        standard output away."""
        from soundfix.report.exports import CsvWriter, JsonLinesWriter, JsonWriter

        self._json = JsonWriter(targets.json, method, __version__, request) if targets.json else None
        lines = JsonLinesWriter(targets.jsonl) if targets.jsonl else None
        csv = CsvWriter(targets.csv) if targets.csv else None
        own = [writer for writer in (lines, csv, self._json, to_map) if writer]
        self._writers: list[Writer] = [*own, *writers(targets.formats, recorded)]
        self._rows = [path for path in (targets.jsonl, targets.csv) if path]
        self._has_rows = False
        self._stack = ExitStack()

    def __enter__(self) -> "Files":
        with ExitStack() as opened:
            for writer in self._writers:
                opened.enter_context(writer)
            self._stack = opened.pop_all()
        return self

    @property
    def writes(self) -> "list[Callable[[Estimate], None]]":
        """To be called in turn with every estimate."""
        return [*(writer.write for writer in self._writers), self._note]

    def conclude(self, summary: "Summary") -> None:
        """What all windows together say."""
        if self._json:
            self._json.conclude(summary)

    def __exit__(self, *failure: Any) -> None:
        if self._has_rows and self._rows and failure[0]:
            say(f"what was located before is in {' and '.join(map(str, self._rows))}")
        self._stack.__exit__(*failure)

    def _note(self, _: "Estimate") -> None:
        self._has_rows = True
