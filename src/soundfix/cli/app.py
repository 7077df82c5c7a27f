"""Words -> calls. Each command imports what it needs when it runs, so that --help is quick."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from soundfix import __version__
from soundfix.cli import (  # noqa: F401 (commands)
    archive,
    array,
    chaos,
    evaluate,
    export,
    listen,
    locate,
    send,
    serve,
    simulate,
    study,
    train,
    worlds,
)
from soundfix.cli.options import app
from soundfix.errors import MissingPackageError, SoundfixError

LEFT_OUT = ("torch", "scipy", "numba", "safetensors", "huggingface_hub")  # of soundfix-onnx


def main() -> None:
    """The command `soundfix`: errors that are the user's to mend become one sentence and exit status 2."""
    try:
        app()
    except SoundfixError as error:
        refuse(error)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in LEFT_OUT:
            raise
        refuse(MissingPackageError(package))


def refuse(error: SoundfixError) -> NoReturn:
    """One sentence, and exit status 2."""
    typer.secho(f"soundfix: {error}", fg="red", err=True)
    raise SystemExit(2) from None


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Where did that sound come from? Scattered microphones in, places in metres out, with evidence."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def methods() -> None:
    """List the methods that --method takes."""
    from soundfix.methods.catalog import CATALOG, DEFAULT

    for name, entry in CATALOG.items():
        typer.echo(f"{name:16s} {entry.summary}{' (the default)' if name == DEFAULT else ''}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the recording and the pictures.")] = Path("demo"),
) -> None:
    """A room, a talker, two broken microphones: make it, locate it, draw it."""
    from soundfix.cli.demo import run

    for line in run(out):
        typer.echo(line)
