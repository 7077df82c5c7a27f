"""Pictures for a report: what a survey predicts, and where the sounds were.

Views are from above (x, y) and from the side (x, z), in metres. Ellipses hold 90 % of the covariance, projected.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from soundfix.estimate import Estimate
from soundfix.microphones import Microphones
from soundfix.report.canvas import (
    AXES,
    FLAT,
    Plane,
    blank_figure,
    checked_suffix,
    frame,
    grid,
    label,
    library,
    projected,
    settle,
    write_figure,
)
from soundfix.report.clock import clock_colours, draw_clock, time_colours
from soundfix.report.film import FILMS, write_film
from soundfix.report.page import Recorded, write_page
from soundfix.report.picture import Picture, gather
from soundfix.scene import Room

ELLIPSE_90 = float(np.sqrt(2 * np.log(10)))  # standard deviations that hold 90 % of a Gaussian in a plane
INTERVAL_90 = 1.645  # and on a line
TIME_INCHES = 5.4  # what stands beside the views
ANGLES = ("azimuth (degrees)", "elevation (degrees)")
MANY = 40  # sources, from which on ellipses are fainter and dots smaller
LARGE_SHARE, OUTLINE = 0.15, 0.45  # of what is drawn; how strong the line of a large region is


def plot_estimates(
    estimates: Iterable[Estimate],
    microphones: Microphones,
    room: Room | None,
    path: Path,
    recorded: Recorded | None = None,
) -> None:
    """Microphones and sources, by the suffix: two views and coordinates over time (.png, .svg, .pdf), a page to turn and to
    play (.html), or a film of all windows (.gif, .mp4).

    recorded: of the sound, for a page. Raises OutputError for another suffix, or without ffmpeg for .mp4;
    MissingPackageError without matplotlib.
    """
    suffix = checked_suffix(path, WRITERS)
    if suffix == PAGE:
        write_page(path, estimates, microphones, room, recorded)
    else:
        WRITERS[suffix](gather(estimates, microphones, room), path)


def _write_views(picture: Picture, path: Path) -> None:
    beside = TIME_INCHES if picture.windows > 1 else 0.0
    figure = blank_figure(picture.box, extra_inches=beside)
    views, right = grid(figure, picture.box, beside)
    for (plane, axes), title in zip(views.items(), ("From above", "From the side"), strict=True):
        frame(axes, plane, picture.box, title)
        _draw_sources(axes, plane, picture)
        _draw_rays(axes, plane, picture)
        _draw_microphones(axes, plane, picture)
    if right is not None:
        _draw_times(figure, right, picture)
        draw_clock(figure, list(views.values()), picture)
    figure.legend(handles=_legend(picture), loc="outside lower left", ncols=4, frameon=False, fontsize=9)
    settle(figure)
    for plane, axes in views.items():
        order = np.argsort(picture.is_used, kind="stable")
        points = projected(picture.microphones[order], plane)
        label(axes, points, [picture.captions[m] for m in order], projected(picture.positions, plane))
    write_figure(figure, path)


PAGE = ".html"
WRITERS: dict[str, Any] = dict.fromkeys(FLAT, _write_views) | {PAGE: write_page} | dict.fromkeys(FILMS, write_film)


def marker(symbol: str, face: Any, name: str, edge: Any = "black") -> Any:
    return library("matplotlib.lines").Line2D(
        [], [], linestyle="none", marker=symbol, markersize=7, markerfacecolor=face, markeredgecolor=edge, label=name
    )  # fmt: skip


def _draw_sources(axes: Any, plane: Plane, picture: Picture) -> None:
    """Dots coloured by time, hollow where several places explain the sound, each in its ellipse."""
    if not len(picture.positions):
        return
    points, colours = projected(picture.positions, plane), time_colours(picture, picture.time_s)
    is_many = len(points) > MANY
    _draw_regions(axes, plane, picture, colours, 0.12 if is_many else 0.35)
    faces = np.where(picture.is_candidate[:, None], 1.0, colours)
    axes.scatter(
        *points.T, s=12 if is_many else 26, c=faces, edgecolors=colours, linewidths=0.8 if is_many else 1.5, zorder=4
    )  # fmt: skip


def _draw_rays(axes: Any, plane: Plane, picture: Picture) -> None:
    """Lines from the array, each in the shadow of its cone."""
    if not len(picture.rays):
        return
    hulls = [np.concatenate([ray[:1], rim]) for ray, rim in zip(picture.rays, picture.cones, strict=True)]
    shadows = [_outline(projected(hull, plane)) for hull in hulls]
    collections, colours = library("matplotlib.collections"), time_colours(picture, _ray_times(picture))
    faded = colours * np.array([1, 1, 1, 0.04 if len(shadows) > MANY else 0.15])
    axes.add_collection(collections.PolyCollection(shadows, facecolors=faded, linewidths=0, zorder=2))
    lines = picture.rays[..., list(AXES[plane])]
    axes.add_collection(collections.LineCollection(lines, colors=colours, linewidths=1.2, zorder=3))


def _outline(points: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "corner 2"]:
    """The convex hull; of points on a line, the points."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return points[ConvexHull(points).vertices]
    except QhullError:
        return points


