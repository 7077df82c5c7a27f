"""Name -> Localizer. Modules are imported when a method is asked for, so that listing them is quick."""

from difflib import get_close_matches
from importlib import import_module
from inspect import signature
from typing import Any, NamedTuple

from soundfix.errors import UnknownMethodError
from soundfix.estimate import Localizer
from soundfix.testing import load_own


class Entry(NamedTuple):
    """Where a method lives, what makes it, and what it does in a sentence."""

    module: str
    maker: str
    summary: str


CATALOG = {
    "srp-phat": Entry(
        "soundfix.methods.srp_phat", "SrpPhat", "the place where the correlations of all pairs add up highest"
    ),
    "srp-phat-ascm": Entry(
        "soundfix.methods.srp_phat", "srp_phat_ascm", "the same with pairs weighted by their coherence"
    ),
    "multilateration": Entry(
        "soundfix.methods.multilateration",
        "Multilateration",
        "robust least squares on the best delay of every pair",
    ),
    "multilat": Entry(
        "soundfix.methods.multilat", "Multilat", "RANSAC on correlation peaks: the baseline of arXiv 2505.20961"
    ),
    "multilat-ngcc": Entry(
        "soundfix.methods.multilat_ngcc", "multilat_ngcc", "the same on the delays of NGCC-PHAT; needs --checkpoint"
    ),
    "three-stream": Entry(
        "soundfix.methods.three_stream",
        "three_stream",
        "the network of arXiv 2505.20961 with a likelihood head: trained, for any array",
    ),
    "three-stream-paper": Entry(
        "soundfix.methods.three_stream",
        "three_stream_paper",
        "the same network as published, coordinates by MLP, for the room it learned; needs --checkpoint",
    ),
    "di-nn": Entry(
        "soundfix.methods.rivals",
        "di_nn",
        "spectrograms through convolutions and a GRU, one array; needs --checkpoint",
    ),
    "gnn": Entry(
        "soundfix.methods.rivals", "gnn", "an MLP on every pair, added up to a grid over the room; needs --checkpoint"
    ),
    "wav2pos": Entry(
        "soundfix.methods.rivals", "wav2pos", "a masked autoencoder over sounds and coordinates; needs --checkpoint"
    ),
}
DEFAULT = "three-stream"


def load(name: str = DEFAULT, **options: Any) -> Localizer:
    """The localizer of this name: `load().locate(scene)` answers for one Scene, places in m.

        soundfix.load("three-stream", checkpoint="model.safetensors", explains=True)

    name: one of `soundfix methods`, or MODULE:FACTORY of a method of your own, which takes no options. options: those of
    its maker; for networks checkpoint and beats (paths of weights) and explains (estimates say what was made of every
    pair).
    Raises UnknownMethodError where there is no such method, with the nearest name, or where it has no such option, and
    CheckpointError where weights are missing, damaged, or of another network.
    """
    if ":" in name and not options:
        return load_own(name)
    if name not in CATALOG:
        near = get_close_matches(name, CATALOG, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownMethodError(f"no method is called {name!r}; there are {', '.join(CATALOG)}.{hint}")
    entry = CATALOG[name]
    maker = getattr(import_module(entry.module), entry.maker)
    unknown = options.keys() - signature(maker).parameters.keys()
    if unknown:
        takes = ", ".join(signature(maker).parameters)
        raise UnknownMethodError(f"{name} has no option {min(unknown)!r}; it takes {takes}")
    return maker(**options)
