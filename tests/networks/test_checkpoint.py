"""One file rebuilds the network, exactly; whatever is not such a file is refused by name."""

import json
import pickle
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from helpers import DATA
from helpers.networks import paper_like, tiny, windows
from soundfix.errors import CheckpointError, OutputError
from soundfix.networks import checkpoint
from soundfix.networks.config import NetworkConfig
from soundfix.networks.encoders import beats
from soundfix.networks.registry import build
from soundfix.training import recipes


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "net.safetensors"
    checkpoint.save(tiny(), path, notes={"seed": 7})
    return path


def contents(path):
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata()), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def rewrite(path, *, metadata=None, **changes):
    """The file with some tensors changed (None: left out)."""
    known, tensors = contents(path)
    tensors |= changes
    save_file({n: t for n, t in tensors.items() if t is not None}, path, known | (metadata or {}))


@pytest.mark.parametrize("make", [tiny, paper_like])
def test_a_loaded_network_answers_bit_for_bit_the_same(tmp_path, make):
    network, given = make(), windows()
    network.normalize_to(torch.tensor([[0.0, 0, 0], [4.0, 5, 2]]))
    checkpoint.save(network, tmp_path / "a.safetensors")
    again = checkpoint.load(tmp_path / "a.safetensors")
    assert again.config == network.config
    assert not again.training
    with torch.no_grad():
        assert torch.equal(again(given).sources_m, network(given).sources_m)


def test_files_from_before_the_reranker_had_its_name_still_load(saved):
    """Then it was second_look, in the configuration and in the names of its tensors."""
    known, tensors = contents(saved)
    fields = {"second_look" if k == "reranker" else k: v for k, v in json.loads(known["config"]).items()}
    old = {name.replace("reranker.", "second_look."): tensor for name, tensor in tensors.items()}
    assert old.keys() != tensors.keys()
    save_file(old, saved, known | {"config": json.dumps(fields)})
    network = checkpoint.load(saved)
    assert network.config == tiny().config
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in tensors.items())


def test_notes_are_kept(saved):
    assert checkpoint.notes(saved) == {"seed": 7}


def test_beats_base_stays_outside_and_comes_back_from_its_own_file(tmp_path):
    """A tiny stand-in for the 363 MB file: 48 wide instead of 768."""

    from soundfix.networks.encoders import beats

    published = DATA / "beats_tiny.pt"
    network = paper_like(acoustic="base")
    checkpoint.save(network, tmp_path / "a.safetensors")
    assert not [name for name in contents(tmp_path / "a.safetensors")[1] if name.startswith("encoder.")]
    again = checkpoint.load(tmp_path / "a.safetensors", beats=published)
    assert torch.equal(again.encoder.patches.weight, beats.load(published).patches.weight)


@pytest.mark.parametrize("name", ["kind", "scale_m"])
def test_a_missing_tensor_is_named(saved, name):
    rewrite(saved, **{name: None})
    with pytest.raises(CheckpointError, match=rf"lacks {name}: does it belong to another version"):
        checkpoint.load(saved)


def test_an_extra_tensor_is_named(saved):
    rewrite(saved, stowaway=torch.zeros(1))
    with pytest.raises(CheckpointError, match="holds stowaway, which this network has no place for"):
        checkpoint.load(saved)


def test_many_are_counted(saved):
    rewrite(saved, **{f"extra{k}": torch.zeros(1) for k in range(9)})
    with pytest.raises(CheckpointError, match="extra0, extra1, extra2 and 6 more"):
        checkpoint.load(saved)


def test_a_wrong_shape_is_named(saved):
    rewrite(saved, kind=torch.zeros(3, 5))
    with pytest.raises(CheckpointError, match=r"kind has shape \(3, 5\), wanted \(3, 64\)"):
        checkpoint.load(saved)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_named(saved, value):
    _, tensors = contents(saved)
    tensors["kind"][1, 2] = value
    rewrite(saved, kind=tensors["kind"])
    with pytest.raises(CheckpointError, match="kind holds NaN or Inf: did its training diverge"):
        checkpoint.load(saved)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


