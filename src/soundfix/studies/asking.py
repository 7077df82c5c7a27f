"""A question is asked: finished methods are evaluated where it says, and its page is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from soundfix.atomic import atomic_path
from soundfix.datasets.benchmark import Wanted
from soundfix.datasets.varied import VARIED
from soundfix.engines.local import Local
from soundfix.errors import ConfigError
from soundfix.evaluation.request import LEAST_CLIP_S
from soundfix.evaluation.rows import Row
from soundfix.evaluation.run import Method, Plan, evaluate
from soundfix.report.canvas import library
from soundfix.studies.pages import draw, page
from soundfix.studies.points import Point, points_of
from soundfix.studies.questions import QUESTIONS, Question


@dataclass(frozen=True, kw_only=True)
class Asked:
    """clips: of every condition. audio: folders of dry recordings; without, the built-in sounds."""

    methods: tuple[Method, ...]
    clips: int
    audio: Sequence[Path] = ()
    seed: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        if len({method.label for method in self.methods}) < len(self.methods):
            raise ConfigError("two methods have one name; give labels, LABEL:NAME=CHECKPOINT")


def question_named(name: str) -> Question:
    """One of QUESTIONS, or a ConfigError that names them."""
    if name not in QUESTIONS:
        raise ConfigError(f"no study is called {name!r}; there are {', '.join(QUESTIONS)}")
    return QUESTIONS[name]


def plans(question: Question, asked: Asked) -> dict[str, Plan]:
    """What is evaluated, by the name of its curve."""
    grid = question.grid
    wanted = Wanted(
        clips=asked.clips,
        audio=tuple(asked.audio),
        seed=asked.seed,
        microphones=max(grid.microphones),
        clip_s=max(LEAST_CLIP_S, *(2 * window_s for window_s in grid.windows_s)),
    )
    return {
        curve: Plan(
            dataset=dataset,
            methods=asked.methods,
            wanted=replace(wanted, clips=asked.clips * (len(VARIED[dataset]) if question.is_apart else 1)),
            grid=grid,
            sources=question.sources,
            engine=Local(asked.workers),
        )
        for curve, dataset in question.datasets.items()
    }


def total(question: Question, asked: Asked) -> int:
    """Clips to go through."""
    return sum(plan.wanted.clips * len(plan.sources) for plan in plans(question, asked).values())


def ask(name: str, asked: Asked, out: Path, progress: Callable[[int], None] = lambda count: None) -> str:
    """Evaluate what is not yet in out / name, write out / NAME.md and NAME.png; gives the page.

    Raises ConfigError for an unknown name, OutputError where the folder holds another evaluation.
    """
    question = question_named(name)
    library("matplotlib.figure")  # that there is one is found out now, not after the evaluation
    points: list[Point] = []
    for curve, plan in plans(question, asked).items():
        rows = evaluate(plan, out / name / plan.dataset, progress=progress)
        is_alone = len(question.datasets) == 1
        points += points_of(rows, question.reading if is_alone else replace(question.reading, curve=_always(curve)))
    labels = [method.label for method in asked.methods]
    points.sort(key=lambda point: labels.index(point.method))
    text = page(name, question, points, asked.clips, asked.seed, bool(asked.audio))
    with atomic_path(out / f"{name}.md") as part:
        part.write_text(text, encoding="utf-8")
    draw(question, points, out / f"{name}.png")
    return text


def _always(curve: str) -> Callable[[Row], str]:
    return lambda row: curve
