"""From the words of `soundfix evaluate` to a plan, and from its rows to the files of a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from soundfix.datasets.benchmark import SIMULATED, Wanted
from soundfix.engines.named import engine_named
from soundfix.errors import ConfigError
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.pictures import draw_all
from soundfix.evaluation.run import Method, Plan, evaluate
from soundfix.evaluation.tables import lines_of, markdown, write_csv
from soundfix.report.canvas import library
from soundfix.report.outputs import check_targets

T = TypeVar("T", int, float)
LEAST_CLIP_S = 2.0


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest:
    """What was asked for, in words; several values have commas between them."""

    dataset: str
    methods: str
    microphones: str
    subsets: str
    windows: str
    unknown: str
    sources: str
    faults: str
    clips: int
    root: Path | None
    audio: Sequence[Path]
    seed: int
    workers: int
    engine: str = "local"
    address: str | None = None

    @property
    def total(self) -> int:
        """Clips to go through."""
        return self.clips * len(numbers("--sources", self.sources, int))

    def plan(self) -> Plan:
        """Raises ConfigError, which names the option."""
        grid = Grid(
            windows_s=numbers("--windows", self.windows, float),
            microphones=numbers("--microphones", self.microphones, int),
            unknown=numbers("--unknown", self.unknown, int),
            faults=words(self.faults),
            subsets=self.subsets,
        )
        list(grid)  # each condition checks itself
        wanted = Wanted(
            clips=self.clips,
            root=self.root,
            audio=tuple(self.audio),
            seed=self.seed,
            microphones=max(grid.microphones),
            clip_s=max(LEAST_CLIP_S, *(2 * window_s for window_s in grid.windows_s)),
        )
        library("matplotlib.figure")  # that there is one is found out now, not after the evaluation
        methods = tuple(Method.parsed(text) for text in words(self.methods))
        if len({method.label for method in methods}) < len(methods):
            raise ConfigError(f"--methods {self.methods!r}: two have one name; give labels, LABEL:NAME=CHECKPOINT")
        sources = numbers("--sources", self.sources, int)
        engine = engine_named(self.engine, self.workers, self.address)
        return Plan(dataset=self.dataset, methods=methods, wanted=wanted, grid=grid, sources=sources, engine=engine)


def run(request: EvaluateRequest, out: Path, progress: Callable[[int], None]) -> str:
    """Evaluate, write table.md, summary.csv and the pictures; gives the Markdown. Raises ConfigError where no array is large
    enough for what is asked."""
    plan = request.plan()
    rows = evaluate(plan, out, progress=progress)
    if not rows:
        raise ConfigError(
            f"no array of {plan.dataset} has --microphones {request.microphones}: wanted fewer, at most all"
        )
    check_targets([out / "table.md", out / "summary.csv"], [])
    lines = lines_of(rows)
    text = markdown(title(plan), lines, [about(plan, len({row.clip for row in rows}))])
    (out / "table.md").write_text(text, encoding="utf-8")
    write_csv(lines, out / "summary.csv")
    draw_all(rows, out)
    return text


def title(plan: Plan) -> str:
    """What was measured on what."""
    return f"{', '.join(method.label for method in plan.methods)} on {plan.dataset}"


def about(plan: Plan, clips: int) -> str:
    """What the numbers are, in two sentences. clips: how many there were."""
    sounds = "built-in sounds" if plan.dataset in SIMULATED and not plan.wanted.audio else "recordings"
    return (
        f"{clips} clips of {sounds}, seed {plan.wanted.seed}, one window of each under every condition, the same for every "
        f"method; microphones: {plan.grid.subsets}. Errors are Euclidean distances; where a method abstains, the place it "
        "did not believe in counts, where it has none the middle of the room (see metrics.py). The time is that of a whole "
        "answer: for coordinates that a network decodes it holds the second opinion of SRP-PHAT."
    )


def numbers(option: str, text: str, kind: type[T]) -> tuple[T, ...]:
    """Numbers between commas."""
    try:
        return tuple(kind(word) for word in text.split(","))
    except ValueError:
        raise ConfigError(f"{option} {text!r}: wanted numbers with commas between them") from None


def words(text: str) -> tuple[str, ...]:
    """Words between commas."""
    return tuple(word.strip() for word in text.split(","))
