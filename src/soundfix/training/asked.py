"""What a run is asked for: words of the command line, completed by those it was started with when it goes on.

settings.json (runs.py) keeps the recipe, setting by setting, and the words. Of what is said again the newest counts; whether
it may differ from what is saved is settled where the folder is opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from soundfix.errors import TrainingError
from soundfix.overrides import apply_overrides
from soundfix.simulation.worlds import WORLDS
from soundfix.training.recipes import RECIPES, STAGES, Recipe
from soundfix.training.runs import SETTINGS, WORDS, read_settings

WINDOWS_A_CLIP = 4  # where windows are kept
# What may be another when a run goes on: how long and how fast it learns, where, and how it is watched.
MAY_CHANGE = frozenset(
    [f"recipe.{stage}.{name}" for stage in STAGES for name in ("steps", "learning_rate", "schedule")]
    + [f"{WORDS}.{name}" for name in ("data", "valid", "beats", "cache", "workers", "device", "tracks")]
)


@dataclass(frozen=True, kw_only=True)
class Words:
    """Options as they are called on the command line; start is --from, tracks --tensorboard. Paths are whole."""

    data: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    start: str | None = None
    beats: str | None = None
    cache: str | None = None
    workers: int = 1
    device: str = "auto"
    tracks: bool = False


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """What is said: said holds those of Words that are, changes is --set. minutes are of this call alone."""

    out: Path
    recipe: str | None = None
    changes: Sequence[str] = ()
    seed: int | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    resume: bool = False
    minutes: float = float("inf")


class Asked(NamedTuple):
    """What that means. names: of files that are part of what a run is, wherever they lie."""

    recipe: Recipe
    seed: int
    words: Words
    names: dict[str, str | None]


def asked_for(request: TrainRequest) -> Asked:
    """Raises TrainingError where something is missing, or the folder of a run cannot be read."""
    saved = read_settings(request.out) if request.resume else None
    recipe, words = _recipe(request, saved), _words(request, saved)
    if not words.data:
        raise TrainingError(f"what is to be learned from? Give --data{_nothing_to_go_on(request, saved)}")
    recipe = _cached(apply_overrides(recipe, request.changes), words)
    seed = (saved or {}).get("seed", 0) if request.seed is None else request.seed
    if not isinstance(seed, int):
        raise TrainingError(f"{request.out / SETTINGS} holds no seed: was it edited?")
    return Asked(
        recipe, seed, words, {"start": _start(request, saved), "beats": words.beats and Path(words.beats).name}
    )


def may_change(words: Words) -> frozenset[str]:
    """A folder may have been moved, and its data set keeps its name; a world is another one under another name."""
    return MAY_CHANGE - {f"{WORDS}.data"} if WORLDS.keys() & set(words.data) else MAY_CHANGE


def named_recipe(name: str, changes: Sequence[str]) -> Recipe:
    """A recipe with changes such as "localization.steps=5000"; a misspelt name is told with the nearest one."""
    if name not in RECIPES:
        raise TrainingError(f"no recipe is called {name!r}; there are {', '.join(RECIPES)}")
    return apply_overrides(RECIPES[name](), changes)


def _recipe(request: TrainRequest, saved: dict[str, Any] | None) -> Recipe:
    """That of the run, every setting of it, unless another is named."""
    if saved is not None:
        recipe = saved_recipe(saved, request.out)
        if request.recipe in (None, recipe.name):
            return recipe
    if request.recipe is None:
        raise TrainingError(f"which recipe? There are {', '.join(RECIPES)}{_nothing_to_go_on(request, saved)}")
    return named_recipe(request.recipe, ())


def saved_recipe(saved: dict[str, Any], out: Path) -> Recipe:
    """The recipe in the settings of a run, its network of the kind that this recipe has."""
    try:
        settings = dict(saved["recipe"])
        kind = type(RECIPES[settings["name"]]().network)
        settings["network"] = TypeAdapter(kind).validate_python(settings["network"])
        return TypeAdapter(Recipe).validate_python(settings)
    except (KeyError, TypeError, ValueError) as error:  # ValidationError is a ValueError
        raise TrainingError(f"{out / SETTINGS} holds no recipe that is known here: was it edited?") from error


def _words(request: TrainRequest, saved: dict[str, Any] | None) -> Words:
    before = (saved or {}).get(WORDS, {})
    try:
        return TypeAdapter(Words).validate_python({**before, **_whole(request.said)})
    except (TypeError, ValidationError) as error:
        raise TrainingError(f"{request.out / SETTINGS} holds words that mean nothing: was it edited?") from error


def _whole(said: Mapping[str, Any]) -> dict[str, Any]:
    """Paths from the root, for a run may go on from another folder than it was started in."""
    whole = dict(said)
    for name in {"start", "beats", "cache"} & said.keys():
        whole[name] = str(Path(said[name]).absolute())
    if "audio" in said:
        whole["audio"] = [str(Path(path).absolute()) for path in said["audio"]]
    for name in {"data", "valid"} & said.keys():
        whole[name] = [_from_root(text) for text in said[name]]
    return whole


def _from_root(data: str) -> str:
    """A folder, or FOLDER:PART; the name of a world stays."""
    folder, colon, part = (data, "", "") if Path(data).exists() else data.rpartition(":")
    return (
        f"{Path(folder).absolute()}{colon}{part}" if data not in WORLDS and folder and Path(folder).exists() else data
    )


def _start(request: TrainRequest, saved: dict[str, Any] | None) -> str | None:
    said = request.said.get("start")
    return str(said) if said else (saved or {}).get("start")


def _cached(recipe: Recipe, words: Words) -> Recipe:
    """With windows that are drawn once, where what is made of them is to be kept and the recipe does not say how many."""
    stage = recipe.localization
    if words.cache is None or stage.windows_a_clip:
        return recipe
    return replace(recipe, localization=replace(stage, windows_a_clip=WINDOWS_A_CLIP))


def _nothing_to_go_on(request: TrainRequest, saved: dict[str, Any] | None) -> str:
    """Why it is to be said again though a run was to go on."""
    if not request.resume:
        return ""
    return f" ({request.out} {'was started before words were kept' if saved else 'holds no run to go on with'})"
