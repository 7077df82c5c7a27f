"""Configuration and files of BEATs: the published torch files {'cfg', 'model'}, and the same tensors in safetensors.

A published file is read as data only: one that needs code to be unpickled is refused. A converted file holds the
published tensors under their published names, configuration and labels as JSON in its metadata. Both are checked by name:
nothing may be missing, too many, of another shape, or not finite.

Two things differ between the published tensors and our network (beats.py). Its convolution over positions is stored as
direction and length (weight-norm over the kernel dimension), ours as one weight. The table of relative positions is
stored with every layer although all share it.
"""

import json
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor

from soundfix.atomic import atomic_path, make_folder
from soundfix.errors import CheckpointError
from soundfix.gate import gate
from soundfix.networks.fitting import check_plain
from soundfix.networks.tensor_files import read_plain
from soundfix.signal import fbank

FORMAT = 1
NAMED = 3  # tensors in a message; more are counted
ZIP, PICKLE = b"PK\x03\x04", b"\x80"  # how torch files begin, new and old
DAMAGED = (RuntimeError, EOFError, OSError, ValueError, LookupError, AttributeError, TypeError)  # seen of flipped bytes
HUB = re.compile(r"hf:/{1,2}(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)/(?P<file>.+)|(?P<id>[\w.-]+/[\w.-]+):(?P<path>[^\\]+)")

MAY_BE_ZERO = {"num_buckets", "max_distance", "predictor_class"}  # where they are not used
ABSENT = {  # what the published code assumes where a cfg does not say, and BEATs base differs
    "deep_norm": False,
    "relative_position_embedding": False,
    "gru_rel_pos": False,
    "max_distance": 1280,
}
ACTIVATIONS = ("gelu", "relu", "glu")

TABLE = "encoder.layers.0.self_attn.relative_attention_bias"
SHARED = re.compile(r"encoder\.layers\.\d+\.self_attn\.relative_attention_bias\.weight")
POSITION = "encoder.pos_conv.0"
PUBLISHED = {  # our names -> theirs
    "patches": "patch_embedding",
    "patch_norm": "layer_norm",
    "widen": "post_extract_proj",
    "position": POSITION,
    "norm": "encoder.layer_norm",
    "relative": TABLE,
    "predictor": "predictor",
}
PUBLISHED_IN_LAYER = {
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.out": "self_attn.out_proj",
    "attention.gate.linear": "self_attn.grep_linear",
    "attention.gate.scale": "self_attn.grep_a",
    "attention_norm": "self_attn_layer_norm",
    "expand": "fc1",
    "contract": "fc2",
    "expand_norm": "final_layer_norm",
}


@dataclass(frozen=True, kw_only=True)
class BeatsConfig:
    """Sizes of the network under their published names; the defaults are BEATs base, iterations 1 to 3+."""

    input_patch_size: int = 16  # frames (10 ms) and mel bins a side
    embed_dim: int = 512  # width of a patch
    conv_bias: bool = False  # of the patches
    encoder_layers: int = 12
    encoder_embed_dim: int = 768  # width of a token
    encoder_ffn_embed_dim: int = 3072
    encoder_attention_heads: int = 12
    activation_fn: str = "gelu"  # or relu, glu
    layer_norm_first: bool = False
    deep_norm: bool = True
    conv_pos: int = 128  # tokens the convolution over positions spans
    conv_pos_groups: int = 16
    relative_position_embedding: bool = True
    num_buckets: int = 320  # of relative positions, half of them for either direction
    max_distance: int = 800  # tokens; further ones share a bucket
    gru_rel_pos: bool = True  # the gate
    finetuned_model: bool = False  # has a predictor
    predictor_class: int = 527  # classes of AudioSet

    def __post_init__(self) -> None:
        complaint = next((text for is_wrong, text in _complaints(self) if is_wrong), None)
        if complaint:
            raise CheckpointError(f"this configuration of BEATs cannot be built: {complaint}")

    @classmethod
    def from_published(cls, cfg: Mapping[str, Any]) -> "BeatsConfig":
        """The configuration of a published cfg; its entries about training are not needed."""
        if "input_patch_size" not in cfg:
            raise CheckpointError("the cfg has no input_patch_size: is it that of BEATs?")
        known = {field.name: field.default for field in fields(cls)}
        found = {name: value for name, value in (ABSENT | dict(cfg)).items() if name in known}
        for name, value in found.items():
            if type(value) is not type(known[name]):
                kind = type(known[name]).__name__
                raise CheckpointError(f"the cfg says {name} is {value!r}, wanted {kind}: was it edited?")
        return cls(**found)


