"""What every flat picture is made of: planes in metres with equal axes, labels that keep off each other, the file.

Pictures are made without pyplot, so there is no global state and no window. matplotlib is imported when a picture is made.
"""

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from soundfix.atomic import atomic_path
from soundfix.errors import MissingPackageError, OutputError

Plane = Literal["xy", "xz"]  # from above, from the side
AXES: dict[Plane, tuple[int, int]] = {"xy": (0, 1), "xz": (0, 2)}

FLAT = (".png", ".svg", ".pdf")
DPI = 150
LABEL_POINTS, DOT_POINTS = 7.5, 7.0  # height of a letter, width of a marker
LETTER_SHAPE = 0.62  # width of a letter against its height, on average
MARGIN_SHARE, LEAST_MARGIN_M = 0.05, 0.1  # round what is drawn
LEFT_INCHES, LOWEST_INCHES, HIGHEST_INCHES = 6.4, 1.5, 7.5  # of a view


def library(module: str) -> Any:
    """A module of an optional package, when it is first needed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError(module.split(".")[0], "report") from error


def checked_suffix(path: Path, known: Iterable[str]) -> str:
    """The kind of picture that the name asks for."""
    suffix = path.suffix.lower()
    if suffix not in known:
        raise OutputError(f"cannot draw {path.name}: got {suffix or 'no suffix'!r}, wanted one of {', '.join(known)}")
    return suffix


def blank_figure(box: Float[np.ndarray, "2 3"], *, extra_inches: float) -> Any:
    """A figure whose left part fits a top view above a side view of this box; `extra_inches` wide beside them."""
    height = sum(view_inches(box))
    figure = library("matplotlib.figure").Figure(
        figsize=(LEFT_INCHES + extra_inches, height + 1.6), dpi=DPI, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    return figure


def view_inches(box: Float[np.ndarray, "2 3"]) -> tuple[float, float]:
    """Heights of a top and a side view of what `limits` says, a metre as long in both."""
    low, high = limits(box)
    _, top, side = ((high - low) * _inches_a_metre(high - low)).tolist()
    return top, side


def limits(box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "2 3"]:
    """Of both views, lowest and highest, in metres: a margin round the box, and more where it would be too thin to see."""
    margin = max(LEAST_MARGIN_M, MARGIN_SHARE * float(np.ptp(box, axis=0).max()))
    low, high = box[0] - margin, box[1] + margin
    missing = np.maximum(LOWEST_INCHES / _inches_a_metre(high - low) - (high - low), 0.0) / 2
    return np.stack([low - missing, high + missing])


def _inches_a_metre(spans: Float[np.ndarray, "3"]) -> float:
    return float((np.array([LEFT_INCHES, HIGHEST_INCHES, HIGHEST_INCHES]) / spans).min())


def grid(figure: Any, box: Float[np.ndarray, "2 3"], beside: float) -> tuple[dict[Plane, Any], Any]:
    """Axes for the two views, one above the other, and the place beside them (None where there is none)."""
    columns = 2 if beside else 1
    widths = [LEFT_INCHES, beside][:columns]
    grid = figure.add_gridspec(2, columns, width_ratios=widths, height_ratios=view_inches(box))
    views: dict[Plane, Any] = {"xy": figure.add_subplot(grid[0, 0]), "xz": figure.add_subplot(grid[1, 0])}
    return views, grid[:, 1] if beside else None


def frame(axes: Any, plane: Plane, box: Float[np.ndarray, "2 3"], title: str) -> None:
    """Equal axes in metres round the box, which is drawn as a thin line."""
    across, up = AXES[plane]
    shown = limits(box)
    axes.set_xlim(shown[:, across])
    axes.set_ylim(shown[:, up])
    axes.set_aspect("equal")
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.set_xlabel(f"{plane[0]} (m)")
    axes.set_ylabel(f"{plane[1]} (m)")
    axes.set_title(title, loc="left", fontsize=10)
    left, bottom, right, top = box[0, across], box[0, up], box[1, across], box[1, up]
    axes.plot(
        [left, right, right, left, left], [bottom, bottom, top, top, bottom], color="0.45", linewidth=0.8, zorder=1
    )


def projected(points: Float[np.ndarray, "point 3"], plane: Plane) -> Float[np.ndarray, "point 2"]:
    return points[:, list(AXES[plane])]


def label(
    axes: Any, points: Float[np.ndarray, "point 2"], names: Sequence[str], avoid: Float[np.ndarray, "mark 2"]
) -> None:
    """Write each name beside its point, never on a point or on a name before it, and on as few marks as can be.

    A name that finds no room is left out. The figure's layout must be final: where a name fits depends on it.
    """
    scale = axes.figure.dpi / 72
    taken = _boxes_round(axes.transData.transform(points), DOT_POINTS * scale)
    marks = _boxes_round(axes.transData.transform(avoid), DOT_POINTS / 2 * scale)
    window = axes.get_window_extent()
    inside = np.array([window.x0, window.y0, window.x1, window.y1])
    for point, name in zip(points, names, strict=True):
        size = np.array([LETTER_SHAPE * len(name), 1.15]) * LABEL_POINTS * scale
        candidates = _candidates(axes.transData.transform(point), size, DOT_POINTS * scale)
        free = [box for box in candidates if _is_within(box, inside) and not _overlaps(box, taken).any()]
        if free:
            best = min(free, key=lambda box: int(_overlaps(box, marks).sum()))
            taken = np.concatenate([taken, best[None]])
            _write(axes, best, name)


def _candidates(dot: np.ndarray, size: np.ndarray, gap: float) -> Float[np.ndarray, "place 4"]:
    """Boxes (pixels) of this size at the eight sides of a dot: right, left, above, below, then the corners."""
    sides = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)])
    centres = dot + sides * (size / 2 + gap * np.where(np.abs(sides).sum(axis=1) == 2, 0.55, 0.75)[:, None])
    return np.concatenate([centres - size / 2, centres + size / 2], axis=1)


def _boxes_round(dots: Float[np.ndarray, "dot 2"], width: float) -> Float[np.ndarray, "dot 4"]:
    return np.concatenate([dots - width / 2, dots + width / 2], axis=1)


def _overlaps(box: Float[np.ndarray, "4"], others: Float[np.ndarray, "other 4"]) -> np.ndarray:
    return np.all((box[:2] < others[:, 2:]) & (box[2:] > others[:, :2]), axis=1)


def _is_within(box: Float[np.ndarray, "4"], outer: Float[np.ndarray, "4"]) -> bool:
    return bool((box[:2] >= outer[:2]).all() and (box[2:] <= outer[2:]).all())


def _write(axes: Any, box: Float[np.ndarray, "4"], name: str) -> None:
    """The name in the middle of its box, in data coordinates, with a white rim; a $ in it is no formula."""
    x, y = axes.transData.inverted().transform((box[:2] + box[2:]) / 2)
    rim = library("matplotlib.patheffects").withStroke(linewidth=1.8, foreground="white")
    axes.text(
        x, y, name, fontsize=LABEL_POINTS, ha="center", va="center", zorder=9, parse_math=False, path_effects=[rim]
    ).set_in_layout(False)  # fmt: skip


def settle(figure: Any) -> None:
    """Make the layout final, so that labels can be placed."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def write_figure(figure: Any, path: Path) -> None:
    """As PNG, SVG or PDF, by the suffix; the same figure makes the same file."""
    kind = checked_suffix(path, FLAT)[1:]
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with atomic_path(path) as part, library("matplotlib").rc_context({"svg.hashsalt": "soundfix"}):
        figure.savefig(part, format=kind, metadata=dates.get(kind))
