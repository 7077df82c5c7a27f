"""The paper's tables again: who takes part, and what stands where."""

from dataclasses import replace

import pytest

from helpers.luvira_files import write_csv, write_noise
from helpers.studies import SETTING
from soundfix.errors import ConfigError
from soundfix.evaluation.metrics import Score
from soundfix.evaluation.rows import Row
from soundfix.overrides import apply_overrides
from soundfix.studies import study
from soundfix.studies.paper_tables import HIDDEN, OURS, _table_3
from soundfix.studies.published import ELEVEN, FEWER, METHODS
from soundfix.studies.reproduce import _to_train, entrants, entrants_for_several, reproduce
from soundfix.studies.setting import material_for
from soundfix.training.recipes import RECIPES, Stage


def test_every_method_of_the_paper_takes_part():
    labels = [each.label for each in entrants(SETTING)]
    assert set(METHODS) <= set(labels)
    assert set(ELEVEN) == set(FEWER) == set(METHODS)
    for each in (*entrants(SETTING), *entrants_for_several(SETTING, 3)):
        if each.recipe:
            recipe = apply_overrides(RECIPES[each.recipe](), each.changes)
            assert recipe.localization.windows_s == (0.128,)
    assert all(study.recipe_of(each).network.sources == each.sources == 2 for each in entrants_for_several(SETTING, 2))


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
    assert lines[0] == ["method", "source", "7 of 11 known", "8 of 11 known", "9 of 11 known"]
    assert lines[2] == ["wav2pos", "unknown", "205.0 ± 0.0 (182.8)", "205.0 ± 0.0 (93.1)", "205.0 ± 0.0 (36.8)"]
    assert lines[4] == [OURS, "unknown", *["105.0 ± 0.0"] * 3]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_paper_s_tables(small_recipes, tmp_path, monkeypatch):
    """Whole, with small networks and two steps of training; a second call reads what the first did."""
    monkeypatch.setattr("soundfix.studies.reproduce.SMALL_NGCC", ())
    counts = []
    text = reproduce(SETTING, tmp_path, say=lambda sentence: None, progress=counts.append)
    assert text == (tmp_path / "paper.md").read_text()
    assert "on a simulated twin of LuViRA, as its recordings are" in text
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    assert set(lines) >= set(METHODS)
    assert "(38.8)" in text
    assert "(244.9)" in text
    assert "(168.9)" in text
    assert "(45.2)" in text
    assert "three-stream (ours), 3 sources" in text
    assert sum(counts) > 0
    assert reproduce(SETTING, tmp_path, say=lambda sentence: None, progress=lambda count: None) == text
    for name in ("1", "2"):
        assert len(list((tmp_path / name).iterdir())) == len(entrants(SETTING))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_paper_s_tables_on_luvira(small_recipes, tmp_path, rng, monkeypatch):
    """Every recording of the paper's two splits, in small, from data to tables: who trains never hears music3 or speech3."""
    monkeypatch.setattr("soundfix.studies.reproduce.SMALL_NGCC", ())
    root = tmp_path / "LuViRA"
    for name in (f"{kind}000{number}" for kind in ("music", "speech") for number in (1, 2, 3, 4)):
        seconds = 6.3 if name.endswith("3") else 8.4  # three clips of every part are needed to sound at once
        write_noise(root / name, rng, duration_s=seconds)
        write_csv(root / f"{name}.csv", frames=round(102 * seconds), moved_m=rng.uniform(-1, 1, 3))
    setting = replace(SETTING, root=root, clips=2)
    material = material_for(setting, tmp_path, print)
    assert {recording.name for recording in material.train.data.recordings} == {
        f"{kind}000{number}" for kind in ("music", "speech") for number in (1, 2, 4)
    }
    text = reproduce(setting, tmp_path / "out", say=print, progress=lambda count: None)
    assert "on LuViRA" in text
    assert "| method | music3 MAE | music3 acc | speech3 MAE | speech3 acc |" in text
    assert all(
        f"## {title}" in text for title in ("Table 1", "Table 2", "Table 3", "Several sources", "What was trained")
    )
    assert set(METHODS) <= {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")}


@pytest.mark.slow
def test_a_part_of_the_tables(small_recipes, tmp_path):
    """One method and one table at a time; the tables hold what earlier calls made, and each trains no more than it needs."""
    first = reproduce(SETTING, tmp_path, say=print, progress=print, only=("GNN",), wanted=("1",))
    assert {path.name for path in (tmp_path / "one" / "runs").iterdir()} == {"gnn"}
    assert "## Table 2" not in first
    both = reproduce(SETTING, tmp_path, say=print, progress=print, only=("SRP-PHAT",), wanted=("1", "2"))
    assert {path.name for path in (tmp_path / "one" / "runs").iterdir()} == {"gnn"}
    lines = [line.split("|")[1].strip() for line in both.splitlines() if line.startswith("| ")]
    assert lines.count("GNN") == 2  # Table 1, and what was trained
    assert lines.count("SRP-PHAT") == 3  # Tables 1 and 2, and who had no place
    assert (tmp_path / "curves.csv").exists()


def test_methods_and_tables_that_do_not_exist(tmp_path):
    with pytest.raises(ConfigError, match="no method of the tables is called 'gnn'; there are Multilat, "):
        reproduce(SETTING, tmp_path, say=print, progress=print, only=("gnn",))
    with pytest.raises(ConfigError, match="no table is called '4'; there are 1, 2, 3, sources"):
        reproduce(SETTING, tmp_path, say=print, progress=print, wanted=("4",))
    assert not list(tmp_path.iterdir())


def test_who_teaches_is_trained_too():
    every = entrants(SETTING)
    paper = "three-stream (paper)"
    assert [each.label for each in _to_train(every, [paper], "123")] == ["Multilat*", paper]
    assert [each.label for each in _to_train(every, [paper], ["1", "sources"])] == ["Multilat*", paper]
    assert [each.label for each in _to_train(every, ["GNN"], "1")] == ["GNN"]
    assert _to_train(every, [], "1") == list(every)


def test_several_sources_alone_need_the_teachers_alone():
    """Both forms have networks of their own there: hours of others were trained for nothing."""
    assert [each.label for each in _to_train(entrants(SETTING), [], ["sources"])] == ["Multilat*"]
