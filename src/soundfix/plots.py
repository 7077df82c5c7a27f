"""Pictures for a report: what a survey predicts, and where the sounds were.

Views are from above (x, y) and from the side (x, z), in metres. Ellipses hold 90 % of the covariance, projected.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from soundfix.canvas import (
    AXES,
    Plane,
    blank_figure,
    checked_suffix,
    frame,
    label,
    library,
    projected,
    settle,
    view_inches,
    write_png,
)  # fmt: skip
from soundfix.geometry import Slice
from soundfix.localizer import Estimate
from soundfix.picture import Picture, gather
from soundfix.scene import Microphones, Room
from soundfix.scene3d import write_html
from soundfix.survey import Survey

GRADE_COLOURS = {"good": "#ffffff", "fair": "#ffd23f", "poor": "#ff5a36", "dead": "#000000", "unheard": "#c0c0c0"}
ELLIPSE_90 = float(np.sqrt(2 * np.log(10)))  # standard deviations that hold 90 % of a Gaussian in a plane
INTERVAL_90 = 1.645  # and on a line
NICE_CM = np.array([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8])  # levels of the error map, times powers of ten
MOST_LEVELS, FEWEST_BARS, MOST_BARS = 9, 12, 20
SURVEY_INCHES, TIME_INCHES = 3.4, 5.4  # what stands beside the views
BAR_INCHES = 1.0  # the colour bar
MANY = 40  # sources, from which on ellipses are fainter and dots smaller
COLOURS = "viridis"


def plot_survey(survey: Survey, path: Path) -> None:
    """Predicted error from above and from the side, and what the loss of each microphone would cost, as PNG.

    Raises OutputError for another suffix, MissingPackageError without matplotlib.
    """
    checked_suffix(path, [".png"])
    figure = blank_figure(survey.box, extra_inches=SURVEY_INCHES + BAR_INCHES)
    views, right = _grid(figure, survey.box, SURVEY_INCHES - BAR_INCHES / 2)
    _draw_error(figure, views, survey)
    _draw_losses(figure.add_subplot(right), survey)
    handles = [
        _marker("o", GRADE_COLOURS[g], g) for g in GRADE_COLOURS if any(m.grade == g for m in survey.microphones)
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=5, frameon=False, fontsize=9)
    settle(figure)
    for plane, axes in views.items():
        _draw_grades(axes, plane, survey)
    write_png(figure, path)


def plot_estimates(estimates: Iterable[Estimate], microphones: Microphones, room: Room | None, path: Path) -> None:
    """Microphones and sources as PNG (two views, and coordinates over time) or as HTML (a scene to turn), by the suffix.

    Raises OutputError for another suffix, MissingPackageError without matplotlib or plotly.
    """
    write = WRITERS[checked_suffix(path, WRITERS)]
    write(gather(estimates, microphones, room), path)


def _write_views(picture: Picture, path: Path) -> None:
    beside = TIME_INCHES if picture.windows > 1 else 0.0
    figure = blank_figure(picture.box, extra_inches=beside)
    views, right = _grid(figure, picture.box, beside)
    for (plane, axes), title in zip(views.items(), ("From above", "From the side"), strict=True):
        frame(axes, plane, picture.box, title)
        _draw_sources(axes, plane, picture)
        _draw_microphones(axes, plane, picture)
    if right is not None:
        _draw_times(figure, right, picture)
    figure.legend(handles=_legend(picture), loc="outside lower left", ncols=4, frameon=False, fontsize=9)
    settle(figure)
    for plane, axes in views.items():
        order = np.argsort(picture.is_used, kind="stable")
        points = projected(picture.microphones[order], plane)
        label(axes, points, [picture.captions[m] for m in order], projected(picture.positions, plane))
    write_png(figure, path)


WRITERS = {".png": _write_views, ".html": write_html}


def _grid(figure: Any, box: Float[np.ndarray, "2 3"], beside: float) -> tuple[dict[Plane, Any], Any]:
    """Axes for the two views, one above the other, and the place beside them (None where there is none)."""
    columns = 2 if beside else 1
    widths = [6.4, beside][:columns]
    grid = figure.add_gridspec(2, columns, width_ratios=widths, height_ratios=view_inches(box))
    views: dict[Plane, Any] = {"xy": figure.add_subplot(grid[0, 0]), "xz": figure.add_subplot(grid[1, 0])}
    return views, grid[:, 1] if beside else None


def _marker(symbol: str, face: Any, name: str, edge: Any = "black") -> Any:
    return library("matplotlib.lines").Line2D(
        [], [], linestyle="none", marker=symbol, markersize=7, markerfacecolor=face, markeredgecolor=edge, label=name
    )  # fmt: skip


# The survey


def _draw_error(figure: Any, views: dict[Plane, Any], survey: Survey) -> None:
    """Both maps share the levels and the colour bar."""
    shown: dict[Plane, Slice | None] = {"xy": _chosen(survey, "z"), "xz": _chosen(survey, "y")}
    errors = [100 * plane.error_m.ravel() for plane in shown.values() if plane is not None]
    levels = error_levels(np.concatenate(errors)) if errors else np.zeros(0)
    for (plane, part), name in zip(shown.items(), ("From above, at z = ", "From the side, at y = "), strict=True):
        frame(views[plane], plane, survey.box, f"{name}{part.at_m:.2f} m" if part else name.split(",")[0])
        if part is not None:
            colours = _contours(views[plane], part, levels)
    if errors:
        bar = figure.colorbar(colours, ax=list(views.values()), location="left", shrink=0.8, aspect=40, pad=0.03)
        bar.set_ticks(levels, labels=[f"{level:g}" for level in levels])
        bar.minorticks_off()
        bar.set_label("predicted error (cm)")


def _chosen(survey: Survey, normal: str) -> Slice | None:
    """Of two horizontal slices, the one where people are: in the plane of a flat array nothing is typical."""
    return next((part for part in reversed(survey.prediction.slices) if part.normal == normal), None)


def error_levels(errors_cm: Float[np.ndarray, "point"]) -> Float[np.ndarray, "level"]:
    """Round numbers (cm) across most of these errors; a few close ones where the errors are all alike."""
    low, high = np.quantile(errors_cm, [0.02, 0.98]).tolist()
    nice = np.concatenate([NICE_CM * 10.0**power for power in range(-6, 8)])
    chosen = nice[(nice >= low) & (nice <= high)]
    if len(chosen) < 3:
        return np.unique([float(f"{level:.3g}") for level in np.geomspace(low * 0.95, high * 1.05, 5)])
    return chosen[:: -(-len(chosen) // MOST_LEVELS)]


def _contours(axes: Any, part: Slice, levels: Float[np.ndarray, "level"]) -> Any:
    grid, norm = (part.across_m, part.up_m, 100 * part.error_m), library("matplotlib.colors").LogNorm()
    axes.contour(*grid, levels=levels, colors="white", linewidths=0.5, alpha=0.6)
    return axes.contourf(*grid, levels=levels, cmap=COLOURS, norm=norm, extend="both", zorder=0)


def _draw_grades(axes: Any, plane: Plane, survey: Survey) -> None:
    placed = [m for m in survey.microphones if m.position_m is not None]
    points = projected(np.array([m.position_m for m in placed]), plane)
    colours = [GRADE_COLOURS[m.grade] for m in placed]
    axes.scatter(*points.T, c=colours, s=42, edgecolors="black", linewidths=1.0, zorder=5).set_in_layout(False)
    label(axes, points, [m.name for m in placed], points[:0])


def _draw_losses(axes: Any, survey: Survey) -> None:
    """The most harmful on top; a microphone that no position survives without has a hatched bar to the edge."""
    losses = survey.losses[:MOST_BARS]
    finite = [100 * loss.error_m for loss in losses if loss.error_m is not None]
    edge = 1.15 * max([*finite, 100 * survey.prediction.median_m])
    widths = [edge if loss.error_m is None else 100 * loss.error_m for loss in losses]
    bars = axes.barh(range(len(losses)), widths, height=0.7, color="#7a8ca3")
    for bar, loss in zip(bars, losses, strict=True):
        bar.set(hatch="///" if loss.error_m is None else "", facecolor="#d9dee5" if loss.error_m is None else "#7a8ca3")
    axes.axvline(100 * survey.prediction.median_m, color="black", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(losses)), [loss.name for loss in losses], fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, edge)
    axes.set_ylim(max(len(losses), FEWEST_BARS) - 0.4, -0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("median error without it (cm)")
    axes.set_title(_loss_title(survey), loc="left", fontsize=10)


def _loss_title(survey: Survey) -> str:
    if all(loss.error_m is None for loss in survey.losses):
        return "Hatched: without it, no position"
    return f"Dashed: all {len(survey.losses)} microphones"


# The estimates


def _draw_sources(axes: Any, plane: Plane, picture: Picture) -> None:
    """Dots coloured by time, hollow where several places explain the sound, each in its ellipse."""
    if not len(picture.positions):
        return
    points, colours = projected(picture.positions, plane), _time_colours(picture)
    is_many = len(points) > MANY
    axes.add_collection(_ellipses(points, picture.covariances, plane, axes, colours, 0.12 if is_many else 0.35))
    faces = np.where(picture.is_candidate[:, None], 1.0, colours)
    axes.scatter(
        *points.T, s=12 if is_many else 26, c=faces, edgecolors=colours, linewidths=0.8 if is_many else 1.5, zorder=4
    )  # fmt: skip


def _time_colours(picture: Picture) -> Float[np.ndarray, "source 4"]:
    """From dark to light over time; the lightest tenth, which white would swallow, is not used."""
    first, last = picture.time_s.min(), picture.time_s.max()
    share = (picture.time_s - first) / (last - first) if last > first else np.full(len(picture.time_s), 0.5)
    colours: np.ndarray = library("matplotlib").colormaps[COLOURS](0.15 + 0.75 * share)
    return colours


def _ellipses(
    points: Float[np.ndarray, "source 2"], covariances: Float[np.ndarray, "source 3 3"], plane: Plane, axes: Any,
    colours: Float[np.ndarray, "source 4"], strength: float,
) -> Any:  # fmt: skip
    """The 90 % ellipses of the projected covariances."""
    kept = list(AXES[plane])
    variances, vectors = np.linalg.eigh(covariances[:, kept][:, :, kept])
    widths, heights = 2 * ELLIPSE_90 * np.sqrt(np.maximum(variances, 0)).T
    angles = np.degrees(np.arctan2(vectors[:, 1, 0], vectors[:, 0, 0]))
    faded = colours * np.array([1, 1, 1, strength])
    return library("matplotlib.collections").EllipseCollection(
        widths, heights, angles, units="xy", offsets=points, offset_transform=axes.transData, facecolors=faded,
        edgecolors=colours * np.array([1, 1, 1, min(1.0, 2 * strength)]), linewidths=0.8, zorder=3,
    )  # fmt: skip


def _draw_microphones(axes: Any, plane: Plane, picture: Picture) -> None:
    """Dots, diamonds where the place was estimated; red crosses where left out."""
    points, is_used = projected(picture.microphones, plane), picture.is_used
    for symbol, chosen in (("o", is_used & ~picture.is_estimated), ("D", is_used & picture.is_estimated)):
        axes.scatter(*points[chosen].T, s=30, c="black", marker=symbol, zorder=5)
    axes.scatter(*points[~is_used].T, s=46, c="#c8102e", marker="x", linewidths=2, zorder=5)


def _legend(picture: Picture) -> list[Any]:
    """Only what the picture holds."""
    colour = library("matplotlib").colormaps[COLOURS](0.5)
    entries = (
        (picture.is_used.any(), _marker("o", "black", "microphone")),
        ((~picture.is_used).any(), _marker("x", "none", "left out", edge="#c8102e")),
        ((~picture.is_candidate).any(), _marker("o", colour, "source, 90 % region", edge=colour)),
        (picture.is_candidate.any(), _marker("o", "white", "one of several places", edge=colour)),
    )
    return [handle for is_there, handle in entries if is_there]


def _draw_times(figure: Any, place: Any, picture: Picture) -> None:
    """One strip a coordinate over a shared time axis, with 90 % intervals; windows without an answer are shaded."""
    strips = place.subgridspec(3, 1).subplots(sharex=True)
    for axis, axes in enumerate(strips):
        if len(picture.positions):
            _draw_coordinate(axes, axis, picture)
        for time_s in picture.unanswered_s:
            axes.axvline(time_s, color="0.9", linewidth=2, zorder=0)
        axes.set_ylabel(f"{'xyz'[axis]} (m)")
        axes.grid(alpha=0.3)
    strips[0].set_title(
        "Over time" + (" (grey: no answer)" if len(picture.unanswered_s) else ""), loc="left", fontsize=10
    )
    strips[2].set_xlabel("time (s)")


def _draw_coordinate(axes: Any, axis: int, picture: Picture) -> None:
    values, colours = picture.positions[:, axis], _time_colours(picture)
    reach = INTERVAL_90 * np.sqrt(picture.covariances[:, axis, axis])
    low, high = picture.box[0, axis], picture.box[1, axis]
    axes.vlines(picture.time_s, values - reach, values + reach, colors=colours, alpha=0.4, linewidth=1)
    faces = np.where(picture.is_candidate[:, None], 1.0, colours)
    axes.scatter(picture.time_s, values, s=14, c=faces, edgecolors=colours, linewidths=0.8, zorder=4)
    margin = 0.03 * (high - low)
    axes.set_ylim(low - margin, high + margin)
