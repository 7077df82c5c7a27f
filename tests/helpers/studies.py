"""Recipes so small that a study takes seconds."""

from dataclasses import replace

from helpers.rivals import CONFIGS
from soundfix.studies.setting import Setting
from soundfix.studies.study import Budget
from soundfix.training.recipes import RECIPES, STAGES, tiny

BUDGET = Budget(minutes=1e-4, workers=0)
SETTING = Setting(budget=BUDGET, scenes=3, clips=6, small=True)


def small(name):
    """The recipe with everything small."""
    recipe = RECIPES[name]()
    stages = {
        each: replace(getattr(recipe, each), batch=2, microphones=(4, 6), windows_s=(0.128,), points=16)
        for each in STAGES
    }
    if name in ("paper", "default"):
        network = replace(tiny().network, frame="room" if name == "paper" else "array")
        network = replace(network, head=None, reranker=0, correlation="gcc") if name == "paper" else network
    else:
        network = CONFIGS[{"gnn": "gnn slf", "di-nn": "di-nn", "wav2pos": "wav2pos"}[name]]
        network = replace(network, microphones=11) if name == "di-nn" else network
    return replace(recipe, network=network, **stages)
