"""Engines by their names."""

import pytest

from soundfix.engines.local import Local
from soundfix.engines.named import engine_named
from soundfix.errors import ConfigError


def test_local_is_so_many_processes():
    engine = engine_named("local", 3)
    assert isinstance(engine, Local)
    assert engine.workers == 3


@pytest.mark.parametrize(
    ("name", "workers", "address", "message"),
    [
        ("rey", 1, None, "--engine 'rey': wanted local or ray"),
        ("local", 1, "auto", "--address auto is that of a Ray cluster: wanted --engine ray"),
        ("local", 0, None, "0 workers: wanted 1 or more"),
        ("ray", 0, None, "0 workers: wanted 1 or more"),
    ],
)
def test_what_cannot_be_is_refused(name, workers, address, message):
    with pytest.raises(ConfigError, match=message):
        engine_named(name, workers, address)
