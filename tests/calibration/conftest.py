"""An array, and a sound that walks among it."""

import pytest

from helpers.walks import array, walk


@pytest.fixture
def places(rng):
    return array(rng)


@pytest.fixture
def sources(rng):
    return walk(rng)
