"""Disks that refuse, and files that must stay."""

import os
from contextlib import contextmanager

import pytest

from soundfix import alone
from soundfix.alone import alone_in
from soundfix.errors import OutputError


def refuse(code: int):
    def call(*_args: object, **_kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    return call


def assert_untouched(old) -> None:
    assert old.read_text() == "old"
    assert list(old.parent.iterdir()) == [old]


@contextmanager
def taken(folder, monkeypatch):
    """Another process writes in this folder: what is done meanwhile has to say so."""
    monkeypatch.setattr(alone, "PATIENCE_S", 0.1)
    with alone_in(folder), pytest.raises(OutputError, match="another process is writing in"):
        yield
