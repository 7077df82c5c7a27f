"""One part changed, or left out, and everything else as it was: recipe `default`, trained anew for every variant.

ascm        alpha = 0 (no weighting), and the other coherence measures
attention   T of the sparse cross-attention: 10 %, 30 %, 50 % of the pairs, all
acoustic    BEATs base (with --beats), small, none
frozen      whether the acoustic encoder learns on while the network learns to locate
head        the likelihood head, the same without its last polish, and the paper's MLP head, of one network
unknown     one to four of the microphones without a position
windows     0.128 to 1 s
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from soundfix.atomic import atomic_path
from soundfix.errors import ConfigError
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.tables import lines_of, markdown
from soundfix.studies.setting import Setting, material_for, rows_of
from soundfix.studies.study import Entrant, Say, train_all

USUAL = Grid(windows_s=(0.128, 0.5), microphones=(11, 7))


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """entrants: the variants, the usual one first. grid: where they are compared."""

    title: str
    entrants: tuple[Entrant, ...]
    grid: Grid = USUAL


def variant(label: str, *changes: str) -> Entrant:
    """Recipe `default` with these changes."""
    return Entrant(label=label, method="three-stream", recipe="default", changes=changes)


DEFAULT = variant("default")
ABLATIONS: Mapping[str, Ablation] = MappingProxyType(
    {
        "ascm": Ablation(
            title="How pairs are weighted by coherence",
            entrants=(
                DEFAULT,
                variant("alpha = 0", "network.coherence=none"),
                variant("phase", "network.coherence=phase"),
                variant("short time", "network.coherence=short_time"),
            ),
        ),
        "attention": Ablation(
            title="How many pairs a token looks at",
            entrants=(
                DEFAULT,
                *(variant(f"T = {share:.0%}", f"network.keep={share}") for share in (0.1, 0.3, 0.5)),
            ),
        ),
        "acoustic": Ablation(
            title="Who listens",
            entrants=(
                DEFAULT,
                variant("no encoder", "network.acoustic=none"),
                variant("BEATs base", "network.acoustic=base"),
            ),
        ),
        "frozen": Ablation(
            title="Whether the acoustic encoder is frozen",
            entrants=(DEFAULT, variant("not frozen", "localization.thaws_encoder=true")),
        ),
        "head": Ablation(
            title="Where the place is read",
            entrants=(
                DEFAULT,
                Entrant(
                    label="not polished", method="three-stream", weights_of="default", options=(("polishes", False),)
                ),
                Entrant(label="MLP head", method="three-stream-paper", weights_of="default"),
            ),
        ),
        "unknown": Ablation(
            title="Microphones of unknown position",
            entrants=(
                variant("default", "localization.hidden_positions=4"),
                Entrant(label="MLP head", method="three-stream-paper", weights_of="default"),
            ),
            grid=Grid(windows_s=(0.5,), microphones=(11,), unknown=(0, 1, 2, 3, 4)),
        ),
        "windows": Ablation(
            title="How long a window is",
            entrants=(DEFAULT, Entrant(label="SRP-PHAT", method="srp-phat")),
            grid=Grid(windows_s=(0.128, 0.25, 0.5, 1.0), microphones=(11, 5)),
        ),
    }
)


def ablate(name: str, setting: Setting, out: Path, *, say: Say, progress: Callable[[int], None]) -> str:
    """Train every variant, compare them, write out / NAME.md; gives its text. Raises ConfigError for an unknown name."""
    if name not in ABLATIONS:
        raise ConfigError(f"no ablation is called {name!r}; there are {', '.join(ABLATIONS)}")
    ablation = ABLATIONS[name]
    entrants = [
        each for each in ablation.entrants if setting.budget.beats or "network.acoustic=base" not in each.changes
    ]
    methods = train_all(entrants, material_for(setting, out, say), out, setting.budget, say)
    rows = rows_of(setting, out / name, [*methods.values()], ablation.grid, progress)
    text = markdown(ablation.title, lines_of(rows), [about(setting)])
    with atomic_path(out / f"{name}.md") as part:
        part.write_text(text, encoding="utf-8")
    return text


def about(setting: Setting) -> str:
    """Where and for how long."""
    return (
        f"On {setting.dataset}, {setting.clips} clips, seed {setting.budget.seed}; every variant was trained for "
        f"{setting.budget.minutes:g} minutes of {setting.budget.device}."
    )
