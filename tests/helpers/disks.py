"""Disks that refuse, and files that must stay."""

import os


def refuse(code: int):
    def call(*_args: object, **_kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    return call


def assert_untouched(old) -> None:
    assert old.read_text() == "old"
    assert list(old.parent.iterdir()) == [old]
