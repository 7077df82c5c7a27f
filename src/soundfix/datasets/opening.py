"""What `--data` may be: the name of a world simulated on the fly, or a folder, whatever kind of data set lies in it.

luvira-twin                 scenes drawn as they are asked for
sets/twin                   tar shards (a manifest.json)
recordings/LuViRA:train     LuViRA: a split after the colon, or names of recordings with commas; all without
recordings/LOCATA:dicit     LOCATA: names of arrays after the colon, with commas; all without
rooms                       measured impulse responses (.npz, .sofa), with dry sounds from --audio
scenes                      a scene.wav and its truth, in the folder or in folders in it
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from soundfix.datasets import manifest
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.folder import scene_folder, scene_folders
from soundfix.datasets.locata import array_waves, locata
from soundfix.datasets.luvira import SPLITS, luvira, recording_folders
from soundfix.datasets.measured import Measured, read_rooms, room_files
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.errors import DatasetError
from soundfix.simulation.soundbank import Sounds, open_sounds
from soundfix.simulation.worlds import WORLDS

ENDLESS = 10**6  # scenes of a world that is simulated on the fly
FROM_ROOMS = 1000  # clips of measured rooms


def open_dataset(text: str, *, audio: Sequence[Path] = (), part: str | None = None, seed: int = 0) -> Dataset:
    """The data set of this name or in this folder.

    audio: folders of dry recordings for worlds and measured rooms; without, built-in sounds. part: of their speakers.
    Raises DatasetError where nothing known is found.
    """
    if text in WORLDS:
        return Simulated(world=WORLDS[text], sounds=open_sounds(audio, part=part), seed=seed, count=ENDLESS)
    folder, which = (text, "") if ":" not in text or Path(text).exists() else text.rsplit(":", 1)
    if not Path(folder).is_dir():
        raise DatasetError(f"{text!r} is neither a folder nor a world; worlds are {', '.join(WORLDS)}")
    if (Path(folder) / manifest.NAME).exists():
        return Shards(folder)
    return _recorded(Path(folder), which, seed, lambda: open_sounds(audio, part=part))


def _recorded(folder: Path, which: str, seed: int, sounds: Callable[[], Sounds]) -> Dataset:
    if scene_folders(folder):
        return scene_folder(folder)
    if recording_folders(folder):
        is_split = which in ("", "all", *SPLITS)
        return luvira(folder, split=which or "all") if is_split else luvira(folder, recordings=which.split(","))
    if array_waves(folder):
        return locata(folder, arrays=[name for name in which.split(",") if name])
    if any(path.suffix.lower() in (".npz", ".sofa") for path in folder.iterdir()):
        return Measured(rooms=read_rooms(room_files(folder)), count=FROM_ROOMS, seed=seed, sounds=sounds())
    raise DatasetError(
        f"{folder} holds no data set: wanted {manifest.NAME} (simulated shards), Track 1.wav in a folder (LuViRA), "
        "audio_array_NAME.wav (LOCATA), scene.wav (scenes), or .npz and .sofa (impulse responses)"
    )
