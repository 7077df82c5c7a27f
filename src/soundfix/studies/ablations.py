"""One part changed, or left out, and everything else as it was.

Of the paper's form, as `reproduce` trains it; every variant borrows NGCC-PHAT and the acoustic encoder from that one:

ascm        alpha of the coherence weighting: learned, fixed, 0 (off)
coherence   which measure: magnitude-squared, its root, phase, of short times, none
attention   T of the sparse cross-attention: 10 %, 30 %, 50 % of the pairs, all
acoustic    BEATs base (with --beats), small, none
frozen      whether the acoustic encoder learns on while the network learns to locate
lambdas     of the reconstruction, of hidden microphones, and eq. 8 as it is printed
labels      a place for 1, 10, 100 % of the clips, the others left out or there to be reconstructed

Of ours (recipe default), trained anew for every variant:

head        the likelihood head, the same without its last polish, and the paper's MLP head, of one network
unknown     one to four of the microphones without a position
windows     0.128 to 1 s
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from soundfix.atomic import atomic_path
from soundfix.errors import ConfigError
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.tables import lines_of, markdown
from soundfix.studies.paper_tables import WINDOW_S
from soundfix.studies.reproduce import entrants
from soundfix.studies.setting import Setting, material_for, rows_of
from soundfix.studies.study import Entrant, Say, train_all

USUAL = Grid(windows_s=(0.128, 0.5), microphones=(11, 7))
SHORT = Grid(windows_s=(WINDOW_S,), microphones=(11, 7))
PAPER, EARS = "three-stream (paper)", "Multilat*"
LENT = "autoencoder.steps=0"  # the acoustic encoder has learned already


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """variants: the usual one first. grid: where they are compared. of_paper: of the paper's form, else of ours."""

    title: str
    variants: tuple[Entrant, ...]
    grid: Grid = SHORT
    of_paper: bool = True


def ours(label: str, *changes: str) -> Entrant:
    """Recipe `default` with these changes."""
    return Entrant(label=label, method="three-stream", recipe="default", changes=changes)


def paper(label: str, *changes: str) -> Entrant:
    """The paper's form with these changes, and with those that make it that (variants_of)."""
    changes = (LENT, *changes)
    return Entrant(label=label, method="three-stream-paper", recipe="paper", changes=changes, ears_of=PAPER)


def with_places(share: float, *, keeps_rest: bool) -> Entrant:
    """The paper's form where so many clips have a place; it learns to reconstruct first, which needs none."""
    each = paper(f"{share:.0%}, {'all heard' if keeps_rest else 'alone'}")
    return replace(each, changes=(), labelled=share, keeps_rest=keeps_rest)