def _ray_times(picture: Picture) -> Float[np.ndarray, "ray"]:
    return np.array([time_s for time_s, _ in picture.directions])


def _draw_regions(axes: Any, plane: Plane, picture: Picture, colours: np.ndarray, strength: float) -> None:
    """Regions of 90 %; large ones as outlines below the others, so that they hide no good answer."""
    is_large = _is_large(picture)
    for chosen, share, layer in ((is_large, 0.0, 2), (~is_large, strength, 3)):
        points = projected(picture.positions[chosen], plane)
        some = _ellipses(points, picture.covariances[chosen], plane, axes, colours[chosen], share)
        some.set_zorder(layer)
        if layer == 2:
            some.set(edgecolors=colours[chosen] * np.array([1, 1, 1, OUTLINE]), linewidths=0.6)
        axes.add_collection(some)


def _is_large(picture: Picture) -> Bool[np.ndarray, "source"]:
    """Regions that reach further than a seventh of the longest side of what is drawn."""
    reach = ELLIPSE_90 * np.sqrt(np.linalg.eigvalsh(picture.covariances)[:, -1])
    is_large: np.ndarray = reach > LARGE_SHARE * float(np.ptp(picture.box, axis=0).max())
    return is_large


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
    colour = clock_colours()(0.5)
    entries = (
        (picture.is_used.any(), marker("o", "black", "microphone")),
        ((~picture.is_used).any(), marker("x", "none", "left out", edge="#c8102e")),
        ((~picture.is_candidate).any(), marker("o", colour, "source, 90 % region", edge=colour)),
        (
            _is_large(picture).any(),
            library("matplotlib.lines").Line2D([], [], color=colour, lw=0.8, label="large region"),
        ),
        (len(picture.rays) > 0, library("matplotlib.lines").Line2D([], [], color=colour, label="direction, 90 % cone")),
        (picture.is_candidate.any(), marker("o", "white", "one of several places", edge=colour)),
    )
    return [handle for is_there, handle in entries if is_there]


def _draw_times(figure: Any, place: Any, picture: Picture) -> None:
    """One strip a coordinate, or an angle where there is no place at all, over a shared time axis, with 90 % intervals;
    windows without an answer are shaded."""
    names = ANGLES if len(picture.rays) and not len(picture.positions) else ("x (m)", "y (m)", "z (m)")
    strips = place.subgridspec(len(names), 1).subplots(sharex=True)
    for axis, axes in enumerate(strips):
        if len(picture.positions):
            _draw_coordinate(axes, axis, picture)
        elif names is ANGLES:
            _draw_angle(axes, axis, picture)
        for time_s in picture.unanswered_s:
            axes.axvline(time_s, color="0.9", linewidth=2, zorder=0)
        axes.set_ylabel(names[axis])
        axes.grid(alpha=0.3)
    strips[0].set_title(
        "Over time" + (" (grey: no answer)" if len(picture.unanswered_s) else ""), loc="left", fontsize=10
    )
    strips[-1].set_xlabel("time (s)")


def _draw_angle(axes: Any, axis: int, picture: Picture) -> None:
    """Azimuth or elevation of every ray."""
    time_s, sides = _ray_times(picture), [side for _, side in picture.directions]
    values = np.array([(side.azimuth_deg, side.elevation_deg)[axis] for side in sides])
    level = np.cos(np.radians([side.elevation_deg for side in sides])) if axis == 0 else np.ones(len(sides))
    reach = np.minimum(np.array([side.cone90_deg for side in sides]) / np.maximum(level, 1e-3), 180)
    colours = time_colours(picture, time_s)
    axes.vlines(time_s, values - reach, values + reach, colors=colours, alpha=0.4, linewidth=1)
    axes.scatter(time_s, values, s=14, c=colours, zorder=4)


def _draw_coordinate(axes: Any, axis: int, picture: Picture) -> None:
    values, colours = picture.positions[:, axis], time_colours(picture, picture.time_s)
    reach = INTERVAL_90 * np.sqrt(picture.covariances[:, axis, axis])
    low, high = picture.box[0, axis], picture.box[1, axis]
    axes.vlines(picture.time_s, values - reach, values + reach, colors=colours, alpha=0.4, linewidth=1)
    faces = np.where(picture.is_candidate[:, None], 1.0, colours)
    axes.scatter(picture.time_s, values, s=14, c=faces, edgecolors=colours, linewidths=0.8, zorder=4)
    margin = 0.03 * (high - low)
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    axes.set_ylim(low - margin, high + margin)
