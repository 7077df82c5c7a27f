"""Ablations: each changes what there is, and borrows what it does not change."""

import json
from dataclasses import replace

import pytest

from helpers.clips import Clips
from helpers.studies import BUDGET, SETTING
from soundfix.errors import ConfigError
from soundfix.evaluation.run import Method
from soundfix.networks.model import Network
from soundfix.studies.ablations import ABLATIONS, PAPER, _of_teachers, _train_variants, ablate, teachers_of, variants_of
from soundfix.studies.study import Material, _within, folder_of, recipe_of
from soundfix.training.lessons import learning
from soundfix.training.recipes import STAGES, Stage, tiny

DATA = Material(train=Clips(), valid=Clips())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["head", "ascm"])
def test_an_ablation(small_recipes, tmp_path, name, monkeypatch):
    monkeypatch.setattr("soundfix.studies.reproduce.SMALL_NGCC", ())
    text = ablate(name, SETTING, tmp_path, say=lambda sentence: None, progress=lambda count: None)
    assert all(f"| {each.label} |" in text for each in ABLATIONS[name].variants)
    assert text == (tmp_path / f"{name}.md").read_text()


def test_every_ablation_changes_what_there_is(tmp_path):
    """Each variant is another recipe than the usual one, which is the first."""
    for name, ablation in ABLATIONS.items():
        trained = [each for each in variants_of(ablation, SETTING) if each.recipe]
        kinds = {(str(recipe_of(each)), each.labelled, each.keeps_rest) for each in trained}
        assert len(kinds) == len(trained), name
    with pytest.raises(ConfigError, match="no ablation is called 'masks'; there are ascm, coherence, attention"):
        ablate("masks", SETTING, tmp_path, say=print, progress=print)


def test_beats_base_takes_part_with_its_file(tmp_path):
    with_beats = replace(SETTING, budget=replace(BUDGET, beats=tmp_path / "beats.pt"))
    labels = [[each.label for each in variants_of(ABLATIONS["acoustic"], s)] for s in (SETTING, with_beats)]
    assert labels == [["small encoder", "no encoder"], ["small encoder", "no encoder", "BEATs base"]]


def test_variants_of_the_paper_s_form_borrow_its_ears():
    assert [each.label for each in teachers_of(SETTING)] == ["Multilat*", PAPER]
    for each in variants_of(ABLATIONS["coherence"], SETTING):
        assert each.ears_of == PAPER
        recipe = recipe_of(each)
        assert recipe.correlation.steps == recipe.autoencoder.steps == 0
        assert recipe.localization.windows_a_clip == 4
    assert all(recipe_of(each).autoencoder.steps for each in variants_of(ABLATIONS["labels"], SETTING))


def test_a_thawed_encoder_learns():
    """localization.thaws_encoder: the acoustic encoder is among what learns."""
    network = Network(tiny().network)
    frozen = {id(weight) for weight in learning(network, "localization", Stage(steps=1))}
    thawed = {id(weight) for weight in learning(network, "localization", Stage(steps=1, thaws_encoder=True))}
    assert frozen < thawed
    assert {id(weight) for weight in network.encoder.parameters()} <= thawed


def test_teachers_keep_the_minutes_that_they_were_given(tmp_path):
    """Variants may have fewer."""
    assert _of_teachers(SETTING, tmp_path).minutes == SETTING.budget.minutes
    folder = tmp_path / "one" / "runs" / folder_of(teachers_of(SETTING)[-1])
    folder.mkdir(parents=True)
    (folder / "budget.json").write_text('{"minutes": 24.0, "device": "cpu", "steps": {}}')
    assert _of_teachers(SETTING, tmp_path).minutes == 24


def test_the_usual_one_is_trained_once_for_all_ablations(tmp_path, monkeypatch):
    """Below `usual`, whatever it is called; the others below the ablation's own name."""
    seen = []

    def trained(entrants, material, out, budget, say, *, taught=None):
        seen.extend((each.label, out.name) for each in entrants if each.label != "Multilat*")
        return {e.label: Method(name=e.method, label=e.label, checkpoint=tmp_path / e.label) for e in entrants}

    monkeypatch.setattr("soundfix.studies.ablations.train_all", trained)
    for name in ("ascm", "lambdas"):
        variants = variants_of(ABLATIONS[name], SETTING)
        methods = _train_variants(variants, DATA, tmp_path, name, BUDGET, print, {}, None)
        assert list(methods) == [each.label for each in variants]
        assert methods[variants[0].label].checkpoint == tmp_path / "usual"
        assert methods[variants[0].label].label == variants[0].label
    assert seen.count(("usual", "usual")) == 2
    assert ("alpha = 0", "ascm") in seen
    assert ("no sound", "lambdas") in seen


def test_variants_have_as_many_steps_as_the_usual_one(tmp_path, monkeypatch):
    """Measured on a machine that did other things they differed by a sixth, and errors by 9 cm."""
    lender, given = tmp_path / "usual" / "runs" / "usual", []

    def trained(entrants, material, out, budget, say, *, taught=None):
        given.append(budget.as_many_as)
        return {e.label: Method(name=e.method, label=e.label, checkpoint=tmp_path / e.label) for e in entrants}

    monkeypatch.setattr("soundfix.studies.ablations.train_all", trained)
    _train_variants(variants_of(ABLATIONS["ascm"], SETTING), DATA, tmp_path, "ascm", BUDGET, print, {}, lender)
    assert given == [None, lender, lender, lender]
    assert not any(ABLATIONS[name].same_steps for name in ("frozen", "labels", "head"))
    assert all(ABLATIONS[name].same_steps for name in ("ascm", "attention", "lambdas"))


def test_steps_are_those_of_the_lender_until_a_run_has_its_own(tmp_path):
    """What has begun goes on as it was."""
    lender, folder = tmp_path / "lender", tmp_path / "run"
    for each, count in ((lender, 7), (folder, 5)):
        each.mkdir()
        steps = dict.fromkeys(STAGES, count)
        (each / "budget.json").write_text(json.dumps({"minutes": BUDGET.minutes, "device": "cpu", "steps": steps}))
    budget = replace(BUDGET, as_many_as=lender)
    assert _within(tiny(), DATA.train, folder, budget).localization.steps == 5
    (folder / "budget.json").unlink()
    for now in (budget, replace(BUDGET, as_many_as=folder)):  # noted, and so kept
        assert _within(tiny(), DATA.train, folder, now).localization.steps == 7
