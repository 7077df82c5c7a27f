"""BEATs on disk and on the hub: what is no checkpoint is named, and no pickled code is ever run."""

import json
import math
import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from helpers.beats import FEW, TINY, as_published, ended, shaken
from soundfix.errors import CheckpointError, OutputError
from soundfix.networks.encoders import beats
from soundfix.networks.encoders.beats_files import BeatsConfig


def test_converted_is_bit_for_bit_the_same(tiny, sound, tmp_path):
    beats.convert(TINY, tmp_path / "tiny.safetensors")
    again = beats.load(tmp_path / "tiny.safetensors")
    assert again.config == tiny.config
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), tiny.parameters(), strict=True))
    assert torch.equal(again(sound), tiny(sound))
    assert os.listdir(tmp_path) == ["tiny.safetensors"]


def test_fine_tuned(sound, tmp_path):
    network = shaken(replace(FEW, finetuned_model=True, predictor_class=5))
    labels = {0: "/m/09x0r", 1: "/m/05zppz", 2: "/m/02zsn", 3: "/m/0ytgt", 4: "/m/01h8n0"}
    torch.save(as_published(network) | {"label_dict": labels}, tmp_path / "tuned.pt")
    beats.convert(tmp_path / "tuned.pt", tmp_path / "tuned.safetensors")
    published, converted = beats.load(tmp_path / "tuned.pt"), beats.load(tmp_path / "tuned.safetensors")
    assert published.labels == converted.labels == tuple(labels.values())

    mask = ended(16_000, [16_000, 8000, 5000])
    tokens, is_padding = published(sound, mask), published.token_padding(mask)
    logits = [published.predictor(row[~pad]).mean(dim=0) for row, pad in zip(tokens, is_padding, strict=True)]
    torch.testing.assert_close(converted.predictor(converted.pooled(sound, mask)), torch.stack(logits))
    torch.testing.assert_close(
        converted.predictor(converted.pooled(sound)), published.predictor(published(sound)).mean(dim=1)
    )


def test_pre_trained_has_no_classes(tiny):
    assert tiny.predictor is None


def test_absent_entries_are_those_of_the_published_code():
    config = BeatsConfig.from_published({"input_patch_size": 16, "dropout": 0.1})
    usual = {"deep_norm": False, "relative_position_embedding": False, "gru_rel_pos": False, "max_distance": 1280}
    assert config == replace(BeatsConfig(), **usual)


def forget(part: dict, name: str) -> None:
    del part[name]


REFUSALS = {
    "missing": (lambda c: forget(c["model"], "encoder.layers.1.fc1.bias"), r"lacks encoder\.layers\.1\.fc1\.bias"),
    "missing many": (lambda c: c["cfg"].update(encoder_layers=4), r"lacks encoder\.layers\.3\..* and \d+ more"),
    "extra": (lambda c: c["model"].update(odd=torch.ones(1)), "holds odd, for which its cfg has no place"),
    "shape": (
        lambda c: c["model"].update({"layer_norm.bias": torch.ones(31)}),
        r"layer_norm\.bias has shape \(31,\), wanted \(32,\)",
    ),
    "nan": (lambda c: c["model"]["encoder.layers.2.fc2.weight"][3, 4].fill_(math.nan), r"2\.fc2\.weight holds NaN"),
    "inf": (lambda c: c["model"]["layer_norm.bias"][0].fill_(math.inf), r"layer_norm\.bias holds NaN or Inf"),
    "nan in a length": (
        lambda c: c["model"]["encoder.pos_conv.0.weight_g"].fill_(math.nan),
        "pos_conv.0.weight holds NaN",
    ),
    "no direction": (lambda c: c["model"]["encoder.pos_conv.0.weight_v"].zero_(), "pos_conv.0.weight holds NaN"),
    "no tensor": (lambda c: c["model"].update(epoch=3), "epoch in 'model' is no tensor"),
    "tables": (
        lambda c: c["model"].update({"encoder.layers.2.self_attn.relative_attention_bias.weight": torch.ones(320, 4)}),
        r"layers\.2\.self_attn\.relative_attention_bias\.weight differs from that of layer 0",
    ),
    "no patch size": (lambda c: forget(c["cfg"], "input_patch_size"), "the cfg has no input_patch_size"),
    "patch size": (lambda c: c["cfg"].update(input_patch_size=-1), "input_patch_size must be 1 or more"),
    "large patches": (lambda c: c["cfg"].update(input_patch_size=129), "patches of 129 mel bins, there are 128"),
    "text": (lambda c: c["cfg"].update(encoder_layers="3"), "encoder_layers is '3', wanted int"),
    "heads": (lambda c: c["cfg"].update(encoder_attention_heads=5), "width 48 cannot be shared by 5 heads"),
    "groups": (lambda c: c["cfg"].update(conv_pos_groups=5), "width 48 cannot be shared by 5 groups"),
    "activation": (lambda c: c["cfg"].update(activation_fn="tanh"), "activation 'tanh', known are gelu, relu, glu"),
    "both norms": (lambda c: c["cfg"].update(layer_norm_first=True), "deep_norm is for norms after the sublayers"),
    "buckets": (lambda c: c["cfg"].update(num_buckets=3), "3 buckets, wanted 4 or more"),
    "distance": (lambda c: c["cfg"].update(max_distance=80), "max_distance 80 is within 80"),
    "labels": (lambda c: c.update(label_dict={0: "/m/1"}), "has 1 labels for 5 classes"),
    "label numbers": (lambda c: c.update(label_dict={3: "/m/1"}), "label_dict does not number its labels from 0"),
    "no model": (lambda c: forget(c, "model"), "holds cfg, wanted 'cfg' and 'model'"),
    "a list": (lambda c: c.update(cfg=[1]), "its 'cfg' is a list, wanted a dict"),
}


