"""What a survey hears."""

import pytest

from helpers.surveys import heard_windows


@pytest.fixture
def windows(rng):
    return heard_windows(rng)
