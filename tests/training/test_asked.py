"""What a run is asked for: words, and what is saved where they are not said again."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from soundfix.errors import TrainingError
from soundfix.training import recipes
from soundfix.training.asked import MAY_CHANGE, TrainRequest, Words, asked_for, may_change, named_recipe, saved_recipe


def save(folder, **settings):
    """The settings of a run."""
    whole = {"recipe": asdict(recipes.tiny()), "data": ["twin"], "seed": 3, "start": None}
    (folder / "settings.json").write_text(json.dumps(whole | settings))


def words(**said):
    return {"words": asdict(Words(data=("luvira-twin",), **said))}


def test_a_change_reaches_the_recipe():
    changed = named_recipe("default", ["localization.steps=7", "network.keep=0.3", "localization.windows_s=[0.5]"])
    assert changed.localization.steps == 7
    assert changed.network.keep == 0.3
    assert changed.localization.windows_s == (0.5,)
    assert changed.autoencoder == recipes.default().autoencoder


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_saved_recipe_is_the_recipe(tmp_path, name):
    recipe = named_recipe(name, ["localization.windows_s=[0.3]", "losses.sound=0.5"])
    saved = json.loads(json.dumps({"recipe": asdict(recipe)}))
    assert saved_recipe(saved, tmp_path) == recipe


def test_without_words_everything_is_as_it_was(tmp_path):
    recipe = named_recipe("tiny", ["localization.steps=7"])
    save(tmp_path, recipe=asdict(recipe), **words(workers=4, device="cpu", valid=("luvira-like",), tracks=True))
    asked = asked_for(TrainRequest(out=tmp_path, resume=True))
    assert (asked.recipe, asked.seed) == (recipe, 3)
    expected = Words(data=("luvira-twin",), workers=4, device="cpu", valid=("luvira-like",), tracks=True)
    assert asked.words == expected
    asked = asked_for(TrainRequest(out=tmp_path, resume=True, recipe="tiny"))  # said again, it is the same one
    assert asked.recipe == recipe


def test_what_is_said_counts(tmp_path):
    save(tmp_path, **words(workers=4, device="cpu"))
    said = {"workers": 0, "data": ["luvira-like", "luvira-hard"]}
    changes = ["localization.steps=9"]
    asked = asked_for(TrainRequest(out=tmp_path, resume=True, said=said, seed=0, changes=changes))
    assert asked.words == Words(data=("luvira-like", "luvira-hard"), workers=0, device="cpu")
    assert asked.seed == 0
    tiny = recipes.tiny()
    assert asked.recipe == replace(tiny, localization=replace(tiny.localization, steps=9))
    assert asked_for(TrainRequest(out=tmp_path, resume=True, recipe="default")).recipe == recipes.default()


def test_what_is_saved_counts_for_those_who_go_on(tmp_path):
    """Without --resume nothing is read: whether the folder is free is settled when it is opened."""
    save(tmp_path, **words(workers=4))
    asked = asked_for(TrainRequest(out=tmp_path, recipe="gnn", said={"data": ["luvira-twin"]}))
    assert (asked.recipe, asked.seed, asked.words) == (recipes.gnn(), 0, Words(data=("luvira-twin",)))


def test_paths_are_kept_from_the_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "twin").mkdir()
    (tmp_path / "luvira-hard").mkdir()
    said = {
        "data": ["twin", "twin:train", "luvira-hard", "nowhere"], "valid": ["nowhere:test"], "audio": [Path("dry")],
        "start": Path("a.safetensors"), "beats": Path("b/BEATs.pt"), "cache": Path("kept"),
    }  # fmt: skip
    asked = asked_for(TrainRequest(out=tmp_path / "run", recipe="tiny", said=said))
    here = str(tmp_path)
    assert asked.words.data == (f"{here}/twin", f"{here}/twin:train", "luvira-hard", "nowhere")
    assert (asked.words.valid, asked.words.audio) == (("nowhere:test",), (f"{here}/dry",))
    files = asked.words.start, asked.words.beats, asked.words.cache
    assert files == (f"{here}/a.safetensors", f"{here}/b/BEATs.pt", f"{here}/kept")
    assert asked.names == {"start": "a.safetensors", "beats": "BEATs.pt"}


def test_the_checkpoint_it_was_started_from_stays(tmp_path):
    save(tmp_path, start="a.safetensors", **words(start="/there/a.safetensors"))
    asked = asked_for(TrainRequest(out=tmp_path, resume=True))
    assert (asked.names["start"], asked.words.start) == ("a.safetensors", "/there/a.safetensors")


def test_windows_are_drawn_once_where_they_are_kept(tmp_path):
    """With a folder for them four of each clip, or as many as the recipe says; without one, all are drawn anew."""

    def windows(*changes, **said):
        said = {"data": ["luvira-twin"], **said}
        asked = asked_for(TrainRequest(out=tmp_path, recipe="gnn", said=said, changes=changes))
        return asked.recipe.localization.windows_a_clip

    assert windows() == 0
    assert windows(cache=Path("kept")) == 4
    assert windows("localization.windows_a_clip=7", cache=Path("kept")) == 7


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(TrainingError, match=r"^which recipe\? There are paper, default, .*wav2pos$"):
        asked_for(TrainRequest(out=tmp_path))
    with pytest.raises(TrainingError, match=r"^which recipe\?.*holds no run to go on with\)$"):
        asked_for(TrainRequest(out=tmp_path, resume=True))
    with pytest.raises(TrainingError, match=r"^what is to be learned from\? Give --data$"):
        asked_for(TrainRequest(out=tmp_path, recipe="tiny"))
    save(tmp_path)
    with pytest.raises(TrainingError, match=r"Give --data .*was started before words were kept\)$"):
        asked_for(TrainRequest(out=tmp_path, resume=True))
    assert asked_for(TrainRequest(out=tmp_path, resume=True, said={"data": ["luvira-twin"]})).seed == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recipe": {"name": "huge"}}, "holds no recipe"),
        ({"recipe": {"name": []}}, "holds no recipe"),
        ({"recipe": {"name": "tiny"}}, "holds no recipe"),
        ({"recipe": 3}, "holds no recipe"),
        ({"words": {"workers": "many"}}, "words that mean nothing"),
        ({"words": 3}, "words that mean nothing"),
        ({"words": None}, "words that mean nothing"),
        ({"seed": "x"}, "holds no seed"),
    ],
)
def test_settings_that_were_edited(tmp_path, settings, message):
    save(tmp_path, **(words() | settings))
    with pytest.raises(TrainingError, match=message):
        asked_for(TrainRequest(out=tmp_path, resume=True))


def test_what_may_change_are_settings_that_there_are():
    settings = {"recipe": asdict(recipes.tiny()), "words": asdict(Words())}
    for name in MAY_CHANGE:
        found = settings
        for part in name.split("."):
            found = found[part]
    assert not {"words.audio", "words.start", "recipe.name"} & MAY_CHANGE


def test_data_may_be_moved_but_no_world_is_another():
    assert may_change(Words(data=("/there/twin",))) == MAY_CHANGE
    assert MAY_CHANGE - may_change(Words(data=("/there/twin", "luvira-hard"))) == {"words.data"}
