"""The report of `soundfix check` as text, as JSON and as a picture of predicted errors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

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
from soundfix.report.clock import COLOURS
from soundfix.report.exchanges import exchange_dicts, exchange_lines
from soundfix.report.plots import marker
from soundfix.report.requirement import promise_dict, promise_lines
from soundfix.survey.array_geometry import Geometry, Loss, Prediction, Slice
from soundfix.survey.survey import Survey

MOST_LEVELS, FEWEST_BARS, MOST_BARS = 9, 12, 20
SURVEY_INCHES, BAR_INCHES = 3.4, 1.0  # the losses beside the views, and the colour bar
GRADE_COLOURS = {"good": "#ffffff", "fair": "#ffd23f", "poor": "#ff5a36", "dead": "#000000", "unheard": "#c0c0c0"}
NICE_CM = np.array([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8])  # levels of the error map, times powers of ten

MOST_LOSSES_PRINTED = 5


def survey_lines(survey: Survey) -> list[str]:
    """The report as text, centimetres in print."""
    return [
        *_microphone_lines(survey),
        *exchange_lines(survey.exchanged),
        "",
        *_geometry_lines(survey.geometry),
        "",
        *_prediction_lines(survey.prediction, survey.sigma_m),
        "",
        *_loss_lines(survey.losses),
        *(("", *promise_lines(survey.promise)) if survey.promise else ()),
    ]


def survey_dict(survey: Survey) -> dict[str, Any]:
    """Plain lists and numbers, in SI units."""
    prediction = _plain(survey.prediction)
    report = {
        "timing_error_m": survey.sigma_m,
        "windows": survey.windows,
        "box_m": survey.box.tolist(),
        "microphones": [
            _plain(microphone) | {"is_used": bool(is_used)}
            for microphone, is_used in zip(survey.microphones, survey.is_used, strict=True)
        ],
        "exchanged": exchange_dicts(survey.exchanged),
        "geometry": _plain(survey.geometry),
        "predicted_error": prediction | {"slices": [_plain(plane) for plane in survey.prediction.slices]},
        "without": [loss._asdict() for loss in survey.losses],
    }
    return report | {"contract": promise_dict(survey.promise)} if survey.promise else report


def plot_survey(survey: Survey, path: Path) -> None:
    """Predicted error from above and from the side, and what the loss of each microphone would cost, as PNG.

    Raises OutputError for another suffix, MissingPackageError without matplotlib.
    """
    checked_suffix(path, FLAT)
    figure = blank_figure(survey.box, extra_inches=SURVEY_INCHES + BAR_INCHES)
    views, right = grid(figure, survey.box, SURVEY_INCHES - BAR_INCHES / 2)
    _draw_error(figure, views, survey)
    _draw_losses(figure.add_subplot(right), survey)
    handles = [marker("o", GRADE_COLOURS[g], g) for g in GRADE_COLOURS if any(m.grade == g for m in survey.microphones)]
    figure.legend(handles=handles, loc="outside lower left", ncols=5, frameon=False, fontsize=9)
    settle(figure)
    for plane, axes in views.items():
        _draw_grades(axes, plane, survey)
    write_figure(figure, path)


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


def _plain(result: Any) -> dict[str, Any]:
    """The fields of a dataclass, arrays as lists to a hundredth of a millimetre."""
    plain = {name: v.round(5).tolist() if isinstance(v, np.ndarray) else v for name, v in vars(result).items()}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in plain.items()}


def _cm(length_m: float) -> str:
    """Two digits, or whole centimetres: 0.82, 1.2, 35, 810."""
    cm = 100 * length_m
    return f"{cm:.{2 if cm < 1 else 1 if cm < 10 else 0}f}"


def _microphone_lines(report: Survey) -> Iterator[str]:
    count = f"{report.is_used.sum()} of {len(report.microphones)} microphones are usable"
    yield f"{count} ({report.windows} windows heard)"
    width = max(len(microphone.name) for microphone in report.microphones)
    for microphone in report.microphones:
        level = "" if microphone.level_db is None else f"{microphone.level_db:+.0f} dB"
        yield f"  {microphone.name:<{width}}  {microphone.grade:<7}  {level:>7}  {microphone.why}"


def _geometry_lines(geometry: Geometry) -> Iterator[str]:
    shape = ("is a single point", "is a line", "is flat", "has depth")[geometry.rank]
    yield f"Geometry: {geometry.grade}; the array {shape}"
    yield f"  {geometry.integrity}"
    yield f"  it can lose {geometry.can_lose}, whichever they are, before the geometry fails"
    for limit in geometry.limits:
        yield f"  it cannot tell {limit}"


def _prediction_lines(prediction: Prediction, sigma_m: float) -> Iterator[str]:
    x, y, z = (_cm(deviation) for deviation in prediction.axes_m)
    yield f"Predicted error, where every arrival is good to {1000 * sigma_m:.0f} mm"
    median, p90, worst = (_cm(error_m) for error_m in (prediction.median_m, prediction.p90_m, prediction.worst_m))
    yield f"  median {median} cm, 90 % below {p90} cm, worst {worst} cm"
    yield f"  x {x} cm, y {y} cm, z {z} cm"


def _loss_lines(losses: tuple[Loss, ...]) -> Iterator[str]:
    yield "Median predicted error without"
    width = max(len(loss.name) for loss in losses)
    for loss in losses[:MOST_LOSSES_PRINTED]:
        yield f"  {loss.name:<{width}}  " + ("no position" if loss.error_m is None else f"{_cm(loss.error_m):>5} cm")
    if len(losses) > MOST_LOSSES_PRINTED:
        yield f"  each of the other {len(losses) - MOST_LOSSES_PRINTED}: less"
