"""The page of a question: its answer in a sentence, a table, a picture, how it was measured, and what it does not show."""

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from soundfix.evaluation.metrics import Number
from soundfix.evaluation.tables import centimetres, percent, table
from soundfix.report.canvas import library, write_figure
from soundfix.studies.points import Point
from soundfix.studies.questions import Question

Column = tuple[str, Callable[[Point], str]]
Panel = tuple[str, Callable[[Point], Number], tuple[float, float | None]]  # axis, what is drawn, its limits
PANEL_INCHES, DPI = 3.4, 90  # small files: pages are kept in the repository
STYLES = ("-", "--", ":", "-.")  # of methods


def page(name: str, question: Question, points: Sequence[Point], clips: int, seed: int, is_recorded: bool) -> str:
    """Markdown; points are sorted by method, the first method's answer is the first sentence."""
    method = points[0].method
    answer = question.answer([point for point in points if point.method == method])
    parts = [
        f"# {question.title}",
        f"{answer} (`{method}`)",
        f"![Error, and windows under 30 cm, against {question.axis}]({name}.png)",
        listing(question, points),
        _about(name, question, clips, seed, is_recorded),
        question.about,
        f"**What it does not show.** {question.not_shown}",
    ]
    return "\n\n".join(parts) + "\n"


def _about(name: str, question: Question, clips: int, seed: int, is_recorded: bool) -> str:
    """Where the numbers come from, and what they are."""
    sounds = "recorded speech and music that nothing was trained on" if is_recorded else "built-in sounds"
    sets = [f"`{dataset}`" for dataset in question.datasets.values()]
    return (
        f"`soundfix study {name}`, {clips} clips of {sounds} under every condition (`--clips {clips} --seed {seed}`); test "
        f"set{'s' if len(sets) > 1 else ''} {' and '.join(sets)}, the same windows for every method. Behind ± and as "
        "bars: one standard error, by bootstrap over clips (0 where all agree). Errors are Euclidean distances; where a "
        "method abstains, the place it did not believe in counts, where it has none the middle of the room."
    )


def listing(question: Question, points: Sequence[Point]) -> str:
    """Every point, with every number."""
    columns = _columns(question, points)
    return table([head for head, _ in columns], [[cell(point) for _, cell in columns] for point in points])


def _columns(question: Question, points: Sequence[Point]) -> list[Column]:
    columns: list[Column] = [("method", lambda p: p.method)]
    if any(point.curve for point in points):
        columns.append(("", lambda p: p.curve))
    columns.append((question.axis, lambda p: f"{p.x:g}"))
    if any(point.value != f"{point.x:g}" for point in points):
        columns.append(("by", lambda p: p.value))
    columns += [
        ("windows", lambda p: f"{p.summary.windows}"),
        ("MAE", lambda p: centimetres(p.summary.mae_m)),
        ("median", lambda p: f"{100 * p.summary.median_m:.1f} cm"),
        ("< 30 cm", lambda p: percent(p.summary.acc)),
        ("abstained", lambda p: f"{100 * p.summary.abstained:.0f} %"),
        ("in 90 % region", lambda p: percent(p.summary.coverage)),
    ]
    return columns + [column for measure in question.measures for column in MEASURED[measure]]


MEASURED: dict[str, list[Column]] = {
    "microphones": [("error of those microphones", lambda p: centimetres(p.summary.microphones_m))],
    "found": [("all found", lambda p: percent(p.found)), ("counted", lambda p: percent(p.counted))],
}
PANELS: list[Panel] = [
    ("mean error (cm)", lambda p: p.summary.mae_m, (0, None)),
    ("windows under 30 cm (%)", lambda p: p.summary.acc, (0, 101)),
]
MORE_PANELS: dict[str, Panel] = {
    "microphones": ("error of those microphones (cm)", lambda p: p.summary.microphones_m, (0, None)),
    "found": ("windows in which all are found (%)", lambda p: p.found, (0, 101)),
}


def draw(question: Question, points: Sequence[Point], path: Path) -> Path:
    """Error and share under 30 cm, and what else is measured, against what is varied; a line a curve, a style a method."""
    panels = [*PANELS, *(MORE_PANELS[measure] for measure in question.measures)]
    figure = library("matplotlib.figure").Figure(
        figsize=(len(panels) * PANEL_INCHES + 0.6, PANEL_INCHES + 0.6), dpi=DPI, layout="constrained"
    )
    axes = figure.subplots(1, len(panels))
    for axis, (label, number, limits) in zip(axes, panels, strict=True):
        _draw_curves(axis, points, number)
        axis.set(xlabel=question.axis, ylabel=label, ylim=limits)
        axis.spines[["top", "right"]].set_visible(False)
        if all(point.x.is_integer() for point in points):
            axis.xaxis.get_major_locator().set_params(integer=True)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=3, frameon=False, fontsize=8)
    write_figure(figure, path)
    return path


def _draw_curves(axis: Any, points: Sequence[Point], number: Callable[[Point], Number]) -> None:
    methods, curves = (
        list(dict.fromkeys(values)) for values in zip(*((p.method, p.curve) for p in points), strict=True)
    )
    for (method, curve), group in groupby(points, key=lambda p: (p.method, p.curve)):
        mine = [point for point in group if not np.isnan(number(point).value)]
        values, errors = (100 * np.array([getattr(number(p), part) for p in mine]) for part in ("value", "error"))
        axis.errorbar(
            [p.x for p in mine],
            values,
            yerr=np.nan_to_num(errors),
            label=f"{method}, {curve}" if curve else method,
            color=f"C{curves.index(curve)}",
            linestyle=STYLES[methods.index(method) % len(STYLES)],
            marker=".",
            linewidth=1.1,
            capsize=2,
        )
