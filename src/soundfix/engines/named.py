"""Engines by their names, as the command has them."""

from soundfix.engines.engine import Engine
from soundfix.engines.local import Local
from soundfix.errors import ConfigError


def engine_named(name: str, workers: int, address: str | None = None) -> Engine:
    """local or ray, with so many workers; address: of a Ray cluster that runs already.

    Raises ConfigError where there is no such engine, MissingPackageError without Ray.
    """
    if name == "local":
        if address is not None:
            raise ConfigError(f"--address {address} is that of a Ray cluster: wanted --engine ray with it")
        return Local(workers)
    if name == "ray":
        from soundfix.engines.on_ray import OnRay

        return OnRay(workers, address)
    raise ConfigError(f"--engine {name!r}: wanted local or ray")
