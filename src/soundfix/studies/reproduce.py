"""The paper's Tables 1, 2, 3 and its table of several sources, with our numbers beside the published ones.

On LuViRA where its folder is given (splits as in the paper), else on its simulated twin; the title says which. Windows of
0.128 s. Methods that learn are trained for the same time each, on the same data. What the paper leaves open: which 5, 7
and 9 microphones (ours: far apart), which are unknown (ours: drawn by seed, for all methods alike).
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from soundfix.atomic import atomic_path
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.metrics import ErrorSummary, summarize
from soundfix.evaluation.rows import Row
from soundfix.evaluation.tables import table
from soundfix.networks.registry import build
from soundfix.studies.published import ELEVEN, FEWER, METHODS, SEVERAL, UNKNOWN, WEIGHTS_M
from soundfix.studies.setting import Setting, material_for, rows_of
from soundfix.studies.study import Entrant, Say, minutes_of, recipe_of, steps_of, train_all
from soundfix.training.info import trainable
from soundfix.training.recipes import STAGES

WINDOW_S = 0.128
ALONE, FEWER_MICROPHONES, HIDDEN, AT_ONCE = 11, (5, 7, 9), (4, 3, 2), (2, 3)
OURS = "three-stream (ours)"
YARDSTICKS = ("SRP-PHAT", "SRP-PHAT, ASCM", OURS)
REMEMBERED = (
    "Ours remembers the few arrays that it was trained with (known_layouts.py): such a microphone stands at one of their "
    "free places, at which its distance from the source fits best. In another array that distance is all that one window "
    "knows (radius only)."
)
SMALL_NGCC = (  # for two cores, where a step with the published one takes a minute; learning rates for small batches
    "network.ngcc={'channels': 8, 'sinc_taps': 127}",
    "correlation.batch=8",
    "autoencoder.batch=8",
    "localization.batch=8",
    "localization.learning_rate=3e-4",
)
SHORT = Grid(windows_s=(WINDOW_S,), microphones=(ALONE,))
SHORT_TRAINING = tuple(f"{stage}.windows_s=[{WINDOW_S}]" for stage in STAGES)


def entrants(asked: Setting) -> tuple[Entrant, ...]:
    """All methods of the paper, our likelihood head, and the yardsticks. Without BEATs base, the small encoder listens."""
    short, ngcc = SHORT_TRAINING, SMALL_NGCC if asked.small else ()
    paper = (*ngcc, *(() if asked.budget.beats else ("network.acoustic=small",)))
    return (
        Entrant(label="Multilat", method="multilat"),
        Entrant(label="Multilat*", method="multilat-ngcc", weights_of="wav2pos"),
        Entrant(label="DI-NN", method="di-nn", recipe="di-nn", changes=short),
        Entrant(label="GNN", method="gnn", recipe="gnn", changes=short),
        Entrant(label="wav2pos", method="wav2pos", recipe="wav2pos", changes=(*short, *ngcc)),
        Entrant(label="three-stream (paper)", method="three-stream-paper", recipe="paper", changes=(*short, *paper)),
        Entrant(label=OURS, method="three-stream", recipe="default", changes=short),
        Entrant(label="SRP-PHAT", method="srp-phat"),
        Entrant(label="SRP-PHAT, ASCM", method="srp-phat-ascm"),
    )


def entrants_for_several(asked: Setting, sources: int) -> tuple[Entrant, ...]:
    """The same networks with a slot for each of so many sources."""
    return tuple(
        replace(each, changes=(*each.changes, f"network.sources={sources}"), sources=sources)
        for each in entrants(asked)
        if each.label in ("three-stream (paper)", OURS)
    )


def reproduce(asked: Setting, out: Path, *, say: Say, progress: Callable[[int], None]) -> str:
    """Train, evaluate, and write out / paper.md; gives its text."""
    material = material_for(asked, out, say)
    methods = train_all(entrants(asked), material, out / "one", asked.budget, say)
    shared = replace(asked.budget, minutes=asked.budget.minutes / len(AT_ONCE))
    several = {
        count: train_all(entrants_for_several(asked, count), material, out / f"sources{count}", shared, say)
        for count in AT_ONCE
    }
    placed = [methods[label] for label in (*UNKNOWN, OURS)]
    everywhere = replace(SHORT, microphones=(ALONE, *FEWER_MICROPHONES))
    rows = {
        "fewer": rows_of(asked, out / "fewer", [*methods.values()], everywhere, progress),
        "hidden": rows_of(asked, out / "hidden", placed, replace(SHORT, unknown=HIDDEN), progress),
        "several": [
            row
            for count, trained in several.items()
            for row in rows_of(asked, out / f"at-once{count}", [*trained.values()], SHORT, progress, sources=count)
        ],
    }
    text = tables(asked, rows, _training(asked, out))
    with atomic_path(out / "paper.md") as part:
        part.write_text(text, encoding="utf-8")
    return text


def tables(asked: Setting, rows: dict[str, list[Row]], training: str) -> str:
    """The paper's layout: ours, and the published number (on LuViRA) in brackets; then how each was trained."""
    where = "LuViRA" if asked.root else "the simulated twin of LuViRA"
    parts = [
        f"# The tables of arXiv 2505.20961, on {where}",
        _about(asked),
        "## Table 1: 11 microphones",
        _table_1(rows["fewer"]),
        "## Table 2: MAE with fewer microphones, speech",
        _table_2(rows["fewer"]),
        "Windows of Table 2 without any place, not even one that was not believed; the middle of the room counts for them:",
        _table_of_none(rows["fewer"]),
        "## Table 3: MAE of microphones of unknown position, speech, sources unknown",
        REMEMBERED,
        _table_3(rows["hidden"]),
        "## Several sources: MAE",
        _table_4(rows["several"]),
        "## What was trained",
        training,
    ]
    return "\n\n".join(parts) + "\n"


