"""The page of an ablation: what the change did in a sentence, a picture, a table, and what it does not show.

All variants answer the same windows, so each is compared with the usual one window by window; standard errors are those of
the mean over recordings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from soundfix.evaluation.metrics import NEAR_M, ErrorSummary, Number, bootstrap, summarize
from soundfix.evaluation.rows import Row, grouped
from soundfix.evaluation.tables import centimetres, percent, table, words
from soundfix.report.canvas import library, write_figure
from soundfix.studies.costs import Cost

CERTAIN = 2.0  # standard errors that a difference must have to be told
WIDTH_INCHES, ROW_INCHES, DPI = 6.6, 0.34, 90


@dataclass(frozen=True, kw_only=True)
class Told:
    """The words of a page that no number makes. about: what is changed and why. not_shown: its limit."""

    title: str
    about: str
    not_shown: str


class Difference(NamedTuple):
    """A variant's mean error less that of the usual one (m), on the same windows."""

    variant: str
    number: Number

    @property
    def is_told(self) -> bool:
        return abs(self.number.value) > CERTAIN * self.number.error


def page(name: str, told: Told, rows: Sequence[Row], costs: Mapping[str, Cost], setting: str) -> str:
    """Markdown; the first method of the rows is the usual one."""
    parts = [
        f"# {told.title}",
        answer(rows),
        f"![Mean error and windows under {100 * NEAR_M:.0f} cm of every variant]({name}.png)",
        listing(rows, costs),
        setting,
        told.about,
        f"**What it does not show.** {told.not_shown}",
    ]
    return "\n\n".join(parts) + "\n"


def answer(rows: Sequence[Row]) -> str:
    """Under the first condition: who is better than the usual variant, who is worse, and of whom nothing can be said."""
    condition, first = next(_by_condition(rows))
    usual, *others = differences(first)
    mean = _summary([row for row in first if row.method == usual.variant]).mae_m
    said = [f"{words(condition)}: `{usual.variant}` is off by {100 * mean.value:.1f} ± {100 * mean.error:.1f} cm"]
    for word, chosen in (
        ("better", [each for each in others if each.is_told and each.number.value < 0]),
        ("worse", [each for each in others if each.is_told and each.number.value > 0]),
    ):
        said += [f"{word}: {', '.join(map(_by_how_much, chosen))}"] if chosen else []
    alike = [f"`{each.variant}`" for each in others if not each.is_told]
    said += [f"no difference beyond {CERTAIN:g} standard errors: {', '.join(alike)}"] if alike else []
    return "; ".join(said) + "."


def differences(rows: Sequence[Row]) -> list[Difference]:
    """Of one condition, every variant against the first, in the order of the rows."""
    errors = {method: {row.clip: row for row in mine} for (method,), mine in grouped(rows, "method")}
    usual = next(iter(errors.values()))
    return [Difference(variant, _mean_difference(mine, usual)) for variant, mine in errors.items()]


def _mean_difference(mine: Mapping[int, Row], usual: Mapping[int, Row]) -> Number:
    both = sorted(mine.keys() & usual.keys())
    gaps = np.array([mine[clip].score.error_m - usual[clip].score.error_m for clip in both])
    number = {each: k for k, each in enumerate(sorted({usual[clip].recording for clip in both}))}
    return bootstrap(gaps, np.array([number[usual[clip].recording] for clip in both]), np.random.default_rng(0))


def _by_how_much(each: Difference) -> str:
    return f"`{each.variant}` ({100 * each.number.value:+.1f} ± {100 * each.number.error:.1f} cm)"


def _summary(rows: Sequence[Row]) -> ErrorSummary:
    return summarize([row.score for row in rows], [row.recording for row in rows])


def _by_condition(rows: Sequence[Row]) -> Any:
    names = tuple(rows[0].condition)
    return ((dict(zip(names, values, strict=True)), mine) for values, mine in grouped(rows, *names))


def listing(rows: Sequence[Row], costs: Mapping[str, Cost]) -> str:
    """Every variant under every condition; time and memory of a window where they were measured."""
    has_unknown = any(row.unknown for row in rows)
    head = ["", "variant", "MAE", "less the usual", "< 30 cm", *(["unknown microphones"] if has_unknown else [])]
    head += ["ms", "MB"] if costs else []
    body = []
    for condition, mine in _by_condition(rows):
        gaps = {each.variant: each.number for each in differences(mine)}
        for (variant,), own in grouped(mine, "method"):
            summary = _summary(own)
            line = [
                words(condition),
                variant,
                centimetres(summary.mae_m),
                centimetres(gaps[variant]),
                percent(summary.acc),
            ]
            line += [centimetres(summary.microphones_m)] if has_unknown else []
            body.append(line + (_cost(costs.get(variant)) if costs else []))
    return table(head, body)


def _cost(cost: Cost | None) -> list[str]:
    return ["", ""] if cost is None else [f"{1000 * cost.seconds:.1f}", f"{cost.megabytes:.1f}"]


def draw(rows: Sequence[Row], path: Path) -> Path:
    """A line a variant, the usual one on top: mean error and share under 30 cm, a colour a condition."""
    variants = list(dict.fromkeys(row.method for row in rows))
    figure = library("matplotlib.figure").Figure(
        figsize=(WIDTH_INCHES, 1.5 + ROW_INCHES * len(variants)), dpi=DPI, layout="constrained"
    )
    axes = figure.subplots(1, 2, sharey=True)
    for condition, mine in _by_condition(rows):
        of = [_summary(own) for _, own in grouped(mine, "method")]
        _draw_numbers(axes[0], [each.mae_m for each in of], words(condition))
        _draw_numbers(axes[1], [each.acc for each in of], words(condition))
    axes[0].set_yticks(range(len(variants)), variants)
    axes[0].set(xlabel="mean error (cm)", xlim=(0, None), ylim=(len(variants) - 0.5, -0.5))
    axes[1].set(xlabel="windows under 30 cm (%)", xlim=(0, 101))
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    write_figure(figure, path)
    return path


def _draw_numbers(axis: Any, numbers: Sequence[Number], label: str) -> None:
    values, errors = (100 * np.array([getattr(each, part) for each in numbers]) for part in ("value", "error"))
    axis.errorbar(
        values, range(len(numbers)), xerr=np.nan_to_num(errors), fmt="o", markersize=4, capsize=2, label=label
    )
