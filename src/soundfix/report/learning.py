"""How one run of training learned: its numbers as a table, and as a picture that grows while it trains.

curves.csv    a row a note: step, stage, every term of the loss, what validation measured
curves.png    the same against steps, where stages begin, and SRP-PHAT on the windows of the validation
"""

import csv
import json
from collections.abc import Callable, Sequence
from math import ceil, floor, log10
from pathlib import Path
from typing import Any

from soundfix.atomic import atomic_path
from soundfix.errors import MissingPackageError, OutputError
from soundfix.report.canvas import DPI, library, write_figure
from soundfix.training.runs import METRICS
from soundfix.training.table import NOT_TERMS, VALIDATED

CSV, PICTURE = "curves.csv", "curves.png"
NAME_ROWS = 3  # names of stages above the picture: those of short ones, side by side, are not in the same row
Note = dict[str, Any]


class Curves:
    """Draws a run that goes on. What keeps it from drawing is said once, and never stops the run."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._said: set[str] = set()

    def draw(self) -> None:
        """As far as it is noted."""
        try:
            write_learning(self._folder)
        except (OutputError, MissingPackageError) as error:
            if str(error) not in self._said:
                self._say(f"no curves: {error}")
            self._said.add(str(error))


def write_learning(folder: Path) -> None:
    """curves.csv and curves.png of this run. Raises OutputError; MissingPackageError where there is no matplotlib."""
    notes = read_notes(folder)
    if notes:
        write_table(notes, folder / CSV)
        draw_learning(notes, folder / PICTURE)


def read_notes(folder: Path) -> list[Note]:
    """What was noted, in order; a line that was cut short is left out."""
    path = folder / METRICS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [note for note in map(_note, lines) if note]


def _note(line: str) -> Note:
    try:
        found: Note = json.loads(line)
    except ValueError:
        return {}
    return found


def write_table(notes: Sequence[Note], path: Path) -> None:
    columns = ["step", "stage", *terms_of(notes), *(name for name in VALIDATED if any(name in note for note in notes))]
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(notes)


def terms_of(notes: Sequence[Note]) -> list[str]:
    """Of the loss, by name, as they first came."""
    names = dict.fromkeys(name for note in notes for name in note)
    return [name for name in names if name not in NOT_TERMS and name not in VALIDATED]


def draw_learning(notes: Sequence[Note], path: Path) -> Path:
    """The loss above, the error of the validation below it, where there was one."""
    is_validated = any("mae_m" in note for note in notes)
    figure = library("matplotlib.figure").Figure(
        figsize=(7.2, 5.6 if is_validated else 3.6), dpi=DPI, layout="constrained"
    )
    axes = figure.subplots(1 + is_validated, 1, sharex=True, squeeze=False)[:, 0]
    _draw_terms(axes[0], notes)
    if is_validated:
        _draw_errors(axes[1], notes)
    axes[-1].set_xlabel("steps")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        _mark_stages(axis, notes, is_named=axis is axes[0])
    write_figure(figure, path)
    return path


def _draw_terms(axis: Any, notes: Sequence[Note]) -> None:
    for name in terms_of(notes):
        noted = [note for note in notes if note.get(name, 0.0) > 0.0]
        if noted:
            _draw_line(axis, noted, name, label=name)
    axis.set(yscale="log", ylabel="terms of the loss")
    _tick(axis)
    axis.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _draw_errors(axis: Any, notes: Sequence[Note]) -> None:
    noted = [note for note in notes if "mae_m" in note]
    _draw_line(axis, noted, "mae_m", label="mean", marker=".")
    _draw_line(axis, noted, "median_m", label="median", marker=".")
    if any("srp_mae_m" in note for note in noted):
        _draw_line(axis, noted, "srp_mae_m", label="SRP-PHAT, mean", linestyle="--", color="0.5")
    axis.set(yscale="log", ylabel="validation error (m)")
    _tick(axis)
    axis.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _tick(axis: Any) -> None:
    """Powers of ten, and 2 and 5 times these where there are few; as plain numbers."""
    low, high = axis.get_ylim()
    of_ten = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [factor * 10.0**k for k in of_ten for factor in ((1, 2, 5) if high / low < 100 else (1,))]
    shown = [tick for tick in ticks if low <= tick <= high]
    axis.set_yticks(shown, [f"{tick:g}" for tick in shown])
    axis.minorticks_off()


def _draw_line(axis: Any, notes: Sequence[Note], name: str, **style: Any) -> None:
    """One number of these notes; it is broken where a stage had none of it."""
    pairs = [(note["step"], note[name], note["stage"]) for note in notes]
    steps, values = [], []
    for k, (step, value, stage) in enumerate(pairs):
        if k and stage != pairs[k - 1][2]:
            steps.append(step)
            values.append(float("nan"))
        steps.append(step)
        values.append(value)
    axis.plot(steps, values, linewidth=1.1, **style)


def _mark_stages(axis: Any, notes: Sequence[Note], *, is_named: bool) -> None:
    """A thin line where each begins, its name above."""
    stages = {note["stage"]: note["step"] - note["done"] for note in notes}
    for k, (stage, begins) in enumerate(stages.items()):
        axis.axvline(begins, color="0.8", linewidth=0.8, zorder=0)
        if is_named:
            axis.annotate(
                stage, (begins, 1.0), xycoords=("data", "axes fraction"), xytext=(2, 2 + 8 * (k % NAME_ROWS)),
                textcoords="offset points", fontsize=7, color="0.4",
            )  # fmt: skip