@pytest.mark.parametrize(("edit", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refused(edit, message, tmp_path):
    content = torch.load(TINY, weights_only=True)
    edit(content)
    torch.save(content, tmp_path / "edited.pt")
    with pytest.raises(CheckpointError, match=message):
        beats.load(tmp_path / "edited.pt")
    with pytest.raises(CheckpointError, match=message):
        beats.convert(tmp_path / "edited.pt", tmp_path / "edited.safetensors")
    assert os.listdir(tmp_path) == ["edited.pt"]


class Code:
    """Unpickling this would make a folder."""

    def __reduce__(self):
        return os.mkdir, ("made by a pickle",)


@pytest.mark.parametrize("write", [pickle.dump, torch.save])
def test_code_is_not_run(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("code.pt", "wb") as file:
        write({"cfg": Code(), "model": {}}, file)
    with pytest.raises(CheckpointError, match=r"holds pickled code; only \{'cfg','model'\} tensors are read"):
        beats.load("code.pt")
    assert os.listdir(tmp_path) == ["code.pt"]


def test_files_of_another_kind(tmp_path):
    file = tmp_path / "file"
    with pytest.raises(CheckpointError, match="there is no such file"):
        beats.load(file)
    for content in (b"", b"just some text"):
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match="neither a published BEATs file"):
            beats.load(file)
    torch.save([1, 2], file)
    with pytest.raises(CheckpointError, match="holds list, wanted 'cfg' and 'model'"):
        beats.load(file)
    save_file({"x": torch.ones(3)}, file)
    with pytest.raises(CheckpointError, match="not BEATs as convert writes it"):
        beats.load(file)


def test_cut_short(tmp_path):
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut"
    beats.convert(TINY, whole)
    for file, kind in ((TINY, "torch"), (whole, "safetensors")):
        cut.write_bytes(file.read_bytes()[:-1000])
        with pytest.raises(CheckpointError, match=f"no whole {kind} file.*cut short"):
            beats.load(cut)


def test_flipped_bytes(rng, tmp_path):
    """Of the names and sizes in a published file: whatever the unpickler makes of them is refused in our words."""
    content, file, refused = TINY.read_bytes(), tmp_path / "flipped.pt", 0
    for place in rng.integers(100, 3000, size=60):
        file.write_bytes(content[:place] + bytes([content[place] ^ 0x9F]) + content[place + 1 :])
        try:
            beats.load(file)
        except CheckpointError:
            refused += 1
    assert refused > 30


def test_damaged_safetensors(tmp_path):
    file = tmp_path / "tiny.safetensors"
    beats.convert(TINY, file)
    tensors = load_file(file)
    about = {"format": 1, "config": asdict(beats.load(TINY).config), "labels": []}
    save_file(tensors | {"layer_norm.bias": torch.full((32,), math.nan)}, file, {"beats": json.dumps(about)})
    with pytest.raises(CheckpointError, match=r"layer_norm\.bias holds NaN"):
        beats.load(file)
    save_file(tensors, file, {"beats": json.dumps(about | {"format": 2})})
    with pytest.raises(CheckpointError, match="is of format 2, this soundfix reads 1"):
        beats.load(file)


def test_safetensors_may_begin_like_a_pickle(tmp_path):
    """They begin with the length of their header, whose lowest byte may well be 0x80."""
    file, config = tmp_path / "tiny.safetensors", asdict(beats.load(TINY).config)
    beats.convert(TINY, file)
    tensors = load_file(file)
    for padding in range(0, 257, 8):
        about = {"format": 1, "config": config | {"note": "x" * padding}, "labels": []}
        save_file(tensors, file, {"beats": json.dumps(about)})
        if file.read_bytes()[:1] == b"\x80":
            break
    assert file.read_bytes()[:1] == b"\x80"
    assert beats.load(file).config == beats.load(TINY).config


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write .*file"):
        beats.convert(TINY, tmp_path / "file" / "tiny.safetensors")


NAMES = ["owner/some-name:sub/beats.pt", "hf://owner/some-name/sub/beats.pt", Path("hf://owner/some-name/sub/beats.pt")]


@pytest.mark.parametrize("name", NAMES)
def test_hub(name, monkeypatch):
    asked = []
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *names: asked.append(names) or str(TINY))
    assert beats.load(name).config.encoder_embed_dim == 48
    assert asked == [("owner/some-name", "sub/beats.pt")]


def test_hub_is_not_asked_for_files(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_: pytest.fail("asked"))
    with pytest.raises(CheckpointError, match="there is no such file"):
        beats.load(tmp_path / "sub" / "beats.pt")
    with pytest.raises(CheckpointError, match="there is no such file"):
        beats.load("models/beats.pt")


def test_offline(monkeypatch, tmp_path):
    """Hugging Face's own code, told to be offline, with nothing in its cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        CheckpointError, match=r"beats\.pt of nobody/nothing is not in the cache .* unset HF_HUB_OFFLINE"
    ):
        beats.load("nobody/nothing:beats.pt")


def test_hub_fails(monkeypatch):
    def fail(*_):
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    with pytest.raises(CheckpointError, match=r"from Hugging Face \(LocalEntryNotFoundError\): check the name"):
        beats.load("hf://owner/name/beats.pt")


def test_impossible_name_on_the_hub():
    with pytest.raises(CheckpointError, match="HFValidationError"):
        beats.load("-owner-/name:beats.pt")
