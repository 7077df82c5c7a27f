"""The paper's Tables 1, 2, 3 and its table of several sources, with our numbers beside the published ones.

On LuViRA where its folder is given (splits as in the paper), else on a simulated twin; the title says which. Windows of
0.128 s. Methods that learn are trained on the same windows until their own validation no longer falls, for the same time at
most. What the paper leaves open: which 5, 7 and 9 microphones (ours: far apart), which are unknown (ours: drawn by seed, for
all methods alike). NGCC-PHAT is trained once, for all who listen with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from soundfix.atomic import atomic_path
from soundfix.errors import ConfigError
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.rows import NAME, Row, RowFile
from soundfix.evaluation.run import Method
from soundfix.evaluation.tables import table
from soundfix.networks.registry import build
from soundfix.studies.curves import write_curves
from soundfix.studies.paper_tables import (
    ALONE,
    AT_ONCE,
    FEWER_MICROPHONES,
    HIDDEN,
    OURS,
    PACKAGED,
    WINDOW_S,
    beside,
    tables,
)
from soundfix.studies.published import UNKNOWN, WEIGHTS_M
from soundfix.studies.setting import Setting, material_for, rows_of
from soundfix.studies.study import Entrant, Material, Say, folder_of, minutes_of, recipe_of, steps_of, train_all
from soundfix.training.info import trainable
from soundfix.training.recipes import STAGES
from soundfix.training.runs import METRICS

WINDOWS_A_CLIP = 4
NGCC_SHARE = 0.5  # of the time that other methods have
TABLES = ("1", "2", "3", "sources")
Tell = tuple[Say, Callable[[int], None]]
SMALL_NGCC = (  # for two cores, where a step with the published one takes a minute
    "network.ngcc={'channels': 8, 'sinc_taps': 127}",
    "correlation.batch=8",
    "autoencoder.batch=8",
)
SHORT = Grid(windows_s=(WINDOW_S,), microphones=(ALONE,))
GRIDS = {
    "1": SHORT,
    "2": replace(SHORT, microphones=FEWER_MICROPHONES),
    "3": replace(SHORT, unknown=HIDDEN, told=(False, True)),
    "sources": SHORT,
}
SHORT_TRAINING = tuple(f"{stage}.windows_s=[{WINDOW_S}]" for stage in STAGES)
FIXED = (  # the same windows for all, drawn once
    f"localization.windows_a_clip={WINDOWS_A_CLIP}",
    "localization.schedule=plateau",
    "localization.batch=16",
    "localization.share_whole=0.6",
)
STEADY = (  # for small batches: at 1e-3, published for 128 windows, the loss leapt after 1400 of 32
    "localization.learning_rate=5e-4",
    "losses.microphones=0.1",  # hidden microphones that cannot be known drown what is learned of sources
    "losses.pairs=0.1",
)
UNKNOWN_PLACES = ("localization.share_hidden=0.4", "localization.share_told=0.3")  # as Table 3 asks for them


def entrants(asked: Setting) -> tuple[Entrant, ...]:
    """All methods of the paper, our likelihood head, and the yardsticks. Without BEATs base, the small encoder listens."""
    half, ngcc = (("bfloat16=true",), SMALL_NGCC) if asked.small else ((), ())
    alike = (*SHORT_TRAINING, *FIXED, *half)
    alone = (*SHORT_TRAINING, *ngcc, "localization.steps=0")  # NGCC-PHAT, for all who listen with it
    wav2pos = (*alike, *ngcc, *UNKNOWN_PLACES, "correlation.steps=0")
    paper = (*wav2pos, *STEADY, *(() if asked.budget.beats else ("network.acoustic=small",)))
    ours = (*SHORT_TRAINING, "localization.schedule=plateau", "reranker.schedule=plateau")
    return (
        Entrant(label="Multilat", method="multilat"),
        Entrant(label="Multilat*", method="multilat-ngcc", recipe="wav2pos", changes=alone, share=NGCC_SHARE),
        Entrant(label="DI-NN", method="di-nn", recipe="di-nn", changes=alike),
        Entrant(label="GNN", method="gnn", recipe="gnn", changes=alike),
        Entrant(label="wav2pos", method="wav2pos", recipe="wav2pos", changes=wav2pos, ears_of="Multilat*"),
        Entrant(
            label="three-stream (paper)",
            method="three-stream-paper",
            recipe="paper",
            changes=paper,
            ears_of="Multilat*",
        ),
        Entrant(label=OURS, method="three-stream", recipe="default", changes=ours),
        Entrant(label=PACKAGED, method="three-stream"),
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


def reproduce(
    asked: Setting, out: Path, *, say: Say, progress: Callable[[int], None],
    only: Sequence[str] = (), wanted: Sequence[str] = TABLES,
) -> str:  # fmt: skip
    """Train, evaluate, and write out / paper.md; gives its text. only, wanted: labels of methods and tables, for a part.

    What other calls have made stands in the tables too.
    """
    check_names(asked, only, wanted)
    asked = replace(asked, budget=replace(asked.budget, cache=asked.budget.cache or out / "cache"))
    material = material_for(asked, out, say)
    methods = train_all(_to_train(entrants(asked), only, wanted), material, out / "one", asked.budget, say)
    rows: dict[str, list[Row]] = {}
    for name in [each for each in wanted if each != "sources"]:
        chosen = [
            method for method in methods.values() if _is_asked(method.label, only) and _takes_part(method.label, name)
        ]
        rows[name] = [row for each in chosen for row in _rows(asked, out / name, each, name, progress)]
    if "sources" in wanted:
        rows["sources"] = _rows_of_several(asked, material, out, only, methods, (say, progress))
    write_curves(out, {folder_of(each): each.label for each in entrants(asked)})
    text = tables(asked, _made_before(out, rows), _training(asked, out))
    with atomic_path(out / "paper.md") as part:
        part.write_text(text, encoding="utf-8")
    return text


def check_names(asked: Setting, only: Sequence[str], wanted: Sequence[str]) -> None:
    """Raises ConfigError where a method or a table does not exist."""
    labels = [each.label for each in entrants(asked)]
    if strange := [label for label in only if label not in labels]:
        raise ConfigError(f"no method of the tables is called {strange[0]!r}; there are {', '.join(labels)}")
    if strange := [name for name in wanted if name not in TABLES]:
        raise ConfigError(f"no table is called {strange[0]!r}; there are {', '.join(TABLES)}")


def _is_asked(label: str, only: Sequence[str]) -> bool:
    return not only or label in only


def _takes_part(label: str, name: str) -> bool:
    return name != "3" or label in (*UNKNOWN, OURS, PACKAGED)


def _to_train(every: Sequence[Entrant], only: Sequence[str], wanted: Sequence[str]) -> list[Entrant]:
    """Those that were asked for, and those whose weights they need, in the order of the tables.

    For several sources alone the latter: the others have networks of their own there.
    """
    asked = [each for each in every if _is_asked(each.label, only)]
    teachers = {each.weights_of or each.ears_of for each in asked}
    needed = teachers if set(wanted) == {"sources"} else teachers | {each.label for each in asked}
    return [each for each in every if each.label in needed]


def _rows(
    asked: Setting, out: Path, method: Method, name: str, progress: Callable[[int], None], *, sources: int = 1
) -> list[Row]:
    """Of one method: each has a folder of its own, so that they may be asked for one by one."""
    return rows_of(asked, out / folder_of(method), [method], GRIDS[name], progress, sources=sources)


def _rows_of_several(
    asked: Setting, material: Material, out: Path, only: Sequence[str], methods: Mapping[str, Method], tell: Tell
) -> list[Row]:
    """Networks with a slot for each of two and of three sources, trained for half as long each."""
    say, progress = tell
    shared = replace(asked.budget, minutes=asked.budget.minutes / len(AT_ONCE))
    taught = {label: method.checkpoint for label, method in methods.items() if method.checkpoint}
    rows = []
    for count in AT_ONCE:
        several = [each for each in entrants_for_several(asked, count) if _is_asked(each.label, only)]
        trained = train_all(several, material, out / f"sources{count}", shared, say, taught=taught)
        for each in trained.values():
            rows += _rows(asked, out / f"at-once{count}", each, "sources", progress, sources=count)
    return rows


def _made_before(out: Path, rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """With the rows of methods that other calls have asked."""
    folders = {name: [name] if name != "sources" else [f"at-once{count}" for count in AT_ONCE] for name in TABLES}
    every = {name: [row for folder in folders[name] for row in _read(out / folder)] for name in TABLES}
    return {
        name: rows.get(name, [])
        + [row for row in every[name] if row.method not in {r.method for r in rows.get(name, [])}]
        for name in TABLES
    }


def _read(folder: Path) -> list[Row]:
    return [row for path in sorted(folder.glob(f"*/{NAME}")) for row in RowFile(path).read()]


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
        if not (folder / "runs" / folder_of(each) / METRICS).exists():
            continue
        weights = f"{trainable(build(recipe_of(each).network)) / 1e6:.2f}"
        steps, minutes = steps_of(each, folder), f"{minutes_of(each, folder):.1f}"
        body.append(
            [label, beside(weights, WEIGHTS_M.get(label)), *(str(steps.get(name, 0)) for name in STAGES), minutes]
        )
    return table(["method", "weights, millions", *(f"{name} steps" for name in STAGES), "minutes"], body)
