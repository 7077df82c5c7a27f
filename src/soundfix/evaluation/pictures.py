"""Rows -> pictures: how errors are distributed, what each microphone is worth, and where in the room it goes wrong."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from soundfix.evaluation.metrics import NEAR_M
from soundfix.evaluation.rows import Row, grouped
from soundfix.evaluation.tables import CONDITION, words
from soundfix.report.canvas import DPI, frame, library, write_figure

LEAST_M, MOST_M = 1e-3, 10.0  # of the error axis
PANEL_INCHES = 3.4
MARGIN_M = 0.5  # round the sources, on the map
DRAWN = 400  # windows on a map: more would hide each other


def draw_all(rows: Sequence[Row], out: Path) -> list[Path]:
    """errors.png, microphones.png (where their number varies), map.png."""
    drawn = [draw_errors(rows, out / "errors.png"), draw_map(rows, out / "map.png")]
    if len({row.microphones for row in rows}) > 1:
        drawn.append(draw_microphones(rows, out / "microphones.png"))
    return drawn


def draw_errors(rows: Sequence[Row], path: Path) -> Path:
    """For every condition, the share of windows with at most so large an error."""
    panels = list(grouped(rows, *CONDITION))
    figure, axes = _panels(len(panels))
    for axis, (_, chosen) in zip(axes, panels, strict=True):
        for (method,), of_one in grouped(chosen, "method"):
            errors = np.sort([row.score.error_m for row in of_one])
            axis.step(np.clip(errors, LEAST_M, MOST_M), np.arange(1, len(errors) + 1) / len(errors), label=method)
        axis.axvline(NEAR_M, color="0.7", linewidth=0.8, zorder=0)
        axis.set(xscale="log", xlim=(LEAST_M, MOST_M), ylim=(0, 1), xlabel="error (m)")
        axis.set_title(words(chosen[0].condition), loc="left", fontsize=9)
    axes[0].set_ylabel("share of windows")
    return _finished(figure, axes[0], path)


def draw_microphones(rows: Sequence[Row], path: Path) -> Path:
    """Mean error and share under 30 cm against the number of microphones, whatever else is varied apart."""
    panels = list(grouped(rows, *(name for name in CONDITION if name != "microphones")))
    figure, axes = _panels(2 * len(panels))
    for k, (_, chosen) in enumerate(panels):
        for (method,), of_one in grouped(chosen, "method"):
            counts = sorted({row.microphones for row in of_one})
            errors = [np.array([r.score.error_m for r in of_one if r.microphones == count]) for count in counts]
            axes[2 * k].plot(counts, [each.mean() for each in errors], marker="o", label=method)
            axes[2 * k + 1].plot(counts, [100 * np.mean(each < NEAR_M) for each in errors], marker="o")
        axes[2 * k].set(xlabel="microphones", ylabel="mean error (m)", ylim=(0, None))
        axes[2 * k + 1].set(xlabel="microphones", ylabel="under 30 cm (%)", ylim=(0, 101))
        axes[2 * k].set_title(words(chosen[0].condition, but="microphones"), loc="left", fontsize=9)
    return _finished(figure, axes[0], path)


def draw_map(rows: Sequence[Row], path: Path) -> Path:
    """From above, every method under the first condition: lines from where the sound was to where it was said to be."""
    _, rows = next(iter(grouped(rows, *CONDITION)))
    panels = list(grouped(rows, "method"))
    figure, axes = _panels(len(panels))
    box = _box(rows)
    for axis, ((method,), chosen) in zip(axes, panels, strict=True):
        answered = [row for row in chosen if row.said_m][:DRAWN]
        for true_m, said_m in (ends for row in answered for ends in _ends(row)):
            color = "#d1495b" if np.linalg.norm(said_m - true_m) >= NEAR_M else "#7a9e9f"
            axis.plot([true_m[0], said_m[0]], [true_m[1], said_m[1]], color=color, linewidth=0.6)
        true = np.array([place for row in answered for place in row.true_m]).reshape(-1, 3)
        axis.plot(true[:, 0], true[:, 1], ".", color="black", markersize=2.5)
        frame(axis, "xy", box, method)
    figure.suptitle(words(rows[0].condition), x=0.01, ha="left", fontsize=9)
    figure.legend(handles=_map_legend(), loc="outside lower left", ncols=3, frameon=False, fontsize=9)
    write_figure(figure, path)
    return path


def _ends(row: Row) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Where each source was, and the place said for it."""
    true, said = np.array(row.true_m), np.array(row.said_m[: len(row.true_m)])
    for k, place in zip(*linear_sum_assignment(cdist(true, said)), strict=True):
        yield true[k], said[place]


def _map_legend() -> list[Any]:
    line = library("matplotlib.lines").Line2D
    return [
        line([], [], color="black", marker=".", linestyle="", label="where the sound was"),
        line([], [], color="#7a9e9f", label="to where it was said to be"),
        line([], [], color="#d1495b", label="30 cm off or more"),
    ]


def _box(rows: Sequence[Row]) -> np.ndarray:
    true = np.array([place for row in rows for place in row.true_m])
    return np.stack([true.min(axis=0) - MARGIN_M, true.max(axis=0) + MARGIN_M])


def _panels(count: int) -> tuple[Any, list[Any]]:
    """Axes in rows of four."""
    across = min(count, 4)
    down = -(-count // across)
    figure = library("matplotlib.figure").Figure(
        figsize=(across * PANEL_INCHES + 0.6, down * PANEL_INCHES + 0.5), dpi=DPI, layout="constrained"
    )
    return figure, [figure.add_subplot(down, across, k + 1) for k in range(count)]


def _finished(figure: Any, labelled: Any, path: Path) -> Path:
    """With one legend for all panels."""
    handles, names = labelled.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=6, frameon=False, fontsize=9)
    write_figure(figure, path)
    return path