DEFAULT = ours("default")
ABLATIONS: Mapping[str, Ablation] = MappingProxyType(
    {
        "ascm": Ablation(
            title="Alpha of the coherence weighting",
            variants=(
                paper("learned"),
                *(paper(f"alpha = {alpha:g}", f"network.alpha={alpha}") for alpha in (1.0, 0.5, 0.0)),
            ),
        ),
        "coherence": Ablation(
            title="Which coherence weighs the pairs",
            variants=(
                paper("magnitude-squared"),
                paper("magnitude", "network.coherence=magnitude"),
                paper("phase", "network.coherence=phase"),
                paper("short time", "network.coherence=short_time"),
                paper("none", "network.coherence=none"),
            ),
        ),
        "attention": Ablation(
            title="How many pairs a token looks at",
            variants=(
                paper("T = 30%"),
                *(paper(f"T = {share:.0%}", f"network.keep={share}") for share in (0.1, 0.5, 1.0)),
            ),
        ),
        "acoustic": Ablation(
            title="Who listens",
            variants=(
                paper("small encoder", "network.acoustic=small"),
                paper("no encoder", "network.acoustic=none"),
                paper("BEATs base", "network.acoustic=base"),
            ),
        ),
        "frozen": Ablation(
            title="Whether the acoustic encoder is frozen",
            variants=(
                paper("frozen"),
                paper("not frozen", "localization.thaws_encoder=true", "localization.windows_a_clip=0"),
            ),
        ),
        "lambdas": Ablation(
            title="The lambdas of the loss",
            variants=(
                paper("0.1, 1, 1"),
                paper("no sound", "losses.sound=0.0"),
                paper("sound 1", "losses.sound=1.0"),
                paper("no microphones", "losses.microphones=0.0"),
                paper("sources 10", "losses.sources=10.0"),
                paper("as printed", "losses.reading=printed"),
            ),
            grid=replace(SHORT, microphones=(11,), unknown=(0, 2)),
        ),
        "labels": Ablation(
            title="How many clips have a place",
            variants=(
                with_places(1.0, keeps_rest=True),
                *(with_places(share, keeps_rest=keeps) for share in (0.1, 0.01) for keeps in (True, False)),
            ),
            grid=replace(SHORT, microphones=(11,), unknown=(0, 2)),
        ),
        "head": Ablation(
            title="Where the place is read",
            variants=(
                DEFAULT,
                Entrant(
                    label="not polished", method="three-stream", weights_of="default", options=(("polishes", False),)
                ),
                Entrant(label="MLP head", method="three-stream-paper", weights_of="default"),
            ),
            grid=USUAL,
            of_paper=False,
        ),
        "unknown": Ablation(
            title="Microphones of unknown position",
            variants=(
                ours("default", "localization.hidden_positions=4"),
                Entrant(label="MLP head", method="three-stream-paper", weights_of="default"),
            ),
            grid=Grid(windows_s=(0.5,), microphones=(11,), unknown=(0, 1, 2, 3, 4)),
            of_paper=False,
        ),
        "windows": Ablation(
            title="How long a window is",
            variants=(DEFAULT, Entrant(label="SRP-PHAT", method="srp-phat")),
            grid=Grid(windows_s=(0.128, 0.25, 0.5, 1.0), microphones=(11, 5)),
            of_paper=False,
        ),
    }
)


def ablate(name: str, setting: Setting, out: Path, *, say: Say, progress: Callable[[int], None]) -> str:
    """Train every variant, compare them, write out / NAME.md; gives its text. Raises ConfigError for an unknown name.

    In the folder of `reproduce` what that trained is not trained again.
    """
    if name not in ABLATIONS:
        raise ConfigError(f"no ablation is called {name!r}; there are {', '.join(ABLATIONS)}")
    ablation = ABLATIONS[name]
    setting = replace(setting, budget=replace(setting.budget, cache=setting.budget.cache or out / "cache"))
    material, taught = material_for(setting, out, say), {}
    if ablation.of_paper:
        teachers = train_all(teachers_of(setting), material, out / "one", setting.budget, say)
        taught = {label: method.checkpoint for label, method in teachers.items() if method.checkpoint}
    variants = variants_of(ablation, setting)
    methods = train_all(variants, material, out / name, setting.budget, say, taught=taught)
    rows = rows_of(setting, out / name / "rows", [*methods.values()], ablation.grid, progress)
    text = markdown(ablation.title, lines_of(rows), [about(setting)])
    with atomic_path(out / f"{name}.md") as part:
        part.write_text(text, encoding="utf-8")
    return text


def teachers_of(setting: Setting) -> list[Entrant]:
    """The paper's form, and who taught it NGCC-PHAT."""
    return [each for each in entrants(setting) if each.label in (EARS, PAPER)]


def variants_of(ablation: Ablation, setting: Setting) -> list[Entrant]:
    """As they are trained: those of the paper's form with the changes that make it that, BEATs base only with its file."""
    variants = [
        each for each in ablation.variants if setting.budget.beats or "network.acoustic=base" not in each.changes
    ]
    if not ablation.of_paper:
        return variants
    base = next(each for each in entrants(setting) if each.label == PAPER)
    return [replace(each, changes=(*base.changes, *each.changes)) for each in variants]


def about(setting: Setting) -> str:
    """Where and for how long."""
    return (
        f"On {setting.dataset}, {setting.clips} clips, seed {setting.budget.seed}; every variant was trained for "
        f"{setting.budget.minutes:g} minutes of {setting.budget.device} at most."
    )
