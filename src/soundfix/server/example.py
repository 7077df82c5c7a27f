"""The built-in recording: six seconds of someone who walks and talks (web/make_example.py made it)."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from soundfix.server.job import LIST, SOUND

FOLDER = files("soundfix.server") / "walk"
AUDIO, MICROPHONES = "walk.flac", "microphones.csv"
TYPES = {AUDIO: "audio/flac", MICROPHONES: "text/csv"}


def about_example() -> dict[str, Any]:
    """audio, microphones: names of its parts; about: a sentence; options: of /locate, what is known of the place."""
    told: dict[str, Any] = json.loads(part_of_example("example.json"))
    return told


def part_of_example(name: str) -> bytes:
    """The content of a file."""
    return (FOLDER / name).read_bytes()


def write_example(folder: Path) -> None:
    """As uploads are written, into the folder of a job."""
    for place, name in ((SOUND, AUDIO), (LIST, MICROPHONES)):
        (folder / place).mkdir()
        (folder / place / name).write_bytes(part_of_example(name))
