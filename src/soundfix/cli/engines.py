"""Which engine does the work, as the command has it."""

from typing import Annotated

import typer

EngineName = Annotated[str, typer.Option(help="local: processes of this machine; ray: a cluster.")]
Address = Annotated[str | None, typer.Option(help="Of a Ray cluster: auto, HOST:PORT or ray://HOST:PORT.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes, or actors of the cluster.")]
