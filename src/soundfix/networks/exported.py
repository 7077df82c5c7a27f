"""What an exported network is like, and what onnxruntime needs to know of it besides its graphs: JSON beside them."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from soundfix.errors import CheckpointError
from soundfix.gate import gate
from soundfix.networks.correlations import HeadConfig
from soundfix.signal.coherence import Measure

DESCRIPTION = "network.json"
PACKAGED = Path(__file__).parents[1] / "weights"  # graphs beside the packaged checkpoint
Precision = Literal["float32", "int8"]


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A network with a likelihood head. files: graphs and weights beside the description, with their SHA-256. error_m,
    sharpness: numbers that were measured and learned. The rest as in NetworkConfig."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # an unknown field is an error

    format: Literal[1] = 1
    precision: Precision
    frame: Literal["room", "array"]
    sources: int
    reach_lags: int
    window_samples: int | None
    coherence: Measure
    head: HeadConfig
    has_reranker: bool
    arrays: tuple[tuple[tuple[float, float, float], ...], ...]
    error_m: float
    sharpness: float
    files: dict[str, str]

    @property
    def runtime(self) -> str:
        """What runs it, and how precisely where that is not in float32."""
        return "onnxruntime" if self.precision == "float32" else f"onnxruntime {self.precision}"

    @property
    def graphs(self) -> tuple[str, ...]:
        """The names of those that it consists of."""
        is_there = {"mask": self.head.weighting == "mask", "reranker": self.has_reranker}
        return tuple(name for name in ("listen", "mask", "curves", "joint", "reranker") if is_there.get(name, True))


def folder_of(checkpoint: Path | str | None) -> Path | None:
    """Where the exported network is that is meant, given its folder or a file in it; None: a checkpoint for PyTorch.

    Nothing given: the packaged network, exported where there is no PyTorch.
    """
    if checkpoint is None:
        return None if find_spec("torch") else PACKAGED
    path = Path(checkpoint)
    if path.is_dir():
        return path
    return path.parent if path.suffix == ".onnx" or path.name == DESCRIPTION else None


@gate(CheckpointError)
def read_exported(folder: Path) -> Exported:
    """The description in this folder. Raises CheckpointError on what is none, and where the weights are others."""
    path = folder / DESCRIPTION
    if not path.is_file():
        raise CheckpointError(
            f"{folder}: wanted a folder that `soundfix export` has written, and there is no {DESCRIPTION} in it"
        )
    try:
        about = TypeAdapter(Exported).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CheckpointError(
            f"{path}: {where}: {first['msg']}: is soundfix up to date, was the file edited?"
        ) from error
    for name, digest in (dict.fromkeys(graph_file(each) for each in about.graphs) | about.files).items():
        _check(folder / Path(name).name, digest)
    return about


def graph_file(name: str) -> str:
    """What the graph of this name is in."""
    return f"{name}.onnx"


def digest_of(path: Path) -> str:
    """SHA-256."""
    return sha256(path.read_bytes()).hexdigest()


def _check(path: Path, wanted: str | None) -> None:
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: an exported network is a whole folder; was it copied in part?")
    if digest_of(path) != wanted:
        raise CheckpointError(f"{path} is not the file that was exported: is it damaged, or of another network?")
