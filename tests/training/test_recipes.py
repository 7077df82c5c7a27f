"""Recipes have the sizes that they promise."""

import torch

from helpers.networks import told
from soundfix.networks.model import Network
from soundfix.training import recipes
from soundfix.training.info import named_network


def test_the_paper_recipe_has_the_paper_s_size():
    """6.8 M trainable weights reported, BEATs and NGCC-PHAT not counted."""
    with torch.device("meta"):
        network = Network(recipes.paper().network)
    assert sum(weight.numel() for weight in network.parameters() if weight.requires_grad) == 6_880_516


def test_default_is_small_and_paper_has_the_paper_s_size():
    assert told(named_network("default"))[1]["trainable"] < 1_500_000
    with torch.device("meta"):
        paper = named_network("paper")
    assert sum(weight.numel() for weight in paper.parameters() if weight.requires_grad) == 6_880_516


def test_the_paper_recipe_is_the_paper_s():
    """What arXiv 2505.20961 says of it; the decay of the average is ours."""
    recipe = recipes.paper()
    network = recipe.network
    assert (network.window_samples, network.keep, network.acoustic, network.correlation) == (2048, 0.3, "base", "ngcc")
    assert (recipe.localization.batch, recipe.localization.schedule, recipe.localization.windows_s) == (
        128,
        "paper",
        (0.512,),
    )
    assert recipe.average == 0.999
