"""Studies: each method has the same time, trained once and gone on with; the paper's tables hold ours and the published."""

import re
from dataclasses import replace

import pytest
import torch

from helpers.studies import BUDGET, SETTING, small
from soundfix.errors import DatasetError, OutputError, SoundfixError, TrainingError
from soundfix.networks import checkpoint
from soundfix.networks.registry import KINDS, build, kind_of
from soundfix.studies import setting, study
from soundfix.studies.reproduce import SHORT, entrants, reproduce
from soundfix.studies.setting import material_for, rows_of
from soundfix.studies.study import Entrant, train_all, train_one
from soundfix.training.recipes import RECIPES


def test_what_is_trained_is_not_trained_again(small_recipes, material, tmp_path, monkeypatch):
    entrant = Entrant(label="GNN", method="gnn", recipe="gnn")
    said = []
    path = train_one(entrant, material, tmp_path, BUDGET, said.append)
    before = path.read_bytes()
    monkeypatch.setattr(study, "train", lambda job: pytest.fail("trained twice"))
    assert train_one(entrant, material, tmp_path, BUDGET, said.append).read_bytes() == before
    assert said[0] == said[-1]
    steps = r"\{'correlation': 0, 'autoencoder': 0, 'localization': [1-9]\d*, 'votes': 0, 'reranker': 0\}"
    assert re.fullmatch(f"GNN: 0.0001 minutes at most, steps {steps}", said[0])  # as many as this machine does in 6 ms


def test_who_borrows_ears_hears_as_its_teacher(small_recipes, material, tmp_path, monkeypatch):
    """NGCC-PHAT of wav2pos, NGCC-PHAT and the acoustic encoder of one of ours, and nothing else."""
    teacher = study.recipe_of(Entrant(label="t", method="wav2pos", recipe="wav2pos"))
    changes = (
        "network.correlation=ngcc",
        f"network.ngcc={{'channels': {teacher.network.ngcc.channels}, 'sinc_taps': 31}}",
    )
    ours = study.recipe_of(Entrant(label="o", method="three-stream-paper", recipe="paper", changes=changes))
    torch.manual_seed(5)
    for recipe, parts in ((teacher, ["ngcc"]), (ours, ["ngcc", "encoder"])):
        checkpoint.save(build(recipe.network), tmp_path / "t.safetensors", kind=kind_of(recipe.network), notes={})
        lent = checkpoint.load_kind(tmp_path / "t.safetensors", KINDS)
        begun = study.with_ears(ours, BUDGET, tmp_path / "t.safetensors")
        for part in ("ngcc", "encoder"):
            same = part in parts
            weights = [next(iter(getattr(each, part).state_dict().values())) for each in (lent, begun)]
            assert (weights[0].shape == weights[1].shape and torch.equal(*weights)) == same, (recipe.name, part)


def test_places_of_some_clips(material):
    some = material.with_places(0.5, keeps_rest=True)
    assert len(some.train) == len(material.train)
    assert [some.train[clip].truth is None for clip in range(4)] == [False, True, False, True]
    alone = material.with_places(0.5, keeps_rest=False)
    assert len(alone.train) == 4
    assert alone.train.name != some.train.name
    assert alone.valid is material.valid
    assert material.with_places(1.0, keeps_rest=False) is material


def test_more_time_is_more_steps(small_recipes, material):
    recipe = small("gnn")
    few, many = (study._steps_in(recipe, material.train, replace(BUDGET, minutes=m)) for m in (0.02, 2.0))
    assert many["localization"] > 10 * few["localization"] >= 20
    assert few["correlation"] == 0


def test_a_busy_machine_takes_no_steps_away(monkeypatch):
    """What others run makes the clock go, and not what this process was given."""
    monkeypatch.setattr(study, "process_time", lambda: 5.0)
    assert study._now("cpu") == 5.0 / torch.get_num_threads()


def test_every_stage_has_its_share(small_recipes, material):
    steps = study._steps_in(small("wav2pos"), material.train, replace(BUDGET, minutes=0.5))
    assert all(steps[name] > 2 for name in ("correlation", "localization"))
    assert steps["autoencoder"] == 0


def test_weights_may_be_another_s(small_recipes, material, tmp_path):
    both = (
        Entrant(label="wav2pos", method="wav2pos", recipe="wav2pos"),
        Entrant(label="Multilat*", method="multilat-ngcc", weights_of="wav2pos"),
        Entrant(label="Multilat", method="multilat"),
    )
    methods = train_all(both, material, tmp_path, BUDGET, lambda sentence: None)
    assert methods["Multilat*"].checkpoint == methods["wav2pos"].checkpoint
    assert methods["Multilat*"].load().name == "multilat-ngcc"
    assert methods["Multilat"].checkpoint is None


def test_another_budget_or_recipe_is_not_mixed_in(small_recipes, material, tmp_path):
    entrant = Entrant(label="GNN", method="gnn", recipe="gnn")
    train_one(entrant, material, tmp_path, BUDGET, print)
    with pytest.raises(OutputError, match=r"was given 0\.0001 minutes of cpu, wanted 5 of"):
        train_one(entrant, material, tmp_path, replace(BUDGET, minutes=5.0), print)
    with pytest.raises(TrainingError, match="recipe"):
        train_one(replace(entrant, changes=("weight_decay=0.5",)), material, tmp_path, BUDGET, print)
    with pytest.raises(TrainingError, match="seed"):
        train_one(entrant, material, tmp_path, replace(BUDGET, seed=4), print)


def test_a_test_set_that_cannot_be_is_said_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr("soundfix.studies.study.train_all", lambda *given: pytest.fail("trained first"))
    with pytest.raises(DatasetError):
        reproduce(replace(SETTING, root=tmp_path / "nowhere"), tmp_path / "out", say=print, progress=print)


def test_beats_that_cannot_be_read_is_said_before_training(small_recipes, material, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "train", lambda job: pytest.fail("trained first"))
    monkeypatch.setattr(study, "RECIPES", RECIPES)
    two = [
        each
        for each in entrants(replace(SETTING, budget=replace(BUDGET, beats=tmp_path / "none.pt")))
        if each.label in ("GNN", "three-stream (paper)")
    ]
    with pytest.raises(SoundfixError, match=r"none\.pt"):
        train_all(two, material, tmp_path, replace(BUDGET, beats=tmp_path / "none.pt"), print)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_several_processes_after_training(two_threads, small_recipes, tmp_path, monkeypatch):
    """Training leaves threads of torch behind, which the processes of an evaluation do not have."""
    monkeypatch.setattr(setting, "VALID_SCENES", 3)
    few = replace(SETTING, clips=2, budget=replace(BUDGET, workers=2))
    material = material_for(few, tmp_path, print)
    methods = train_all([Entrant(label="GNN", method="gnn", recipe="gnn")], material, tmp_path, BUDGET, print)
    assert len(rows_of(few, tmp_path / "rows", [*methods.values()], SHORT, lambda done: None)) == 2
