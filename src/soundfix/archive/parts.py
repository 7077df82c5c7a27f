"""The folder of an archive's answers while they are made: a file a piece, whole or not there, so that nothing is done twice.

settings.json   what the folder was begun with: other settings are refused
parts/KEY.json  what was made of a piece
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soundfix.archive.work import Located
from soundfix.atomic import atomic_path, make_folder, remove_parts
from soundfix.errors import OutputError
from soundfix.gate import gate
from soundfix.settled import refuse_other

SETTINGS, PARTS = "settings.json", "parts"


class Parts:
    """Parts of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / PARTS
        make_folder(self._folder)
        remove_parts(self._folder)

    def is_done(self, key: str) -> bool:
        """Whether this piece was located."""
        return self._path(key).is_file()

    def write(self, located: Located) -> None:
        """Keep what was made of a piece; one that could not be located is tried again next time."""
        if located.trouble is None:
            with atomic_path(self._path(located.key)) as part:
                part.write_text(json.dumps(asdict(located), allow_nan=False), encoding="utf-8")

    def read(self, keys: Iterable[str]) -> Iterator[Located]:
        """What was made of these pieces, of those that are done. Raises OutputError where a part is damaged."""
        for key in keys:
            if self.is_done(key):
                yield _located(self._path(key))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


@gate(OutputError)
def _located(path: Path) -> Located:
    return Located(**json.loads(path.read_text(encoding="utf-8")))


def settle(folder: Path, settings: dict[str, Any]) -> None:
    """Note what the folder is begun with. Raises OutputError where that was something else."""
    path = folder / SETTINGS
    if not path.exists():
        with atomic_path(path) as part:
            part.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        return
    refuse_other(folder, "run", json.loads(path.read_text(encoding="utf-8")), settings)
