"""Sizes that do not fit are refused in words, before anything is built."""

import pytest
import torch

from helpers.networks import tiny, windows
from helpers.runs import run
from soundfix.errors import CheckpointError
from soundfix.networks.config import NetworkConfig
from soundfix.networks.correlations import HeadConfig
from soundfix.networks.model import Network

PLAIN = {"frame": "room", "width": 32, "heads": 2, "encoder_blocks": 1, "decoder_blocks": 1, "acoustic": "none"}


def test_a_configuration_of_defaults_runs_or_is_refused_in_words():
    assert torch.isfinite(run(Network(NetworkConfig(**PLAIN)), windows()).sources_m).all()


@pytest.mark.parametrize("change", [{"heads": 5}, {"head": HeadConfig(lag_taps=4, frame=256, hop=128)}])
def test_sizes_that_do_not_fit_are_refused_in_words(change):
    with pytest.raises(CheckpointError, match="this network cannot be built"):
        tiny(**change)