def _complaints(c: BeatsConfig) -> list[tuple[bool, str]]:
    """What could be wrong, and whether it is."""
    width, heads, groups, exact = c.encoder_embed_dim, c.encoder_attention_heads, c.conv_pos_groups, c.num_buckets // 4
    small = [name for name, size in vars(c).items() if type(size) is int and size < 1 and name not in MAY_BE_ZERO]
    return [
        (bool(small), f"{', '.join(small)} must be 1 or more"),
        (c.input_patch_size > fbank.MELS, f"patches of {c.input_patch_size} mel bins, there are {fbank.MELS}"),
        (bool(width % max(1, heads)), f"width {width} cannot be shared by {heads} heads"),
        (bool(width % max(1, groups)), f"width {width} cannot be shared by {groups} groups of convolutions"),
        (c.activation_fn not in ACTIVATIONS, f"activation {c.activation_fn!r}, known are {', '.join(ACTIVATIONS)}"),
        (c.deep_norm and c.layer_norm_first, "deep_norm is for norms after the sublayers, layer_norm_first before"),
        (c.relative_position_embedding and exact < 1, f"{c.num_buckets} buckets, wanted 4 or more"),
        (c.relative_position_embedding and c.max_distance <= exact, f"max_distance {c.max_distance} is within {exact}"),
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class BeatsFile:
    """What a file holds: configuration, tensors under published names, a label per class (or none)."""

    path: Path
    config: BeatsConfig
    tensors: dict[str, Tensor]
    labels: tuple[str, ...] = ()


@gate(CheckpointError)
def read(path: Path) -> BeatsFile:
    """The content of a published or a converted file; which it is shows in its first bytes."""
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file")
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] == b"{":  # first: the length before it may well begin like a pickle
        return _read_converted(path)
    if start.startswith((ZIP, PICKLE)):
        return _read_published(path)
    raise CheckpointError(f"{path} is neither a published BEATs file (.pt) nor a converted one (.safetensors)")


def write(file: BeatsFile, path: Path) -> None:
    """The file in safetensors, whole or not at all."""
    about = {"format": FORMAT, "config": asdict(file.config), "labels": file.labels}
    make_folder(path.parent)
    tensors = {name: tensor.contiguous() for name, tensor in file.tensors.items()}
    with atomic_path(path) as part:
        part.write_bytes(save(tensors, {"beats": json.dumps(about)}))


def located(path: Path | str) -> Path:
    """The file itself; 'owner/name:file' or 'hf://owner/name/file' is fetched from Hugging Face, once."""
    hub = None if Path(path).exists() else HUB.fullmatch(str(path))
    if hub is None:
        return Path(path)
    repository, name = (hub["id"], hub["path"]) if hub["id"] else (f"{hub['owner']}/{hub['name']}", hub["file"])
    return _fetched(repository, name)