@pytest.mark.parametrize(
    "write", [lambda path: path.write_bytes(pickle.dumps(Bomb())), lambda path: torch.save({"a": 1}, path)]
)
def test_pickles_are_refused_without_being_read(tmp_path, write):
    path = tmp_path / "net.safetensors"
    write(path)
    with pytest.raises(CheckpointError, match="is a pickle, which could run code when read: wanted a safetensors file"):
        checkpoint.load(path)


def test_a_file_cut_short_is_refused(saved):
    saved.write_bytes(saved.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=r"no whole safetensors file .* cut short"):
        checkpoint.load(saved)


def test_no_file_and_no_configuration_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="there is no such file"):
        checkpoint.load(tmp_path / "nothing")
    save_file({"a": torch.zeros(1)}, tmp_path / "bare.safetensors")
    with pytest.raises(CheckpointError, match="holds tensors but no configuration"):
        checkpoint.load(tmp_path / "bare.safetensors")


def test_another_format_is_refused(saved):
    rewrite(saved, metadata={"soundfix": json.dumps({"format": 99})})
    with pytest.raises(CheckpointError, match="is of format 99, this soundfix reads 1"):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"width": "wide"}, "width: "),
        ({"frame": "boat"}, "frame: "),
        ({"colour": 1}, "colour: "),
        ({"head": {"hop": 0.5}}, "head.hop: "),
    ],
)
def test_a_configuration_that_cannot_be_is_named(saved, change, complaint):
    config = json.loads(contents(saved)[0]["config"]) | change
    rewrite(saved, metadata={"config": json.dumps(config)})
    with pytest.raises(CheckpointError, match=f"its configuration cannot be built: {complaint}"):
        checkpoint.load(saved)


def test_a_failed_write_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OutputError, match=r"net\.safetensors: the disk is full; the old file is untouched"):
        checkpoint.save(tiny(width=32), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_survives_the_round_trip_of_its_configuration(name, tmp_path):
    from pydantic import TypeAdapter

    config = recipes.RECIPES[name]().network
    config = replace(config, keep=3) if isinstance(config, NetworkConfig) else config
    adapter = TypeAdapter(type(config))
    again = adapter.validate_json(adapter.dump_json(config))
    assert again == config
    assert not isinstance(config, NetworkConfig) or isinstance(again.keep, int)
    with torch.device("meta"):
        assert build(again).config == config


def test_beats_base_given_when_loading_is_frozen(tmp_path, monkeypatch):
    network = loaded_with_other_beats(tmp_path, monkeypatch, paper_like(acoustic="base"), beats.BeatsConfig())
    assert not network.train().encoder.training
    assert not any(weight.requires_grad for weight in network.encoder.parameters())


def test_beats_base_is_not_put_into_a_network_with_its_own_encoder(tmp_path, monkeypatch):
    config = replace(recipes.tiny().network.encoder, encoder_embed_dim=48)
    with pytest.raises(CheckpointError, match="listens with an encoder of its own"):
        loaded_with_other_beats(tmp_path, monkeypatch, tiny(), config)


def loaded_with_other_beats(tmp_path, monkeypatch, network, config):
    checkpoint.save(network, tmp_path / "a.safetensors")
    monkeypatch.setattr(beats, "load", lambda path: beats.Beats(replace(config, encoder_layers=1)).eval())
    return checkpoint.load(tmp_path / "a.safetensors", beats="BEATs.pt")


def test_save_takes_what_load_takes(tmp_path):
    checkpoint.save(tiny(), str(tmp_path / "a.safetensors"))
    assert checkpoint.load(str(tmp_path / "a.safetensors")).config == tiny().config


def test_metadata_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.save(tiny(), path)
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, metadata | {"soundfix": "format 1"})
    with pytest.raises(CheckpointError):
        checkpoint.load(path)


def test_weights_with_one_unit_for_all_axes_are_still_read(tmp_path):
    network, path = tiny(), tmp_path / "a.safetensors"
    checkpoint.save(network, path)
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors | {"scale_m": torch.tensor(2.5)}, path, metadata)
    assert checkpoint.load(path).scale_m.tolist() == [2.5] * 3
