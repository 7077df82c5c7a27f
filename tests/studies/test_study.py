"""Studies: each method has the same time, trained once and gone on with; the paper's tables hold ours and the published."""

import json
from dataclasses import replace

import pytest
import torch

from helpers.clips import Clips
from helpers.luvira_files import write_csv, write_noise
from helpers.rivals import CONFIGS
from soundfix.errors import ConfigError, DatasetError, OutputError, SoundfixError, TrainingError
from soundfix.evaluation.metrics import Score
from soundfix.evaluation.rows import Row
from soundfix.overrides import apply_overrides
from soundfix.studies import study
from soundfix.studies.ablations import ABLATIONS, ablate
from soundfix.studies.published import ELEVEN, FEWER, METHODS
from soundfix.studies.reproduce import HIDDEN, OURS, SHORT, _table_3, entrants, entrants_for_several, reproduce, tables
from soundfix.studies.setting import Setting, material_for, rows_of
from soundfix.studies.study import Budget, Entrant, Material, train_all, train_one
from soundfix.training.recipes import RECIPES, STAGES, Stage, tiny

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


def test_what_is_trained_is_not_trained_again(small_recipes, material, tmp_path, monkeypatch):
    entrant = Entrant(label="GNN", method="gnn", recipe="gnn")
    said = []
    path = train_one(entrant, material, tmp_path, BUDGET, said.append)
    before = path.read_bytes()
    monkeypatch.setattr(study, "train", lambda job: pytest.fail("trained twice"))
    assert train_one(entrant, material, tmp_path, BUDGET, said.append).read_bytes() == before
    assert (
        said
        == ["GNN: 0.0001 minutes, steps {'correlation': 0, 'autoencoder': 0, 'localization': 2, 'reranker': 0}"] * 2
    )


def test_more_time_is_more_steps(small_recipes, material):
    recipe = small("gnn")
    few, many = (study._steps_in(recipe, material.train, replace(BUDGET, minutes=m)) for m in (0.02, 2.0))
    assert many["localization"] > 10 * few["localization"] >= 20
    assert few["correlation"] == 0


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


def test_every_method_of_the_paper_takes_part():
    labels = [each.label for each in entrants(SETTING)]
    assert set(METHODS) <= set(labels)
    assert set(ELEVEN) == set(FEWER) == set(METHODS)
    for each in (*entrants(SETTING), *entrants_for_several(SETTING, 3)):
        if each.recipe:
            recipe = apply_overrides(RECIPES[each.recipe](), each.changes)
            assert recipe.localization.windows_s == (0.128,)
    assert all(study.recipe_of(each).network.sources == each.sources == 2 for each in entrants_for_several(SETTING, 2))


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


def test_several_processes_after_training(two_threads, small_recipes, tmp_path):
    """Training leaves threads of torch behind, which the processes of an evaluation do not have."""
    setting = replace(SETTING, clips=2, budget=replace(BUDGET, workers=2))
    material = material_for(setting, tmp_path, print)
    methods = train_all([Entrant(label="GNN", method="gnn", recipe="gnn")], material, tmp_path, BUDGET, print)
    assert len(rows_of(setting, tmp_path / "rows", [*methods.values()], SHORT, lambda done: None)) == 2


def test_a_longer_warm_up_keeps_its_share():
    assert study._of_length(Stage(steps=10_000, warm_up=1667), 1200).warm_up == 200
    assert study._of_length(Stage(steps=10_000, warm_up=100), 1200).warm_up == 100
    assert study._of_length(Stage(steps=100, warm_up=10), 50).warm_up == 10


def test_the_table_of_unknown_positions_has_a_row_of_ours():
    """Each method's mean over its own rows, in centimetres; the published number where there is one."""
    score = Score(error_m=1.0, xy_m=1.0, z_m=0.0, is_answered=True, covered=1.0)
    rows = [
        Row(
            clip=clip, moment=clip, labels={"sound": "speech"}, sources=1, window_s=0.128, microphones=11, unknown=unknown,
            fault="none", rt60_s=0.3, snr_db=15.0, method=method, verdict="ok", true_m=[], said_m=[], seconds=0.1,
            score=score._replace(microphones_m=(off_m, off_m + 0.1)),
        )
        for method, off_m in (("wav2pos", 2.0), (OURS, 1.0)) for unknown in HIDDEN for clip in range(4)
    ]  # fmt: skip
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in _table_3(rows).splitlines()]
    assert lines[0] == ["method", "7 of 11 known", "8 of 11 known", "9 of 11 known"]
    assert lines[2] == ["wav2pos", "205.0 ± 0.0 (182.8)", "205.0 ± 0.0 (93.1)", "205.0 ± 0.0 (36.8)"]
    assert lines[-1] == [OURS, *["105.0 ± 0.0"] * 3]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_paper_s_tables(small_recipes, tmp_path, monkeypatch):
    """Whole, with small networks and two steps of training; a second call reads what the first did."""
    monkeypatch.setattr("soundfix.studies.reproduce.SMALL_NGCC", ())
    counts = []
    text = reproduce(SETTING, tmp_path, say=lambda sentence: None, progress=counts.append)
    assert text == (tmp_path / "paper.md").read_text()
    assert "on the simulated twin of LuViRA" in text
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    assert set(lines) >= set(METHODS)
    assert "(38.8)" in text
    assert "(244.9)" in text
    assert "(168.9)" in text
    assert "(45.2)" in text
    assert "three-stream (ours), 3 sources" in text
    assert sum(counts) == 4 * SETTING.clips
    assert reproduce(SETTING, tmp_path, say=lambda sentence: None, progress=lambda count: None) == text
    plan = json.loads((tmp_path / "fewer" / "manifest.json").read_text())["plan"]
    assert len(plan["methods"]) == len(entrants(SETTING))


@pytest.mark.slow
def test_the_paper_s_tables_on_luvira(small_recipes, tmp_path, rng):
    """Every recording of the paper's two splits, in small: who trains never hears music3 or speech3."""
    root = tmp_path / "LuViRA"
    for name in (f"{kind}000{number}" for kind in ("music", "speech") for number in (1, 2, 3, 4)):
        seconds = 4.2 if name.endswith("3") else 2.1  # two clips are needed to sound at once
        write_noise(root / name, rng, duration_s=seconds)
        write_csv(root / f"{name}.csv", frames=round(102 * seconds), moved_m=rng.uniform(-1, 1, 3))
    setting = replace(SETTING, root=root, clips=2)
    material = material_for(setting, tmp_path, print)
    assert {recording.name for recording in material.train.data.recordings} == {
        f"{kind}000{number}" for kind in ("music", "speech") for number in (1, 2, 4)
    }
    two = [each for each in entrants(setting) if each.label in ("GNN", "SRP-PHAT")]
    methods = train_all(two, material, tmp_path, BUDGET, print)
    rows = [
        row
        for count in (1, 2)
        for row in rows_of(setting, tmp_path / f"{count}", [*methods.values()], SHORT, lambda done: None, sources=count)
    ]
    text = tables(setting, {"fewer": rows, "hidden": rows, "several": rows}, "")
    assert "on LuViRA" in text
    assert "| method | music3 MAE | music3 acc | speech3 MAE | speech3 acc |" in text
    assert {row.sources for row in rows} == {1, 2}


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
