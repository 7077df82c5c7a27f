"""Small recipes, and clips to train them on."""

import pytest

from helpers.clips import Clips
from helpers.studies import small
from soundfix.studies import study
from soundfix.studies.study import Material


@pytest.fixture
def small_recipes(monkeypatch):
    names = ("paper", "default", "di-nn", "gnn", "wav2pos")
    monkeypatch.setattr(study, "RECIPES", {name: lambda name=name: small(name) for name in names})
    monkeypatch.setattr(study, "LEAST_STEPS", 2)
    monkeypatch.setattr(study, "VALIDATED", 2)


@pytest.fixture
def material():
    clips = Clips(8, unknown=False)
    return Material(train=clips, valid=clips)
