"""The paper's tables as text: our numbers, and in brackets the published ones, from rows of evaluated windows.

Every table has the methods that were evaluated, in the paper's order; a table without any is left out.
"""

from collections.abc import Iterator

from soundfix.evaluation.metrics import ErrorSummary, summarize
from soundfix.evaluation.rows import Row
from soundfix.evaluation.tables import table
from soundfix.studies.published import ELEVEN, FEWER, METHODS, SEVERAL, UNKNOWN
from soundfix.studies.setting import Setting

WINDOW_S = 0.128
ALONE, FEWER_MICROPHONES, HIDDEN, AT_ONCE = 11, (5, 7, 9), (4, 3, 2), (2, 3)
OURS = "three-stream (ours)"
PACKAGED = "three-stream (packaged)"  # trained for days, in many rooms
YARDSTICKS = ("SRP-PHAT", "SRP-PHAT, ASCM", OURS, PACKAGED)
REMEMBERED = (
    "Ours remembers the few arrays that it was trained with (known_layouts.py): such a microphone stands at one of their "
    "free places, at which its distance from the source fits best. In another array that distance is all that one window "
    "knows (radius only). Where the source is known, networks are told its place, to others it is a search region of 6 cm."
)
NO_PLACE = (
    "Windows of Table 2 without any place, not even one that was not believed; the middle of the room counts for them:"
)
TWINS = {
    "luvira-like": "a simulated twin of LuViRA, as its recordings are",
    "luvira-twin": "a simulated twin of LuViRA, anywhere in its studio",
    "luvira-hard": "a simulated twin of LuViRA, hard",
}


def tables(asked: Setting, rows: dict[str, list[Row]], training: str) -> str:
    """The paper's layout: ours, and the published number (on LuViRA) in brackets; then how each was trained."""
    where = "LuViRA" if asked.root else TWINS[asked.world]
    parts = [f"# The tables of arXiv 2505.20961, on {where}", _about(asked)]
    if rows.get("1"):
        parts += ["## Table 1: 11 microphones", _table_1(rows["1"])]
    if rows.get("2"):
        parts += ["## Table 2: MAE with fewer microphones", _table_2(rows["2"]), NO_PLACE, _table_of_none(rows["2"])]
    if rows.get("3"):
        title = "## Table 3: MAE of microphones of unknown position, speech"
        parts += [title, REMEMBERED, _table_3(rows["3"])]
    if rows.get("sources"):
        parts += ["## Several sources: MAE", _table_4(rows["sources"])]
    return "\n\n".join([*parts, "## What was trained", training]) + "\n"


def _about(asked: Setting) -> str:
    minutes = f"{asked.budget.minutes:g} minutes of {asked.budget.device} at most for each method that learns"
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
    for method in _those_in(rows, (*METHODS, *YARDSTICKS)):
        reported = ELEVEN.get(method, (None,) * 4)
        ours = [_summary(rows, method=method, microphones=ALONE, sound=sound) for sound in (music, speech)]
        cells = [cell for summary in ours for cell in (_mae(summary), _acc(summary))]
        body.append([method, *(beside(cell, number) for cell, number in zip(cells, reported, strict=True))])
    return table(head, body)


def _table_2(rows: list[Row]) -> str:
    _, speech = _sounds(rows)
    body = []
    for method in _those_in(rows, (*METHODS, *YARDSTICKS)):
        reported = FEWER.get(method, (None,) * 3)
        ours = [_mae(_summary(rows, method=method, microphones=count, sound=speech)) for count in FEWER_MICROPHONES]
        body.append([method, *(beside(cell, number) for cell, number in zip(ours, reported, strict=True))])
    return table(["method", *(f"M = {count}" for count in FEWER_MICROPHONES)], body)


def _table_of_none(rows: list[Row]) -> str:
    _, speech = _sounds(rows)
    body = []
    for method in _those_in(rows, (*METHODS, *YARDSTICKS)):
        chosen = [row for row in rows if row.method == method and row.labels["sound"] == speech]
        shares = [_share([not row.said_m for row in chosen if row.microphones == count]) for count in FEWER_MICROPHONES]
        body.append([method, *shares])
    return table(["method", *(f"M = {count}" for count in FEWER_MICROPHONES)], body)


def _table_3(rows: list[Row]) -> str:
    _, speech = _sounds(rows)
    body = []
    for method in _those_in(rows, (*UNKNOWN, OURS, PACKAGED)):
        for told, reported in zip((False, True), UNKNOWN.get(method, ((None,) * 3,) * 2), strict=True):
            ours = [_summary(rows, method=method, unknown=count, sound=speech, told=told) for count in HIDDEN]
            cells = ["" if each is None else _cm(each.microphones_m.value, each.microphones_m.error) for each in ours]
            beside_them = [beside(cell, number) for cell, number in zip(cells, reported, strict=True)]
            body.append([method, "known" if told else "unknown", *beside_them])
    return table(["method", "source", *(f"{ALONE - count} of {ALONE} known" for count in HIDDEN)], body)


def _table_4(rows: list[Row]) -> str:
    body = []
    for method in _those_in(rows, ("three-stream (paper)", OURS)):
        reported = SEVERAL.get(method, (None,) * 2)
        ours = [_mae(_summary(rows, method=method, sources=count)) for count in AT_ONCE]
        body.append([method, *(beside(cell, number) for cell, number in zip(ours, reported, strict=True))])
    return table(["method", *(f"{count} sources" for count in AT_ONCE)], body)


def _those_in(rows: list[Row], methods: tuple[str, ...]) -> Iterator[str]:
    there = {row.method for row in rows}
    return (method for method in methods if method in there)


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


def beside(ours: str, reported: float | None) -> str:
    """Ours, and what was reported in brackets."""
    return ours if reported is None else f"{ours} ({reported:g})"
