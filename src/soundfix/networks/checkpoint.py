"""A network in one safetensors file: weights, configuration and normalisation, enough to build it again.

The configuration is JSON in the file's metadata; the origin and unit of coordinates are tensors beside the weights.
Only data is read: a pickle, which could run code, is refused. So are weights that are missing, too many, of another shape,
or not finite; the message names them. BEATs base (363 MB) stays outside: it is given again when loading.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import save as save_bytes
from torch import Tensor, nn

from soundfix.atomic import atomic_path
from soundfix.errors import CheckpointError
from soundfix.gate import gate
from soundfix.networks.encoders import beats as beats_module
from soundfix.networks.fitting import Held, built
from soundfix.networks.model import Network
from soundfix.networks.registry import THREE_STREAM, Kind
from soundfix.networks.tensor_files import read_plain

PACKAGED = Path(__file__).parents[1] / "weights" / "default.safetensors"  # of recipe `default`
FORMAT = 1
PICKLES = (b"\x80", b"PK\x03\x04")  # how a pickle begins, and a zip file of them
OLD_NAMES = {"second_look": "reranker"}  # of parts and fields, in files written before they were renamed
BEATS = Held(300, 100_000_000)  # BEATs base, which has a file of its own
NAMED = 3  # tensors in a message; more are counted


def save(
    network: nn.Module, path: Path | str, *, kind: str = "three-stream", notes: dict[str, Any] | None = None
) -> None:
    """Write the network, whole or not at all; notes (JSON) say where the weights come from."""
    config = network.config
    metadata = {
        "soundfix": json.dumps({"format": FORMAT, "kind": kind}),
        "config": TypeAdapter(type(config)).dump_json(config).decode(),
        "notes": json.dumps(notes or {}),
    }
    tensors = {name: tensor.cpu().contiguous() for name, tensor in own_tensors(network).items()}
    with atomic_path(path) as part:
        part.write_bytes(save_bytes(tensors, metadata))


def load(path: Path | str, *, beats: Path | str | None = None) -> Network:
    """The network of this file, ready to answer (eval mode, CPU).

    beats: file of BEATs base, for a network that listens with it; without, it needs cached features. Raises CheckpointError
    on what is not one of ours.
    """
    path = Path(path)
    network = load_kind(path, THREE_STREAM)
    assert isinstance(network, Network)
    if beats is not None:
        if network.config.acoustic != "base":
            raise CheckpointError(f"{path} listens with an encoder of its own: it takes no file of BEATs")
        network.encoder = beats_module.load(beats)
        network.freeze()
    return network.eval()


@gate(CheckpointError)
def load_kind(path: Path | str, kinds: Mapping[str, Kind]) -> nn.Module:
    """The network of this file, which must be of one of these kinds; ready to answer. Raises CheckpointError."""
    path = Path(path)
    metadata, tensors = read_tensors(path)
    kind = kinds[_kind(path, metadata, kinds)]
    config, tensors = _config(path, metadata, kind), with_a_unit_an_axis(tensors)
    network = built(path, lambda: kind.build(config), tensors, outside=BEATS)
    check_tensors(path, tensors, own_tensors(network))
    network.load_state_dict(tensors, strict=False)
    return network.eval()


def with_a_unit_an_axis(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """As networks have it: weights of before 27 November 2026 had one unit of coordinates for all axes."""
    scale_m = tensors.get("scale_m")
    if scale_m is None or scale_m.ndim:
        return tensors
    return tensors | {"scale_m": scale_m.expand(3).clone()}


@gate(CheckpointError)
def notes(path: Path | str) -> dict[str, Any]:
    """What was written beside the weights. Raises CheckpointError."""
    return TypeAdapter(dict[str, Any]).validate_json(read_tensors(Path(path))[0].get("notes", "{}"))


def own_tensors(network: nn.Module) -> dict[str, Tensor]:
    """The tensors that belong into the file: all but those of BEATs base."""
    is_outside = isinstance(network, Network) and network.config.acoustic == "base"
    return {n: t for n, t in network.state_dict().items() if not (is_outside and n.startswith("encoder."))}


@gate(CheckpointError)
def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a safetensors file, data only. Raises CheckpointError on what is none."""
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file")
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] != b"{" and start.startswith(PICKLES):  # the length of a header may look like a pickle's first byte
        raise CheckpointError(f"{path} is a pickle, which could run code when read: wanted a safetensors file")
    metadata, tensors = read_plain(path)
    return metadata, {_today(name): tensor for name, tensor in tensors.items()}


def _kind(path: Path, metadata: dict[str, str], kinds: Mapping[str, Kind]) -> str:
    """Which kind it is; files from before there were several are three-stream."""
    if "config" not in metadata:
        raise CheckpointError(f"{path} holds tensors but no configuration of a network: was it written by soundfix?")
    try:
        about = json.loads(metadata["soundfix"])
        found, kind = about["format"], about.get("kind", "three-stream")
    except (json.JSONDecodeError, KeyError, TypeError):
        found, kind = metadata.get("soundfix"), ""
    if found != FORMAT:
        raise CheckpointError(f"{path} is of format {found}, this soundfix reads {FORMAT}: is soundfix up to date?")
    if kind not in kinds:
        raise CheckpointError(
            f"{path} is a network of kind {kind!r}, wanted {' or '.join(kinds)}: is it of another method?"
        )
    return kind


def _today(name: str) -> str:
    """The name of a tensor as it is called now."""
    part, dot, rest = name.partition(".")
    return OLD_NAMES.get(part, part) + dot + rest


def _with_names_of_today(config: str) -> str:
    """The configuration with its fields as they are called now; what is no JSON stays, for the validation to refuse."""
    try:
        fields = json.loads(config, object_pairs_hook=lambda pairs: {OLD_NAMES.get(k, k): v for k, v in pairs})
    except ValueError:
        return config
    return json.dumps(fields)


def _config(path: Path, metadata: dict[str, str], kind: Kind) -> Any:
    try:
        return TypeAdapter(kind.config).validate_json(_with_names_of_today(metadata["config"]))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CheckpointError(f"{path}: its configuration cannot be built: {where}: {first['msg']}") from error


def check_tensors(path: Path, found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Refuse by name, with CheckpointError, what does not fit."""
    missing, extra = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    if missing:
        raise CheckpointError(f"{path} lacks {_listed(missing)}: does it belong to another version of the network?")
    if extra:
        raise CheckpointError(f"{path} holds {_listed(extra)}, which this network has no place for")
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, wanted {tuple(wanted[name].shape)}"
            raise CheckpointError(f"{path}: {name} has shape {shapes}: was the configuration edited?")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{path}: {name} holds NaN or Inf: did its training diverge?")


def _listed(names: set[str]) -> str:
    shown, rest = sorted(names)[:NAMED], max(0, len(names) - NAMED)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