def own_tensors(file: BeatsFile, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The file's tensors under our names, checked against those of our network (only their shapes count)."""
    _check(file, _published_shapes(own))
    tensors = file.tensors | {f"{POSITION}.weight": _folded(file.tensors)}
    for name in map(published_name, own):
        if not bool(torch.isfinite(tensors[name]).all()):
            raise CheckpointError(
                f"{file.path}: {name} holds NaN or Inf: did its training diverge, or was the copy damaged?"
            )
    return {name: tensors[published_name(name)] for name in own}


def published_name(name: str) -> str:
    """patches.weight -> patch_embedding.weight, layers.2.expand.bias -> encoder.layers.2.fc1.bias."""
    layer = re.match(r"layers\.\d+\.", name)
    prefix, rest = ("encoder." + layer[0], name[layer.end() :]) if layer else ("", name)
    names = PUBLISHED_IN_LAYER if layer else PUBLISHED
    ours = next(ours for ours in names if rest == ours or rest.startswith(ours + "."))
    return prefix + names[ours] + rest[len(ours) :]


def _published_shapes(own: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    shapes = {published_name(name): tuple(tensor.shape) for name, tensor in own.items()}
    shapes[f"{POSITION}.weight_v"] = shapes.pop(f"{POSITION}.weight")
    shapes[f"{POSITION}.weight_g"] = (1, 1, shapes[f"{POSITION}.weight_v"][-1])
    return shapes


def _folded(tensors: Mapping[str, Tensor]) -> Float[Tensor, "out in tap"]:
    """weight = g v / |v|, the length taken over all channels of one tap."""
    direction = tensors[f"{POSITION}.weight_v"]
    return tensors[f"{POSITION}.weight_g"] * direction / direction.norm(dim=(0, 1), keepdim=True)


def _check(file: BeatsFile, wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse by name what does not fit."""
    missing, extra = wanted.keys() - file.tensors.keys(), file.tensors.keys() - wanted.keys()
    if missing:
        raise CheckpointError(
            f"{file.path} lacks {_listed(missing)}: is it a file of BEATs, and does its cfg belong to it?"
        )
    if extra:
        raise CheckpointError(f"{file.path} holds {_listed(extra)}, for which its cfg has no place: was it edited?")
    for name, shape in wanted.items():
        found = tuple(file.tensors[name].shape)
        if found != shape:
            raise CheckpointError(f"{file.path}: {name} has shape {found}, wanted {shape}: does its cfg belong to it?")


def _listed(names: set[str]) -> str:
    shown, rest = sorted(names)[:NAMED], max(0, len(names) - NAMED)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _read_published(path: Path) -> BeatsFile:
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickles that are refused anyway
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: this file holds pickled code; only {{'cfg','model'}} tensors are read"
        ) from error
    except DAMAGED as error:
        raise CheckpointError(f"{path} is no whole torch file: was the copy cut short?") from error
    if not isinstance(content, dict) or not {"cfg", "model"} <= content.keys():
        found = _listed(set(map(str, content))) if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"{path} holds {found}, wanted 'cfg' and 'model': is it a file of BEATs?")
    for part in ("cfg", "model"):
        if not isinstance(content[part], dict):
            raise CheckpointError(f"{path}: its '{part}' is a {type(content[part]).__name__}, wanted a dict")
    config, tensors = BeatsConfig.from_published(content["cfg"]), _one_table(path, content["model"])
    return BeatsFile(path=path, config=config, tensors=tensors, labels=_labels(path, content.get("label_dict", {})))


def _one_table(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the copies that layers after the first hold of the table of relative positions."""
    first = f"{TABLE}.weight"
    other = [str(name) for name, tensor in tensors.items() if not isinstance(tensor, Tensor)]
    if other:
        raise CheckpointError(f"{path}: {_listed(set(other))} in 'model' is no tensor: is it a state dict?")
    if other := [name for name in tensors if not isinstance(name, str)]:
        raise CheckpointError(f"{path}: {other[0]!r} in 'model' is no name of a tensor: is it a state dict?")
    check_plain(path, tensors)
    copies = [name for name in tensors if SHARED.fullmatch(name) and name != first]
    for name in copies:
        if first in tensors and not torch.equal(tensors[name], tensors[first]):
            raise CheckpointError(f"{path}: {name} differs from that of layer 0, but BEATs has one for all layers")
    return {name: tensor for name, tensor in tensors.items() if name not in copies}


def _labels(path: Path, found: dict[int, str]) -> tuple[str, ...]:
    """label_dict is index -> AudioSet mid."""
    if not isinstance(found, dict) or set(found) != set(range(len(found))):
        raise CheckpointError(f"{path}: its label_dict does not number its labels from 0: was it edited?")
    return tuple(str(found[index]) for index in range(len(found)))


def _read_converted(path: Path) -> BeatsFile:
    metadata, tensors = read_plain(path)
    try:
        about = json.loads(metadata["beats"])
        found, config, labels = about["format"], about["config"], tuple(about["labels"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} holds tensors, but not BEATs as convert writes it: is it the right file?"
        ) from error
    if found != FORMAT:
        raise CheckpointError(f"{path} is of format {found}, this soundfix reads {FORMAT}: is soundfix up to date?")
    return BeatsFile(path=path, config=BeatsConfig.from_published(config), tensors=tensors, labels=labels)


def _fetched(repository: str, name: str) -> Path:
    """The cached copy; with HF_HUB_OFFLINE=1 nothing but the cache is asked."""
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, name))
    except (OSError, ValueError) as error:  # all of Hugging Face's errors are one of them
        raise CheckpointError(
            f"{name} of {repository} is not in the cache and could not be fetched from Hugging Face "
            f"({type(error).__name__}): check the name, unset HF_HUB_OFFLINE, or give the path of a file you have"
        ) from error
