"""manifest.json: what a set of shards was made from, and what its files must be. Written after every shard, atomically."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import PositiveInt, TypeAdapter, ValidationError

from soundfix.atomic import atomic_path
from soundfix.errors import DatasetError
from soundfix.gate import gate

NAME = "manifest.json"
FORMAT = "soundfix shards 1"
MOST_SHARDS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ShardEntry:
    """A finished shard: how many scenes, how many bytes, their SHA-256 in hexadecimal."""

    scenes: PositiveInt
    bytes: PositiveInt
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What decides every scene, and what is finished. A shard holds scenes_a_shard scenes, the last one the rest."""

    world: dict[str, Any]
    sounds: dict[str, Any]
    seed: int
    scenes: PositiveInt
    scenes_a_shard: PositiveInt
    shards: dict[str, ShardEntry] = field(default_factory=dict)
    format: str = FORMAT
    soundfix: str = version("soundfix")

    def names(self) -> list[str]:
        """The files of the whole set."""
        return [f"{number:06d}.tar" for number in range(-(-self.scenes // self.scenes_a_shard))]

    def numbers(self, shard: int) -> range:
        """The scenes of this shard."""
        first = shard * self.scenes_a_shard
        return range(first, min(first + self.scenes_a_shard, self.scenes))

    def with_shard(self, name: str, entry: ShardEntry) -> "Manifest":
        """With one more shard finished."""
        return replace(self, shards=dict(sorted({**self.shards, name: entry}.items())))

    def difference(self, other: "Manifest") -> str | None:
        """The first setting in which another set would be another one, in words."""
        return next(_differences(_settings(self), _settings(other)), None)


@gate(DatasetError)
def read_manifest(folder: Path) -> Manifest:
    """Raises DatasetError where there is none, or it is not one of ours."""
    path = Path(folder) / NAME
    try:
        manifest = TypeAdapter(Manifest).validate_json(_checked_format(path.read_bytes()))
        if manifest.scenes > MOST_SHARDS * manifest.scenes_a_shard:
            raise DatasetError(f"{path}: {manifest.scenes} scenes, {manifest.scenes_a_shard} a shard: was it edited?")
        return manifest
    except FileNotFoundError as error:
        raise DatasetError(f"no data set in {folder}: there is no {NAME}; is it the right folder?") from error
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    except (ValidationError, ValueError) as error:
        raise DatasetError(f"{path} is no manifest of shards: {' '.join(str(error).split())}") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Raises OutputError, and leaves the old one as it was."""
    with atomic_path(folder / NAME) as path:
        path.write_text(json.dumps(asdict(manifest), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _checked_format(text: bytes) -> bytes:
    read = json.loads(text)
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        got = read.get("format") if isinstance(read, dict) else type(read).__name__
        raise ValueError(f"its format is {got!r}, wanted {FORMAT!r}")
    return text


def _settings(manifest: Manifest) -> dict[str, Any]:
    """As they are in JSON, with lists for tuples."""
    settings = {name: value for name, value in asdict(manifest).items() if name not in ("shards", "soundfix")}
    plain: dict[str, Any] = json.loads(json.dumps(settings))
    return plain


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> Any:
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        mine, other = ours.get(name), theirs.get(name)
        if isinstance(mine, dict) and isinstance(other, dict):
            yield from _differences(mine, other, f"{prefix}{name}.")
        elif mine != other:
            yield f"{prefix}{name} is {mine} in it, and {other} was asked for"
