"""`soundfix worlds`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from soundfix.cli.options import app

FREE = ("sound_shares",)  # a dictionary whose keys are whatever sounds there are


@app.command()
def worlds(
    name: Annotated[
        str | None, typer.Argument(help="Of one: all of its settings. Without: what each does not share.")
    ] = None,
) -> None:
    """What --world takes, with the settings that --set changes."""
    from soundfix.simulation.worlds import WORLDS, World, world_named

    if name is not None:
        for line in settings(asdict(world_named(name))):
            typer.echo(line)
        return
    usual = set(settings(asdict(World())))
    for each, world in WORLDS.items():
        typer.echo(each)
        for line in settings(asdict(world)):
            if line not in usual:
                typer.echo(f"  {line}")


def settings(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """A line each, as --set takes it."""
    for name, value in values.items():
        if isinstance(value, dict) and name not in FREE:
            yield from settings(value, f"{before}{name}.")
        else:
            yield f"{before}{name}={_written(value)}"


def _written(value: Any) -> str:
    """In YAML, on one line."""
    import yaml

    plain = json.loads(json.dumps(value))  # tuples as lists
    return str(yaml.safe_dump(plain, default_flow_style=True, width=10**6)).removesuffix("\n").removesuffix("\n...")
