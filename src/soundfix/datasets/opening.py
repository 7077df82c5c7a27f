"""What `--data` may be: a folder that holds a data set, of whatever kind, or the name of a world simulated on the fly."""

from pathlib import Path

from soundfix.datasets import manifest
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.errors import DatasetError
from soundfix.soundbank import BuiltInSounds, Sounds
from soundfix.worlds import WORLDS

ENDLESS = 10**6  # scenes of a world that is simulated on the fly


def open_dataset(text: str, *, sounds: Sounds | None = None, seed: int = 0) -> Dataset:
    """The data set in a folder, or a world by name with these sounds (built-in ones without).

    A folder is known by what lies in it: a manifest (simulated shards), LuViRA's recordings, or scenes.
    """
    if text in WORLDS:
        return Simulated(world=WORLDS[text], sounds=sounds or BuiltInSounds(), seed=seed, count=ENDLESS)
    folder = Path(text)
    if not folder.is_dir():
        raise DatasetError(f"{text!r} is neither a folder nor a world; worlds are {', '.join(WORLDS)}")
    if (folder / manifest.NAME).exists():
        return Shards(folder)
    raise DatasetError(f"{folder} holds no data set: wanted {manifest.NAME} (shards)")
