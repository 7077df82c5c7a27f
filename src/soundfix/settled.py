"""A folder belongs to the run that it was begun with; other settings would mix two."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundfix.errors import OutputError


def refuse_other(folder: Path, what: str, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raises OutputError, which names the first difference, where the folder was begun with something else."""
    for name in {**before, **wanted}:
        if before.get(name) != wanted.get(name):
            raise OutputError(
                f"{folder} holds another {what}: its {name} is {before.get(name)}, and {wanted.get(name)} was asked for; "
                "choose another folder, or the same settings"
            )
