"""What `soundfix calibrate` tells: lines to read, a dictionary for JSON, and a picture of the array before and after."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from soundfix.calibration.findings import Calibration, MicrophoneFinding
from soundfix.calibration.list_units import METRES, in_metres
from soundfix.microphones import Microphones
from soundfix.physics import radius90
from soundfix.report.canvas import (
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
from soundfix.scene import Room

MARGIN_M = 0.5  # round what is drawn
NEW_PLACES = ("placed", "misplaced", "late and misplaced", "swapped")
MOVED, KEPT, TRACK = "#c8102e", "black", "#7a8ca3"


def lines(result: Calibration, microphones: Microphones) -> Iterator[str]:
    """The result as text."""
    yield from (f"doubtful: {doubt}" for doubt in result.doubts)
    if result.unit != METRES:
        yield f"the list fits as {result.unit}: taken so, and corrected in metres"
    what = "sounds" if result.tells_clocks_only else "moments"
    yield f"{len(result.times_s)} {what} from {result.times_s[0]:.1f} to {result.times_s[-1]:.1f} s"
    width = max(len(repair.name) for repair in result.repairs)
    for repair in result.repairs:
        told = "its clock is the time" if repair.name == result.reference else _finding(repair)
        yield f"  {repair.name:<{width}}  {told}"
    known = f" ± {result.speed_sigma_m_s:.1f} m/s" if result.speed_sigma_m_s else " m/s, as it was told"
    yield f"speed of sound {result.speed_m_s:.1f}{known}"
    yield _residuals(result)
    if result.is_relative:
        yield "fewer than three positions were known: the layout is right but for a turn, a shift and a mirror image"
    if result.is_doubtful:
        yield f"doubtful, as said above: {_cure(result)}"
    if result.has_free_clocks:
        reference = result.reference or microphones.names[int(np.flatnonzero(microphones.is_known)[0])]
        yield f"clocks run by that of {reference}"
    if result.tells_clocks_only:
        yield "positions stay as listed: a few sounds tell clocks, and of places so far apart no more than a list does"
    if result.stand_m is not None:
        x, y, z = result.stand_m
        where = f"stand near ({x:.1f}, {y:.1f}) and sound at a height of {z:.1f} m"
        yield f"not enough motion yet for {result.stand_for}: next, {where}"


def _cure(result: Calibration) -> str:
    if result.tells_clocks_only:
        return "clocks may be wrong; more sounds would tell, at other places, that most recorders hear"
    return "the layout may be wrong; walk longer, at more heights, in less noise"


def _finding(repair: MicrophoneFinding) -> str:
    x, y, z = repair.position_m
    radius_m = radius90(repair.covariance_m2) if repair.covariance_m2.any() else 0.0
    place = f"({x:.2f}, {y:.2f}, {z:.2f}) m ±{100 * radius_m:.0f} cm{_image(repair)}"
    told = {
        "good": "good",
        "placed": f"placed at {place}",
        "misplaced": f"misplaced by {repair.moved_m or 0:.2f} m: stands at {place}",
        "late": f"its clock is off by {_clock(repair)}",
        "drifting": f"its clock is off by {_clock(repair)} and drifts by {repair.drift_ppm:+.0f} ppm",
        "late and misplaced": f"its clock is off by {_clock(repair)}, and it stands at {place}",
        "swapped": f"exchanged with {repair.other}: its channel, or its row of the list",
        "unheard": "was not heard; it stays as it was listed",
        "unsure": "not sure of where it stands and how its clock runs; it stays as it was listed",
        "on time": f"on time, within {_within(repair)}",
        "elsewhere": "no clock explains what it hears: does it stand where it is listed?",
    }[repair.finding]
    return told if repair.after_m is None else f"{told}{_before_after(repair)}"


def _image(repair: MicrophoneFinding) -> str:
    if repair.image_m is None:
        return ""
    x, y, z = repair.image_m
    return f", or at its mirror image ({x:.2f}, {y:.2f}, {z:.2f}): sounds off the plane of the walk would tell"


def _clock(repair: MicrophoneFinding) -> str:
    return f"{1e3 * repair.offset_s:+.2f} ms (±{1e6 * repair.offset_sigma_s:.0f} us)"


def _within(repair: MicrophoneFinding) -> str:
    return f"{1e3 * (abs(repair.offset_s) + 2 * repair.offset_sigma_s):.1f} ms"


def _before_after(repair: MicrophoneFinding) -> str:
    assert repair.after_m is not None
    before = "" if repair.before_m is None else f"{100 * repair.before_m:.1f} -> "
    return f"; misfit {before}{100 * repair.after_m:.1f} cm"


def _residuals(result: Calibration) -> str:
    before = [repair.before_m for repair in result.repairs if repair.before_m is not None]
    after = [repair.after_m for repair in result.repairs if repair.after_m is not None]
    first = f"{100 * max(before):.1f} cm before, " if before else ""
    return f"worst microphone's median misfit: {first}{100 * max(after):.1f} cm after"


def as_dict(result: Calibration) -> dict[str, Any]:
    """Plain lists and numbers, in SI units."""
    return {
        "speed_of_sound_m_s": result.speed_m_s,
        "speed_of_sound_sigma_m_s": result.speed_sigma_m_s,
        "is_relative": result.is_relative,
        "is_doubtful": result.is_doubtful,
        "doubts": list(result.doubts),
        "list_unit": result.unit,
        "has_free_clocks": result.has_free_clocks,
        "clocks_run_by": result.reference,
        "tells_clocks_only": result.tells_clocks_only,
        "stand_next_m": None if result.stand_m is None else result.stand_m.tolist(),
        "stand_next_for": result.stand_for,
        "microphones": [_plain(repair) for repair in result.repairs],
        "track": {"times_s": result.times_s.tolist(), "places_m": result.sources.tolist()},
    }


def _plain(repair: MicrophoneFinding) -> dict[str, Any]:
    return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in vars(repair).items()}


def plot(result: Calibration, microphones: Microphones, room: Room | None, path: Path) -> None:
    """The array from above and from the side, as listed and as found, and the track of the source, as PNG."""
    checked_suffix(path, FLAT)
    found = np.array([repair.position_m for repair in result.repairs])
    listed = in_metres(microphones, result.unit).border_positions()
    box = _box(np.concatenate([found, result.sources, listed[microphones.is_known]]), room)
    figure = blank_figure(box, extra_inches=0.0)
    views, _ = grid(figure, box, 0.0)
    is_new = np.array([repair.finding in NEW_PLACES for repair in result.repairs])
    for (plane, axes), title in zip(views.items(), ("From above", "From the side"), strict=True):
        frame(axes, plane, box, title)
        axes.plot(*projected(result.sources, plane).T, ".", color=TRACK, markersize=3, zorder=2)
        _draw_moves(axes, projected(listed, plane), projected(found, plane), is_new & microphones.is_known)
        _draw_images(axes, result, plane)
        axes.scatter(*projected(found[~is_new], plane).T, s=30, c=KEPT, zorder=5)
        axes.scatter(*projected(found[is_new], plane).T, s=40, c=MOVED, marker="D", zorder=6)
    figure.legend(handles=_legend(), loc="outside lower left", ncols=3, frameon=False, fontsize=9)
    settle(figure)
    for plane, axes in views.items():
        label(
            axes, projected(found, plane), [_caption(repair) for repair in result.repairs], projected(found, plane)[:0]
        )
    write_figure(figure, path)


def _caption(repair: MicrophoneFinding) -> str:
    return repair.name if repair.finding == "good" else f"{repair.name}: {repair.finding}"


def _draw_moves(axes: Any, listed: np.ndarray, found: np.ndarray, moves: np.ndarray) -> None:
    """An arrow from where the list has a microphone to where it stands."""
    for start, end in zip(listed[moves], found[moves], strict=True):
        axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": MOVED, "lw": 1.2}, zorder=4)
    axes.scatter(*listed[moves].T, s=30, facecolors="none", edgecolors=MOVED, zorder=5)


def _draw_images(axes: Any, result: Calibration, plane: Plane) -> None:
    """A dotted line from where a microphone is to where it may be instead."""
    for repair in result.repairs:
        if repair.image_m is not None:
            both = projected(np.stack([repair.position_m, repair.image_m]), plane)
            axes.plot(*both.T, ":", color=MOVED, marker="D", markersize=6, markerfacecolor="none", zorder=4)


def _legend() -> list[Any]:
    line = library("matplotlib.lines").Line2D
    entries = (
        ("o", KEPT, KEPT, "where it is listed"),
        ("o", "none", MOVED, "listed place"),
        ("D", MOVED, MOVED, "found place"),
        ("D", "none", MOVED, "or this place"),
        (".", TRACK, TRACK, "where the sound was"),
    )
    return [
        line([], [], linestyle="none", marker=symbol, markerfacecolor=face, markeredgecolor=edge, label=name)
        for symbol, face, edge, name in entries
    ]


def _box(points: Float[np.ndarray, "point 3"], room: Room | None) -> Float[np.ndarray, "2 3"]:
    if room is not None:
        return np.array(room, dtype=np.float64)
    return np.stack([points.min(axis=0) - MARGIN_M, points.max(axis=0) + MARGIN_M])
