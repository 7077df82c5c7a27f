"""What is in a safetensors file: data only, whole, and plain."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from soundfix.errors import CheckpointError
from soundfix.networks.fitting import check_plain


def read_plain(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors. Raises CheckpointError on what is no such file, and on tensors that are not plain."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is no whole safetensors file ({error}): was the copy cut short, or is it a bare pickle?"
        ) from error
    check_plain(path, tensors)
    return metadata, tensors
