"""What is measured on the way."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.clips import Clips
from soundfix.errors import TrainingError
from soundfix.networks.model import Network
from soundfix.training import recipes
from soundfix.training.validation import Validation


def test_an_untrained_network_validates_as_srp_phat_does():
    """Its evidence is the same; windows and truth are the same for both."""
    stage = replace(recipes.tiny().localization, windows_s=(0.25,), microphones=(6, 6))
    validation = Validation([Clips(unknown=False)], stage, windows=10)
    head = replace(recipes.tiny().network.head, lags_a_sample=2)
    numbers = validation(Network(replace(recipes.tiny().network, head=head)).eval())
    assert numbers["srp_mae_m"] < 0.02
    assert numbers["mae_m"] == pytest.approx(numbers["srp_mae_m"], abs=0.01)
    assert numbers["acc"] == 1.0
    assert numbers["decoder_error_m"] > 0.3


def test_nothing_to_validate_with():
    unseen = [replace(Clips()[k], truth=replace(Clips()[k].truth, sources=np.full((1, 3), np.nan))) for k in range(2)]
    clips = type(
        "Unseen", (), {"name": "unseen", "__len__": lambda self: 2, "__getitem__": lambda self, k: unseen[k]}
    )()
    with pytest.raises(TrainingError, match="nothing to validate with"):
        Validation([clips], recipes.tiny().localization, windows=3)