def _about(asked: Setting) -> str:
    minutes = f"{asked.budget.minutes:g} minutes of {asked.budget.device} planned for each method that learns"
    small = "; NGCC-PHAT of 8 channels" if asked.small else ""
    beats = "" if asked.budget.beats else "; the small acoustic encoder in the place of BEATs"
    return (
        f"Ours, and in brackets what the paper reports on LuViRA. {minutes}{small}{beats}; windows of {WINDOW_S:g} s, "
        f"{asked.clips} clips, seed {asked.budget.seed}. MAE: mean Euclidean distance (cm) and its standard error; acc: "
        "share under 30 cm."
    )


def _table_1(rows: list[Row]) -> str:
    music, speech = _sounds(rows)
    head = ["method", f"{music} MAE", f"{music} acc", f"{speech} MAE", f"{speech} acc"]
    body = []
    for method in (*METHODS, *YARDSTICKS):
        reported = ELEVEN.get(method, (None,) * 4)
        ours = [_summary(rows, method=method, microphones=ALONE, sound=sound) for sound in (music, speech)]
        cells = [cell for summary in ours for cell in (_mae(summary), _acc(summary))]
        body.append([method, *(_beside(cell, number) for cell, number in zip(cells, reported, strict=True))])
    return table(head, body)


def _table_2(rows: list[Row]) -> str:
    _, speech = _sounds(rows)
    body = []
    for method in (*METHODS, *YARDSTICKS):
        reported = FEWER.get(method, (None,) * 3)
        ours = [_mae(_summary(rows, method=method, microphones=count, sound=speech)) for count in FEWER_MICROPHONES]
        body.append([method, *(_beside(cell, number) for cell, number in zip(ours, reported, strict=True))])
    return table(["method", *(f"M = {count}" for count in FEWER_MICROPHONES)], body)


def _table_of_none(rows: list[Row]) -> str:
    _, speech = _sounds(rows)
    body = []
    for method in (*METHODS, *YARDSTICKS):
        chosen = [row for row in rows if row.method == method and row.labels["sound"] == speech]
        shares = [_share([not row.said_m for row in chosen if row.microphones == count]) for count in FEWER_MICROPHONES]
        body.append([method, *shares])
    return table(["method", *(f"M = {count}" for count in FEWER_MICROPHONES)], body)


def _table_3(rows: list[Row]) -> str:
    _, speech = _sounds(rows)
    body = []
    for method in (*UNKNOWN, OURS):
        reported, _ = UNKNOWN.get(method, ((None,) * 3, None))
        ours = [_summary(rows, method=method, unknown=count, sound=speech) for count in HIDDEN]
        cells = ["" if each is None else _cm(each.microphones_m.value, each.microphones_m.error) for each in ours]
        body.append([method, *(_beside(cell, number) for cell, number in zip(cells, reported, strict=True))])
    return table(["method", *(f"{ALONE - count} of {ALONE} known" for count in HIDDEN)], body)


def _table_4(rows: list[Row]) -> str:
    body = []
    for method in ("three-stream (paper)", OURS):
        reported = SEVERAL.get(method, (None,) * 2)
        ours = [_mae(_summary(rows, method=method, sources=count)) for count in AT_ONCE]
        body.append([method, *(_beside(cell, number) for cell, number in zip(ours, reported, strict=True))])
    return table(["method", *(f"{count} sources" for count in AT_ONCE)], body)


def _training(asked: Setting, out: Path) -> str:
    """Trainable weights of every network, and the steps that fitted into the time."""
    who = [(each.label, each, out / "one") for each in entrants(asked) if each.recipe]
    who += [
        (f"{each.label}, {count} sources", each, out / f"sources{count}")
        for count in AT_ONCE
        for each in entrants_for_several(asked, count)
    ]
    body = []
    for label, each, folder in who:
        weights = f"{trainable(build(recipe_of(each).network)) / 1e6:.2f}"
        steps, minutes = steps_of(each, folder), f"{minutes_of(each, folder):.1f}"
        body.append([label, _beside(weights, WEIGHTS_M.get(label)), *(str(steps[name]) for name in STAGES), minutes])
    return table(["method", "weights, millions", *(f"{name} steps" for name in STAGES), "minutes"], body)


def _sounds(rows: list[Row]) -> tuple[str, str]:
    """The names of music and of speech in this test set; where there is neither, whatever there is."""
    names = list(dict.fromkeys(row.labels["sound"] for row in rows))
    music = next((name for name in names if name.startswith(("music", "melody"))), names[0])
    speech = next((name for name in names if name.startswith(("speech", "voice"))), names[-1])
    return music, speech


def _summary(rows: list[Row], *, sound: str | None = None, **wanted: str | int) -> ErrorSummary | None:
    chosen = [
        row for row in rows
        if all(getattr(row, name) == value for name, value in wanted.items())
        and sound in (None, row.labels["sound"])
    ]  # fmt: skip
    return summarize([row.score for row in chosen], [row.recording for row in chosen]) if chosen else None


def _mae(summary: ErrorSummary | None) -> str:
    return "" if summary is None else _cm(summary.mae_m.value, summary.mae_m.error)


def _acc(summary: ErrorSummary | None) -> str:
    return "" if summary is None else f"{100 * summary.acc.value:.1f} %"


def _share(which: list[bool]) -> str:
    return f"{100 * sum(which) / len(which):.1f} %" if which else ""


def _cm(value_m: float, error_m: float) -> str:
    return f"{100 * value_m:.1f} ± {100 * error_m:.1f}"


def _beside(ours: str, reported: float | None) -> str:
    return ours if reported is None else f"{ours} ({reported:g})"
