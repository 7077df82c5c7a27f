"""Seeds for every test, and shape annotations enforced while tests run."""

import sys

import numpy as np
import pytest
import torch
from jaxtyping import install_import_hook

install_import_hook("soundfix", "beartype.beartype")
torch.set_num_threads(1)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_505)


@pytest.fixture
def command(monkeypatch, capsys):
    """The command as a shell starts it, through main(): (exit status, stdout, stderr)."""
    from soundfix import cli

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["soundfix", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (end.value.code or 0, *capsys.readouterr())

    return run
