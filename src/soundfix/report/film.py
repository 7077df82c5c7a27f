"""A film of a recording: where sounds are, window by window, with what was before them as a trail.

GIF needs nothing more; MP4 needs the program ffmpeg. Long recordings are shown in leaps, so that a film stays short.
"""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from soundfix.atomic import atomic_path
from soundfix.errors import OutputError
from soundfix.report.canvas import (
    Plane,
    blank_figure,
    checked_suffix,
    frame,
    grid,
    label,
    library,
    projected,
    settle,
)
from soundfix.report.picture import Picture

FILMS = (".gif", ".mp4")
MOST_FRAMES, FRAMES_A_SECOND, DPI = 240, 8, 90
TRAIL_S = 3.0  # so long a place is still seen
NOW, BEFORE, WRONG = "#d1495b", "#3a6ea5", "#c8102e"


def write_film(picture: Picture, path: Path) -> None:
    """Every window a frame, or as many as a film may have. Raises OutputError where ffmpeg is missing, or fails."""
    kind = checked_suffix(path, FILMS)
    if kind == ".mp4" and shutil.which("ffmpeg") is None:
        raise OutputError(f"cannot write {path.name}: a film in MP4 needs the program ffmpeg; .gif needs nothing")
    frames = drawn(picture)
    with atomic_path(path) as part:
        _write_gif(frames, part) if kind == ".gif" else _write_mp4(frames, part)


def drawn(picture: Picture) -> Iterator[UInt8[np.ndarray, "row column 4"]]:
    """The frames. What stays is drawn once."""
    figure, views = _stage(picture)
    canvas = library("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    canvas.draw()
    empty = canvas.copy_from_bbox(figure.bbox)
    dots = {plane: _dots(axes) for plane, axes in views.items()}
    said = figure.text(0.98, 0.015, "", ha="right", fontsize=10)
    for time_s in times(picture):
        canvas.restore_region(empty)
        _show(dots, picture, time_s)
        said.set_text(f"{time_s:.1f} s")
        for artist in (*(each for some in dots.values() for each in some), said):
            (artist.axes or figure).draw_artist(artist)
        yield np.array(canvas.buffer_rgba())


def _write_gif(frames: Iterable[np.ndarray], path: Path) -> None:
    """Of 64 colours: lines and dots need no more."""
    images = [library("PIL.Image").fromarray(frame[..., :3]).quantize(64) for frame in frames]
    first, *rest = images
    first.save(path, format="GIF", save_all=True, append_images=rest, duration=1000 // FRAMES_A_SECOND, loop=0)


def _write_mp4(frames: Iterator[np.ndarray], path: Path) -> None:
    """By ffmpeg, which is given raw frames of even sides."""
    first = next(frames)
    height, width = (side - side % 2 for side in first.shape[:2])
    words = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{width}x{height}"]
    words += ["-r", str(FRAMES_A_SECOND), "-i", "-", "-pix_fmt", "yuv420p", "-f", "mp4", str(path)]
    film = b"".join(frame[:height, :width].tobytes() for frame in chain([first], frames))
    run = subprocess.run(words, input=film, capture_output=True)
    if run.returncode:
        raise OutputError(f"ffmpeg could not write the film: {run.stderr.decode(errors='replace').strip()[-200:]}")


def times(picture: Picture) -> np.ndarray:
    """Middles of windows (s), evenly chosen where there are too many."""
    every = np.unique(
        np.concatenate([picture.time_s, picture.unanswered_s, [time_s for time_s, _ in picture.directions]])
    )
    if not len(every):
        return np.zeros(1)
    leap = int(np.ceil(len(every) / MOST_FRAMES))
    chosen: np.ndarray = every[::leap]
    return chosen


def _stage(picture: Picture) -> tuple[Any, dict[Plane, Any]]:
    """What does not change: both views, and the microphones with their names."""
    figure = blank_figure(picture.box, extra_inches=0.0)
    figure.set_dpi(DPI)
    views, _ = grid(figure, picture.box, 0.0)
    for (plane, axes), title in zip(views.items(), ("From above", "From the side"), strict=True):
        frame(axes, plane, picture.box, title)
        points = projected(picture.microphones, plane)
        axes.scatter(*points[picture.is_used].T, s=30, c="black", zorder=5)
        axes.scatter(*points[~picture.is_used].T, s=46, c=WRONG, marker="x", linewidths=2, zorder=5)
    settle(figure)
    for plane, axes in views.items():
        label(axes, projected(picture.microphones, plane), picture.captions, np.zeros((0, 2)))
    return figure, views


def _dots(axes: Any) -> tuple[Any, Any, Any]:
    """To be moved: places of before, those of now, and directions."""
    before = axes.scatter([], [], s=14, linewidths=0, zorder=6)
    now = axes.scatter([], [], s=70, c=NOW, edgecolors="white", linewidths=1.2, zorder=7)
    rays = library("matplotlib.collections").LineCollection([], colors=NOW, linewidths=1.4, zorder=6)
    axes.add_collection(rays)
    return before, now, rays


def _show(dots: dict[Plane, tuple[Any, Any, Any]], picture: Picture, time_s: float) -> None:
    """What was heard then, and shortly before."""
    age_s = time_s - picture.time_s
    is_now, is_before = age_s == 0, (age_s > 0) & (age_s <= TRAIL_S)
    red_green_blue = library("matplotlib.colors").to_rgb(BEFORE)
    faded = [(*red_green_blue, 0.7 * (1 - age / TRAIL_S) + 0.1) for age in age_s[is_before]]
    pointing = np.array([each == time_s for each, _ in picture.directions], dtype=bool)
    for plane, (before, now, rays) in dots.items():
        before.set_offsets(projected(picture.positions[is_before], plane))
        before.set_facecolors(faded)
        now.set_offsets(projected(picture.positions[is_now], plane))
        rays.set_segments([projected(ray, plane) for ray in picture.rays[pointing]])
