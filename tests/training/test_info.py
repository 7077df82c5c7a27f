"""`soundfix info MODEL`: what a network is made of, counted, and how long a window takes."""

import re

import pytest

from helpers.networks import paper_like, tiny, told
from soundfix.errors import CheckpointError
from soundfix.networks import checkpoint
from soundfix.training.info import named_network


def test_parts_add_up_to_the_network():
    network = named_network("tiny")
    lines, numbers = told(network)
    parts = sum(count for name, count in numbers.items() if name not in ("trainable", "in"))
    whole = int(next(line for line in lines if line.startswith("in all")).split()[-1].replace(",", ""))
    assert parts == whole
    assert whole == sum(weight.numel() for weight in network.parameters())
    assert numbers["trainable"] == whole - numbers["encoder"]


def test_frozen_parts_are_marked():
    lines, _ = told(named_network("tiny"))
    assert [line for line in lines if line.endswith("frozen")] == [line for line in lines if line.startswith("encoder")]


def test_the_time_is_that_of_this_machine():
    lines, _ = told(tiny())
    assert re.fullmatch(r"one 0.5 s window of 11 microphones: \d+ ms on 1 thread of this machine", lines[-1])


def test_a_checkpoint_is_described_too(tmp_path):
    checkpoint.save(paper_like(acoustic="base"), tmp_path / "a.safetensors")
    lines, _ = told(named_network(str(tmp_path / "a.safetensors")))
    assert any("BEATs base (frozen, 90 million weights) is given separately" in line for line in lines)


def test_what_is_neither_a_recipe_nor_a_file_is_refused():
    with pytest.raises(
        CheckpointError, match="'papre' is neither a file nor a recipe; recipes are paper, default, tiny"
    ):
        named_network("papre")
