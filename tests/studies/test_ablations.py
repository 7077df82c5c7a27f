"""Ablations: each changes what there is."""

import pytest

from helpers.studies import SETTING
from soundfix.errors import ConfigError
from soundfix.overrides import apply_overrides
from soundfix.studies.ablations import ABLATIONS, ablate
from soundfix.training.recipes import RECIPES, Stage, tiny


@pytest.mark.slow
@pytest.mark.parametrize("name", ["head", "frozen"])
def test_an_ablation(small_recipes, tmp_path, name):
    text = ablate(name, SETTING, tmp_path, say=lambda sentence: None, progress=lambda count: None)
    assert all(f"| {each.label} |" in text for each in ABLATIONS[name].entrants)


def test_every_ablation_changes_what_there_is(tmp_path):
    """Each variant's changes are settings of the recipe, and BEATs base is left out without its file."""
    for ablation in ABLATIONS.values():
        for each in ablation.entrants:
            if each.recipe:
                assert apply_overrides(RECIPES[each.recipe](), each.changes) is not None
    with pytest.raises(ConfigError, match="no ablation is called 'masks'; there are ascm, attention"):
        ablate("masks", SETTING, tmp_path, say=print, progress=print)


def test_a_thawed_encoder_learns():
    """localization.thaws_encoder: the acoustic encoder is among what learns."""
    from soundfix.networks.model import Network
    from soundfix.training.lessons import learning

    network = Network(tiny().network)
    frozen = {id(weight) for weight in learning(network, "localization", Stage(steps=1))}
    thawed = {id(weight) for weight in learning(network, "localization", Stage(steps=1, thaws_encoder=True))}
    assert frozen < thawed
    assert {id(weight) for weight in network.encoder.parameters()} <= thawed
