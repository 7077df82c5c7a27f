"""`soundfix serve`."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.options import app
from soundfix.errors import ConfigError, MissingPackageError

TOKEN = "SOUNDFIX_TOKEN"
PATIENCE_S = 5  # for those who wait for an answer, at the end

Folder = Annotated[Path, typer.Option(help="Where uploads, results and the database are kept.")]
Host = Annotated[
    str, typer.Option(help="Address to listen at; with 0.0.0.0 everybody who reaches this machine may ask.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")]
Workers = Annotated[int, typer.Option(min=1, help="Recordings that are located side by side.")]
Database = Annotated[str | None, typer.Option(help="URL of SQLAlchemy instead of SQLite in the folder.")]
Megabytes = Annotated[int, typer.Option(min=1, help="MiB of one request, at most.")]
Minutes = Annotated[float, typer.Option(min=0.1, help="Of sound in one recording, at most.")]
Days = Annotated[float, typer.Option(min=0.01, help="Results are kept for so long.")]


@app.command()
def serve(
    folder: Folder = Path("soundfix-service"),
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    database: Database = None,
    upload: Megabytes = 512,
    minutes: Minutes = 60.0,
    keep: Days = 30.0,
) -> None:
    """A page to see and hear where sounds came from, and the same over HTTP: POST /locate, /check, /calibrate; see /docs.
    With SOUNDFIX_TOKEN set, only who shows it."""
    try:
        import uvicorn

        from soundfix.server.app import create
    except ImportError as error:
        raise MissingPackageError(str(error.name), "web") from error
    from soundfix.server.limits import Limits

    token = os.environ.get(TOKEN)
    if token is None and host not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigError(f"--host {host} without a token: set {TOKEN}, so that not everybody may ask")
    limits = Limits(upload_bytes=upload * 2**20, sound_s=60 * minutes, keep_days=keep)
    door = listening(host, port)
    typer.echo(f"http://{f'[{host}]' if ':' in host else host}:{door.getsockname()[1]}")
    service = create(folder, limits=limits, workers=workers, token=token, database=database)
    config = uvicorn.Config(service, log_level="warning", access_log=False, timeout_graceful_shutdown=PATIENCE_S)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])


def listening(host: str, port: int) -> socket.socket:
    """From now on, whoever comes before the service is there waits. Raises ConfigError."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}: another service? --port 0 takes a free one"
        ) from error
