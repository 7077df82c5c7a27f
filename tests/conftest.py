"""Seeds for every test; shape annotations enforced while tests run, where SHAPES=1 (helpers/shapes.py)."""

import os
import sys

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from helpers import shapes

if os.environ.get("SHAPES"):
    shapes.enforce("soundfix")


torch.set_num_threads(1)


threadpool_limits(limits=1, user_api="blas")  # the workers of xdist share the cores


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_505)


@pytest.fixture
def command(monkeypatch, capsys):
    """The command as a shell starts it, through main(): (exit status, stdout, stderr)."""
    from soundfix.cli import app

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["soundfix", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            app.main()
        return (end.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "answer.out"
    path.write_text("old")
    return path
