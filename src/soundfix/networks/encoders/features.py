"""A cache of what a frozen encoder heard, keyed by content: the samples themselves and the encoder's weights.

A row of sound has one small file, ab/cdef….safetensors, named by the hash of both. So a changed sample or weight is
another file, nothing ever goes stale, several runs may share a folder, and any file may be deleted. What cannot be read is
computed again. What is kept is the mean token; it may differ from that of another batch by rounding.
No training asks it yet: one that goes over the same clips often, with the encoder frozen, will.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from soundfix.atomic import atomic_path, make_folder
from soundfix.networks.encoders.beats import Beats

FORMAT = 1  # to be raised when what an encoder hears changes though its weights do not


class FeatureCache:
    """Mean tokens of frozen encoders, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._fingerprints: WeakKeyDictionary[Beats, tuple[tuple, str]] = WeakKeyDictionary()

    def pooled(self, encoder: Beats, waveform: Float[Tensor, "batch time"]) -> Float[Tensor, "batch width"]:
        """encoder.pooled of every row, without gradient; only rows not heard before are run through the encoder."""
        sound = waveform.detach().float()
        name = self._fingerprint(encoder)
        keys = [content_key(row, name) for row in sound]
        known = {key: feature for key in set(keys) if (feature := self._read(key)) is not None}
        missing = {key: row for row, key in enumerate(keys) if key not in known}
        if missing:
            with torch.no_grad():
                heard = encoder.pooled(sound[list(missing.values())]).cpu()
            known |= zip(missing, heard, strict=True)
        for key in missing:
            self._write(key, known[key])
        return torch.stack([known[key] for key in keys]).to(waveform.device)

    def _fingerprint(self, encoder: Beats) -> str:
        """Computed once an encoder, and again after its weights were changed."""
        state = tuple((t.data_ptr(), 0 if t.is_inference() else t._version) for t in encoder.state_dict().values())
        known = self._fingerprints.get(encoder)
        if known is None or known[0] != state:
            known = self._fingerprints[encoder] = (state, fingerprint(encoder))
        return known[1]

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.safetensors"

    def _read(self, key: str) -> Float[Tensor, "width"] | None:
        """The kept feature; None where there is none, or its file is damaged."""
        try:
            with safe_open(self._path(key), framework="pt") as file:
                feature = file.get_tensor("pooled")
                return feature if (file.metadata() or {}).get("sha256") == _digest(feature) else None
        except (OSError, SafetensorError):
            return None

    def _write(self, key: str, feature: Float[Tensor, "width"]) -> None:
        """Whole or not at all."""
        path = self._path(key)
        make_folder(path.parent)
        with atomic_path(path) as part:
            part.write_bytes(save({"pooled": feature.contiguous()}, {"sha256": _digest(feature)}))


def content_key(row: Float[Tensor, "time"], encoder_fingerprint: str) -> str:
    """Name of a row's file: hash of its samples as float32, and of who listens."""
    return hashlib.sha256(encoder_fingerprint.encode() + _bytes(row.float())).hexdigest()


def fingerprint(encoder: Beats) -> str:
    """Hash of an encoder's configuration and weights, and of their dtype."""
    about = json.dumps({"format": FORMAT, "config": asdict(encoder.config)}, sort_keys=True)
    total = hashlib.sha256(about.encode())
    for name, tensor in encoder.state_dict().items():
        total.update(f"{name} {tensor.dtype}".encode())
        total.update(_bytes(tensor))
    return total.hexdigest()


def _digest(tensor: Tensor) -> str:
    return hashlib.sha256(_bytes(tensor)).hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
