"""`soundfix export`: a trained network for onnxruntime."""

from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.options import app
from soundfix.cli.terminal import say


@app.command()
def export(
    weights: Annotated[
        Path | None, typer.Argument(help="The checkpoint (.safetensors); without, the network that is packaged.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the graphs.")] = Path("onnx"),
    int8: Annotated[bool, typer.Option("--int8", help="Products in 8 bits: a third of the size, less exact.")] = False,
) -> None:
    """Write a trained network as ONNX graphs, for a runtime without PyTorch: --checkpoint takes the folder."""
    from soundfix.networks import checkpoint
    from soundfix.networks.export import export as write

    say("exporting takes minutes")
    about = write(weights or checkpoint.PACKAGED, out, precision="int8" if int8 else "float32")
    megabytes = sum((out / name).stat().st_size for name in about.files) / 1e6
    typer.echo(f"exported: {out}, {len(about.graphs)} graphs, {about.precision}, {megabytes:.1f} MB")
