"""Name -> Localizer. Modules are imported when a method is asked for, so that listing them is quick."""

from difflib import get_close_matches
from importlib import import_module
from typing import Any, NamedTuple

from soundfix.errors import UnknownMethodError
from soundfix.localizer import Localizer


class Entry(NamedTuple):
    """Where a method lives, and what it does in a sentence."""

    module: str
    class_name: str
    summary: str


CATALOG = {
    "srp-phat": Entry(
        "soundfix.baselines.srp_phat", "SrpPhat", "the place where the correlations of all pairs add up highest"
    ),
    "multilateration": Entry(
        "soundfix.baselines.multilateration",
        "Multilateration",
        "robust least squares on the best delay of every pair",
    ),
    "multilat": Entry(
        "soundfix.baselines.multilat", "Multilat", "RANSAC on correlation peaks: the baseline of arXiv 2505.20961"
    ),
}
DEFAULT = "srp-phat"


def load(name: str = DEFAULT, **options: Any) -> Localizer:
    """The localizer of this name, with its options (see the class).

    Raises UnknownMethodError, with the nearest name, where there is no such method.
    """
    if name not in CATALOG:
        near = get_close_matches(name, CATALOG, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownMethodError(f"no method is called {name!r}; there are {', '.join(CATALOG)}.{hint}")
    entry = CATALOG[name]
    return getattr(import_module(entry.module), entry.class_name)(**options)
