"""One part changed, or left out, and everything else as it was.

Of the paper's form, as `reproduce` trains it; every variant borrows NGCC-PHAT and the acoustic encoder from that one:

ascm        alpha of the coherence weighting: learned, fixed, 0 (off)
coherence   which measure: magnitude-squared, its root, phase, of short times, none
attention   T of the sparse cross-attention: 10 %, 30 %, 50 % of the pairs, all
pairs       what a pair's token is made of: correlations blurred or not, a layer after the sum or none
acoustic    BEATs base (with --beats), small, none
frozen      whether the acoustic encoder learns on while the network learns to locate
lambdas     of the reconstruction, of hidden microphones, and eq. 8 as it is printed
labels      a place for 1, 10, 100 % of the clips, the others left out or there to be reconstructed

Of ours (recipe default), trained anew for every variant:

head        the likelihood head, the same without its last polish, and the paper's MLP head, of one network
unknown     one to four of the microphones without a position
windows     0.128 to 1 s
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from soundfix.atomic import atomic_path
from soundfix.errors import ConfigError
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.run import Method
from soundfix.networks import checkpoint
from soundfix.studies.ablation_pages import Told, draw, page
from soundfix.studies.costs import Cost, cost_of
from soundfix.studies.paper_tables import ALONE, WINDOW_S
from soundfix.studies.reproduce import entrants
from soundfix.studies.setting import Setting, material_for, rows_of
from soundfix.studies.study import Budget, Entrant, Material, Say, minutes_given, train_all

USUAL = Grid(windows_s=(0.128, 0.5), microphones=(11, 7))
SHORT = Grid(windows_s=(WINDOW_S,), microphones=(11, 7))
ONE_SEED = (
    "Other seeds: two trainings of the same network may differ by more than the standard errors, which are of windows."
)
PAPER, EARS, AS_IT_IS = "three-stream (paper)", "Multilat*", "usual"
LENT = "autoencoder.steps=0"  # the acoustic encoder has learned already


@dataclass(frozen=True, kw_only=True)
class Ablation(Told):
    """variants: the usual one first. grid: where they are compared. of_paper: of the paper's form, else of ours.
    has_cost: time and memory are measured too. same_steps: all have as many as the usual one, else as many minutes."""

    variants: tuple[Entrant, ...]
    grid: Grid = SHORT
    of_paper: bool = True
    has_cost: bool = False
    same_steps: bool = False


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
            about=(
                "A pair's correlation counts as much as its coherence to the power of alpha (ASCM): with 0 all "
                "pairs count alike."
            ),
            not_shown=(
                "Diffuse noise, or microphones with noise of their own, for which coherence is meant: in this world "
                f"all hear the source well. {ONE_SEED}"
            ),
            same_steps=True,
            variants=(
                paper("learned"),
                *(paper(f"alpha = {alpha:g}", f"network.alpha={alpha}") for alpha in (1.0, 0.5, 0.0)),
            ),
        ),
        "coherence": Ablation(
            title="Which coherence weighs the pairs",
            about=(
                "What is raised to the power of alpha: Welch's magnitude-squared coherence, its root, how steady "
                "the phase is, the same over short times, or 1 for every pair."
            ),
            not_shown=f"Diffuse noise, or microphones with noise of their own, for which coherence is meant. {ONE_SEED}",
            same_steps=True,
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
            about=(
                "T: of all directed pairs, so many of the strongest are kept by every query and head, in both "
                "sparse cross-attentions. ms and MB: a forward pass of one window of eleven microphones beside what "
                "frozen parts make of it, and what its operations ask for together. All scores are needed to know "
                "the strongest (bench/attention.py), so T saves nothing here: it is there for what the network "
                "learns."
            ),
            not_shown=f"Arrays of fifty microphones, with 2450 directed pairs instead of 110. {ONE_SEED}",
            same_steps=True,
            variants=(
                paper("T = 30%"),
                *(paper(f"T = {share:.0%}", f"network.keep={share}") for share in (0.1, 0.5, 1.0)),
            ),
            has_cost=True,
        ),
        "pairs": Ablation(
            title="What a pair's token is made of",
            about=(
                "Two things that the paper leaves open. To a correlation is added what Gaussians of 4 and 16 lags "
                "make of it, so that neighbouring lags are learned together; and after the sum of delay and places "
                "comes a layer, so that what a delay means may depend on whose it is. wav2pos has such a layer, the "
                "largest over all pairs after it."
            ),
            not_shown=f"Whether they still matter after the days of training that the paper's authors gave it. {ONE_SEED}",
            same_steps=True,
            variants=(
                paper("blurred, a layer"),
                paper("not blurred", "network.blurred_lags=[]"),
                paper("no layer", "network.deep_pairs=false"),
                paper("neither", "network.blurred_lags=[]", "network.deep_pairs=false"),
            ),
        ),
        "acoustic": Ablation(
            title="Who listens",
            about=(
                "What semb is made from: BEATs base (90 M weights, with its file), our small encoder of the same "
                "kind, or nothing but where a microphone stands."
            ),
            not_shown=f"BEATs' own weights, unless their file was given: nobody can fetch them here. {ONE_SEED}",
            same_steps=True,
            variants=(
                paper("small encoder", "network.acoustic=small"),
                paper("no encoder", "network.acoustic=none"),
                paper("BEATs base", "network.acoustic=base"),
            ),
        ),
        "frozen": Ablation(
            title="Whether the acoustic encoder is frozen",
            about=(
                "The small acoustic encoder learns on with everything else instead of staying as the masked "
                "autoencoder left it. Its windows cannot be kept then, so every step takes longer, and fewer fit "
                "into the time."
            ),
            not_shown=f"BEATs base, which is far too large to be learned on a CPU. {ONE_SEED}",
            variants=(
                paper("frozen"),
                paper("not frozen", "localization.thaws_encoder=true", "localization.windows_a_clip=0"),
            ),
        ),
        "lambdas": Ablation(
            title="The lambdas of the loss",
            about=(
                "Eq. 8 weighs three terms; the paper does not say how. First number: of reconstructed sound; "
                "second: of hidden microphones; third: of sources. As printed, the last term is empty for one "
                "source: nothing says where it is."
            ),
            not_shown=f"All combinations: one lambda is changed at a time. {ONE_SEED}",
            same_steps=True,
            variants=(
                paper("0.1, 0.1, 1"),
                paper("no sound", "losses.sound=0.0"),
                paper("sound 1", "losses.sound=1.0"),
                paper("microphones 1", "losses.microphones=1.0", "losses.pairs=1.0"),
                paper("no microphones", "losses.microphones=0.0", "losses.pairs=0.0"),
                paper("sources 10", "losses.sources=10.0"),
                paper("as printed", "losses.reading=printed"),
            ),
            grid=replace(SHORT, microphones=(11,), unknown=(0, 2)),
        ),
        "labels": Ablation(
            title="How many clips have a place",
            about=(
                "Of so many clips the place is known. The others are left out, or heard too: their sounds, and "
                "hidden microphones, are to be reconstructed all the same (the paper's claim is that this is what "
                "makes unknown positions work)."
            ),
            not_shown=(
                "Recordings of a real room without labels: the clips without a place are from the same simulated "
                f"room. {ONE_SEED}"
            ),
            variants=(
                with_places(1.0, keeps_rest=True),
                *(with_places(share, keeps_rest=keeps) for share in (0.1, 0.01) for keeps in (True, False)),
            ),
            grid=replace(SHORT, microphones=(11,), unknown=(0, 2)),
        ),
        "head": Ablation(
            title="Where the place is read",
            about=(
                "One network, read in three ways: its likelihood searched and polished, searched, and the "
                "coordinates of its MLP."
            ),
            not_shown="The paper's own network, whose coordinates are all that it learns.",
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
            about=(
                "The recipe `default` with up to four hidden positions in training, read by its likelihood and by "
                "its MLP."
            ),
            not_shown="More than four unknown at once.",
            variants=(
                ours("default", "localization.hidden_positions=4"),
                Entrant(label="MLP head", method="three-stream-paper", weights_of="default"),
            ),
            grid=Grid(windows_s=(0.5,), microphones=(11,), unknown=(0, 1, 2, 3, 4)),
            of_paper=False,
        ),
        "windows": Ablation(
            title="How long a window is",
            about="One network for all lengths, beside SRP-PHAT.",
            not_shown="Moving sources, for which a longer window is no gift.",
            variants=(DEFAULT, Entrant(label="SRP-PHAT", method="srp-phat")),
            grid=Grid(windows_s=(0.128, 0.25, 0.5, 1.0), microphones=(11, 5)),
            of_paper=False,
        ),
    }
)


def ablate(name: str, setting: Setting, out: Path, *, say: Say, progress: Callable[[int], None]) -> str:
    """Train every variant, compare them, write out / NAME.md and NAME.png; gives the page.

    Raises ConfigError for an unknown name. In the folder of `reproduce` what that trained is not trained again, and may have
    had more minutes than the variants.
    """
    if name not in ABLATIONS:
        raise ConfigError(f"no ablation is called {name!r}; there are {', '.join(ABLATIONS)}")
    ablation = ABLATIONS[name]
    setting = replace(setting, budget=replace(setting.budget, cache=setting.budget.cache or out / "cache"))
    material, taught = material_for(setting, out, say), {}
    if ablation.of_paper:
        teachers = train_all(teachers_of(setting), material, out / "one", _of_teachers(setting, out), say)
        taught = {label: method.checkpoint for label, method in teachers.items() if method.checkpoint}
    variants = variants_of(ablation, setting)
    lender = out / AS_IT_IS / "runs" / AS_IT_IS if ablation.same_steps else None
    methods = _train_variants(variants, material, out, name, setting.budget, say, taught, lender)
    rows = rows_of(setting, out / name / "rows", [*methods.values()], ablation.grid, progress)
    text = page(name, ablation, rows, _costs(methods) if ablation.has_cost else {}, about(setting, ablation))
    with atomic_path(out / f"{name}.md") as part:
        part.write_text(text, encoding="utf-8")
    draw(rows, out / f"{name}.png")
    return text


def _train_variants(
    variants: Sequence[Entrant], material: Material, out: Path, name: str, budget: Budget, say: Say,
    taught: Mapping[str, Path], lender: Path | None,
) -> dict[str, Method]:  # fmt: skip
    """Label -> method. The paper's form as it is stands in many ablations, and is trained once for all.

    lender: folder of the run that has as many steps as all others are to have.
    """
    methods: dict[str, Method] = {}
    for each in variants:
        label, folder = (AS_IT_IS, AS_IT_IS) if each.changes[-1:] == (LENT,) else (each.label, name)
        given = replace(budget, as_many_as=lender if folder != AS_IT_IS else None)
        known = dict(taught) | {one: method.checkpoint for one, method in methods.items() if method.checkpoint}
        made = train_all([replace(each, label=label)], material, out / folder, given, say, taught=known)
        methods[each.label] = replace(made[label], label=each.label)
    return methods


def _costs(methods: Mapping[str, Method]) -> dict[str, Cost]:
    """Of every variant, by what it is called in the table."""
    loaded = {label: checkpoint.load(method.checkpoint) for label, method in methods.items() if method.checkpoint}
    return {label: cost_of(each, microphones=ALONE, window_s=WINDOW_S) for label, each in loaded.items()}


def _of_teachers(setting: Setting, out: Path) -> Budget:
    """The minutes that they were begun with, where `reproduce` did so."""
    given = minutes_given(teachers_of(setting)[-1], out / "one")
    return replace(setting.budget, minutes=given or setting.budget.minutes)


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


def about(setting: Setting, ablation: Ablation) -> str:
    """Where and for how long."""
    alike = "as many steps as the first had in" if ablation.same_steps else "at most"
    return (
        f"On `{setting.dataset}`, {setting.clips} clips, seed {setting.budget.seed}; every variant was trained for {alike} "
        f"{setting.budget.minutes:g} minutes of {setting.budget.device}, on the same windows. Mean errors and "
        "shares with one standard error; `less the usual`: window by window, against the first variant."
    )
