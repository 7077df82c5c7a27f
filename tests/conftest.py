"""Seeds for every test, and shape annotations enforced while tests run."""

import numpy as np
import pytest
import torch
from jaxtyping import install_import_hook

install_import_hook("soundfix", "beartype.beartype")
torch.set_num_threads(1)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_505)
