"""What chaos did: a table, every try as JSON, and a picture. Centimetres and percent exist only here."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from soundfix.atomic import atomic_path
from soundfix.evaluation.chaos import EXPECTED, Attempt, Clean
from soundfix.report.canvas import DPI, library, write_figure

FILES = ("chaos.md", "chaos.json", "chaos.png")
LARGE = 0.9  # quantile of the errors that is told beside the median
HEAD = (
    "fault", "tries", "found (%)", "named (%)", "false alarms (%)", "error before (cm)", "after (cm)", "90 % before (cm)",
    "after (cm)", "no answer (%)",
)  # fmt: skip
LEAST_CM, MOST_CM = 0.1, 1000.0  # of the error axis
HARMLESS, LEAST_HARM_M = 1.5, 0.015  # times the error before, and so far: drawn as no harm
CALM, HARM, SOUND = "#2a7f86", "#d1495b", "#8fa3ad"
LEFT_INCHES, RIGHT_INCHES, ROW_INCHES, EDGE_INCHES = 5.6, 3.0, 0.3, 1.9


@dataclass(frozen=True, kw_only=True)
class FaultLine:
    """All tries of one label. Shares of tries, errors over all their windows (m, NaN where none has an answer)."""

    label: str
    tries: int
    found: float
    named: float
    alarmed: float
    before_m: tuple[float, float]  # median, 90 %
    after_m: tuple[float, float]
    unanswered: float


def lines_of(attempts: Sequence[Attempt]) -> list[FaultLine]:
    """A line a label, in the order in which they came."""
    labels = dict.fromkeys(attempt.label for attempt in attempts)
    return [_line(label, [attempt for attempt in attempts if attempt.label == label]) for label in labels]


def _line(label: str, chosen: Sequence[Attempt]) -> FaultLine:
    return FaultLine(
        label=label,
        tries=len(chosen),
        found=float(np.mean([attempt.is_found for attempt in chosen])),
        named=float(np.mean([attempt.is_named for attempt in chosen])),
        alarmed=float(np.mean([bool(attempt.alarms) for attempt in chosen])),
        before_m=typical(np.concatenate([attempt.before_m for attempt in chosen])),
        after_m=typical(np.concatenate([attempt.after_m for attempt in chosen])),
        unanswered=float(np.mean([attempt.unanswered for attempt in chosen])),
    )


def typical(errors_m: Float[np.ndarray, "window"]) -> tuple[float, float]:
    """Median and 90 % error of the windows with an answer."""
    answered = errors_m[np.isfinite(errors_m)]
    return (float(np.median(answered)), float(np.quantile(answered, LARGE))) if len(answered) else (np.nan, np.nan)


def told(lines: Iterable[FaultLine]) -> list[tuple[str, ...]]:
    """The cells of the table under HEAD. What has no effect is not to be found."""
    return [
        (
            line.label, str(line.tries), "-" if _is_mended(line) else _percent(line.found), _percent(line.named),
            _percent(line.alarmed),
            *(centimetres(error_m) for pair in zip(line.before_m, line.after_m, strict=True) for error_m in pair),
            _percent(line.unanswered),
        )
        for line in lines
    ]  # fmt: skip


def _is_mended(line: FaultLine) -> bool:
    return EXPECTED.get(line.label) == "mended"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def centimetres(error_m: float) -> str:
    return f"{100 * error_m:.2g}" if error_m < 0.1 else "-" if np.isnan(error_m) else f"{100 * error_m:.0f}"


def describe_clean(clean: Clean) -> list[str]:
    """In sentences: what was broken, and by what errors are measured."""
    scene, count = clean.scene, len(clean.scene.microphones)
    reference = "the truth" if clean.is_true else f"what {clean.localizer.name} itself answers on the clean recording"
    median_m, large_m = typical(clean.errors_m(clean.heard))
    before = f"; median error {centimetres(median_m)} cm, 90 % {centimetres(large_m)} cm" if clean.is_true else ""
    faults = scene.truth.faults if scene.truth else ()
    named = f" It already names {', '.join(clean.alarms)}: is the recording clean?" if clean.alarms else ""
    named += f" By its truth it is not clean: {', '.join(faults)}." if faults else ""
    return [
        f"{clean.localizer.name} on {scene.duration_s:.3g} s of {count} microphones. Errors are measured from {reference}.",
        f"Clean: {_percent(clean.heard.unanswered)} % of the windows without an answer{before}.{named}",
    ]


def markdown(clean: Clean, attempts: Sequence[Attempt]) -> str:
    """chaos.md: what the numbers are, and a row a fault."""
    marks = ("---", *["---:"] * (len(HEAD) - 1))
    rows = [f"| {' | '.join(cells)} |" for cells in (HEAD, marks, *told(lines_of(attempts)))]
    notes = "Found, named, false alarms: share of tries. Dc and gain are to be mended: named is who accuses nobody."
    return "\n\n".join(["# Chaos", *describe_clean(clean), "\n".join(rows), notes]) + "\n"


def plain(lines: Iterable[FaultLine]) -> list[str]:
    """The table for a terminal: one line a fault."""
    head = f"{'fault':12s} tries  found  named  false alarms  error before -> after      no answer"
    return [head, *(_plain(cells) for cells in told(lines))]


def _plain(cells: Sequence[str]) -> str:
    label, tries, found, named, alarmed, before, after, _, _, unanswered = cells
    shares = f"{tries:>5s} {_with_sign(found)}  {_with_sign(named)}      {_with_sign(alarmed)}"
    return f"{label:12s} {shares}  {before:>9s} -> {after:>5s} cm       {_with_sign(unanswered)}"


def _with_sign(cell: str) -> str:
    return f"{cell:>4s} {'%' if cell != '-' else ' '}"


def as_dict(clean: Clean, attempts: Sequence[Attempt], settings: dict[str, Any]) -> dict[str, Any]:
    """chaos.json: settings, the clean recording, every try. Errors are null where no window has an answer."""
    median_m, large_m = _nullable(typical(clean.errors_m(clean.heard)))
    return settings | {
        "method": clean.localizer.name,
        "reference": "truth" if clean.is_true else "clean answers",
        "duration_s": clean.scene.duration_s,
        "clean": {
            "alarms": clean.alarms,
            "median_m": median_m,
            "p90_m": large_m,
            "unanswered": clean.heard.unanswered,
        },
        "tries": [_attempt_dict(attempt) for attempt in attempts],
    }


def _attempt_dict(attempt: Attempt) -> dict[str, Any]:
    before, after = _nullable(typical(attempt.before_m)), _nullable(typical(attempt.after_m))
    return {
        "label": attempt.label,
        "kinds": attempt.kinds,
        "microphones": attempt.microphones,
        "found": attempt.is_found,
        "named": attempt.is_named,
        "alarms": attempt.alarms,
        "before": {"median_m": before[0], "p90_m": before[1]},
        "after": {"median_m": after[0], "p90_m": after[1]},
        "unanswered": attempt.unanswered,
        "refused": attempt.refused or None,
    }


def _nullable(numbers: Iterable[float]) -> list[float | None]:
    return [None if np.isnan(number) else number for number in numbers]


def write_report(out: Path, clean: Clean, attempts: Sequence[Attempt], settings: dict[str, Any]) -> None:
    """FILES in this folder, each whole or not at all."""
    text, document, picture = (out / name for name in FILES)
    with atomic_path(text) as part:
        part.write_text(markdown(clean, attempts), encoding="utf-8")
    with atomic_path(document) as part:
        part.write_text(json.dumps(as_dict(clean, attempts, settings), indent=1, allow_nan=False) + "\n")
    draw(clean, lines_of(attempts), picture)


def draw(clean: Clean, lines: Sequence[FaultLine], path: Path) -> None:
    """A row a fault: errors before and after on a log axis, and beside it who was named."""
    figure = library("matplotlib.figure").Figure(
        figsize=(LEFT_INCHES + RIGHT_INCHES, ROW_INCHES * len(lines) + EDGE_INCHES), dpi=DPI, layout="constrained"
    )
    errors, shares = figure.subplots(1, 2, width_ratios=[LEFT_INCHES, RIGHT_INCHES], sharey=True)
    _draw_errors(errors, lines, is_true=clean.is_true)
    _draw_shares(shares, lines)
    errors.set_yticks(range(len(lines)), [line.label for line in lines])
    errors.set_ylim(len(lines) - 0.4, -0.6)
    figure.suptitle("\n".join(describe_clean(clean)), x=0.01, ha="left", fontsize=9, wrap=True)
    figure.legend(handles=_legend(), loc="outside lower left", ncols=5, frameon=False, fontsize=8)
    write_figure(figure, path)


def _draw_errors(axes: Any, lines: Sequence[FaultLine], *, is_true: bool) -> None:
    """Hollow before, full after, a thin line to the 90 % error; red where it did harm."""
    for row, line in enumerate(lines):
        (before, _), (after, large) = _on_axis(line.before_m), _on_axis(line.after_m)
        colour = CALM if line.after_m[0] <= max(HARMLESS * line.before_m[0], LEAST_HARM_M) else HARM
        axes.plot([after, large], [row, row], color=colour, linewidth=1.2, alpha=0.45, zorder=2)
        axes.plot(
            [before, after], [row, row], color=colour, linewidth=3.5, alpha=0.35, zorder=2, solid_capstyle="round"
        )
        axes.plot(before, row, "o", markersize=10, markerfacecolor="white", markeredgecolor="0.3", zorder=3)
        axes.plot(after, row, "o", markersize=6.5, color=colour, markeredgewidth=0, zorder=4)
    axes.set(xscale="log", xlim=(LEAST_CM * 0.8, MOST_CM * 1.25))
    axes.set_xticks([0.1, 1, 10, 100, 1000], ["1 mm", "1 cm", "10 cm", "1 m", "10 m"])
    axes.set_title("Error" if is_true else "Moved by", loc="left", fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _on_axis(errors_m: tuple[float, float]) -> tuple[float, float]:
    low, high = np.clip(100 * np.array(errors_m), LEAST_CM, MOST_CM).tolist()
    return low, high


def _draw_shares(axes: Any, lines: Sequence[FaultLine]) -> None:
    rows = np.arange(len(lines))
    axes.barh(rows, 100, height=0.62, color="0.94", zorder=0)
    axes.barh(rows, [100 * line.named for line in lines], height=0.62, color=SOUND, zorder=1)
    found = [np.nan if _is_mended(line) else 100 * line.found for line in lines]
    axes.plot(found, rows, "|", color="black", markersize=9, markeredgewidth=1.6, zorder=3)
    axes.barh(rows + 0.24, [100 * line.alarmed for line in lines], height=0.14, color=HARM, zorder=2)
    axes.set_xlim(0, 101)
    axes.set_xticks([0, 50, 100], ["0", "50", "100 %"])
    axes.set_title("Named", loc="left", fontsize=10)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)


def _legend() -> list[Any]:
    line, patch = library("matplotlib.lines").Line2D, library("matplotlib.patches").Patch
    dot = {"linestyle": "none", "marker": "o"}
    return [
        line([], [], markerfacecolor="white", markeredgecolor="0.3", markersize=9, label="median before", **dot),
        line([], [], color=CALM, markeredgewidth=0, markersize=6.5, label="after, line to 90 %", **dot),
        line([], [], color=HARM, markeredgewidth=0, markersize=6.5, label=f"after, {HARMLESS:g} times worse", **dot),
        patch(color=SOUND, label="named exactly (stroke: found)"),
        patch(color=HARM, label="false alarms"),
    ]
