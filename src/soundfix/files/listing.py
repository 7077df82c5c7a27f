"""Which files are meant: by paths of files, of folders of them, and of folders that hold a folder for each recorder."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from soundfix.errors import AudioFileError
from soundfix.files.rosbag import is_bag, sounds

WAVES = (".wav", ".wave", ".w64", ".rf64", ".bw64", ".aif", ".aiff", ".caf", ".au")
AUDIO_SUFFIXES = frozenset({*WAVES, ".flac", ".ogg", ".oga", ".opus", ".mp3"})


class Listed(NamedTuple):
    """A file, or the folder of a recorder with its files."""

    path: Path
    files: tuple[Path, ...]

    @property
    def is_folder(self) -> bool:
        """Whether somebody said, by a folder, that these files are of one recorder."""
        return self.files != (self.path,)


def listed(paths: Sequence[Path | str]) -> list[Listed]:
    """In the order of the paths; what a folder holds, and paths sorted as text, as a shell does, in natural order.

    Raises AudioFileError where nothing is listed, something twice, or a folder holds no sound.
    """
    if isinstance(paths, str) or not paths:
        raise AudioFileError(f"got {paths!r} as recording, wanted a list of files or folders, such as ['take.wav']")
    given = _in_natural_order([Path(path) for path in paths])
    found = [each for path in given for each in (_inside(path) if path.is_dir() else [Listed(path, (path,))])]
    _check_listed_once([file for each in found for file in each.files])
    return found


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts "Track 2" before "Track 10": numbers by value, the rest as text, regardless of case."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts]


def _in_natural_order(paths: list[Path]) -> list[Path]:
    """A shell sorts `*.wav` as text, with mic10 before mic2, and nobody meant that; any other order is meant."""
    texts = [str(path) for path in paths]
    is_sorted_as_text = texts in (sorted(texts), sorted(texts, key=str.casefold))
    return sorted(paths, key=lambda path: natural_key(str(path))) if is_sorted_as_text else paths


def _inside(folder: Path) -> list[Listed]:
    """Its audio files; where there are none, its folders, each with all that is below it; of a ROS 2 bag its sound."""
    if is_bag(folder):
        return [Listed(file, (file,)) for file in sounds(folder)]
    if files := sounds_in(folder.iterdir()):
        return [Listed(file, (file,)) for file in files]
    folders = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: natural_key(path.name))
    recorders = [Listed(path, tuple(files)) for path in folders if (files := sounds_in(path.rglob("*")))]
    if not recorders:
        raise AudioFileError(
            f"folder {folder} holds no audio files, wanted names such as take.wav or take.flac directly in it, or a folder "
            "of them for each recorder: is it another folder?"
        )
    return recorders


def sounds_in(paths: Iterable[Path]) -> list[Path]:
    """Audio files by suffix; not those beginning with a dot, which macOS leaves on memory cards."""
    found = [path for path in paths if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")]
    return sorted(found, key=lambda path: natural_key(str(path)))


def _check_listed_once(paths: list[Path]) -> None:
    seen: dict[Path, Path] = {}
    for path in paths:
        if (first := seen.setdefault(path.resolve(), path)) is not path:
            raise AudioFileError(f"{path} is listed twice (first as {first}): give every file once")
