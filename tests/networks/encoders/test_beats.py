"""BEATs: the published vectors, slow literal forms of its parts, padding, files and what is refused of them."""

import json
import math
import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from helpers import DATA
from soundfix.errors import CheckpointError, OutputError, SceneError
from soundfix.networks.encoders import beats, beats_files
from soundfix.networks.encoders.beats import SMALL, Beats, relative_buckets
from soundfix.networks.encoders.beats_files import BeatsConfig

TINY = DATA / "beats_tiny.pt"
PUBLISHED_PARAMETERS = 90_311_792  # of BEATs iterations 1 to 3+, pre-trained
FEW = BeatsConfig(
    embed_dim=24,
    encoder_layers=2,
    encoder_embed_dim=32,
    encoder_ffn_embed_dim=48,
    encoder_attention_heads=2,
    num_buckets=16,
    max_distance=40,
)


@pytest.fixture
def tiny() -> Beats:
    return beats.load(TINY)


@pytest.fixture
def sound(rng):
    return torch.from_numpy(rng.normal(size=(3, 16_000)).astype("float32")) * 0.1


def shaken(config: BeatsConfig) -> Beats:
    """Random weights that are nowhere 0 or 1, the same for the same shapes."""
    torch.manual_seed(3)
    network = Beats(config)
    with torch.no_grad():
        for name, parameter in sorted(network.named_parameters()):
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name)))
    return network.eval()


def as_published(network: Beats) -> dict:
    """The content of a published file with these weights: the convolution by direction and length, a table a layer."""
    model = {beats_files.published_name(name): tensor.clone() for name, tensor in network.state_dict().items()}
    weight = model.pop("encoder.pos_conv.0.weight")
    model["encoder.pos_conv.0.weight_v"] = 3 * weight
    model["encoder.pos_conv.0.weight_g"] = weight.square().sum(dim=(0, 1), keepdim=True).sqrt()
    for layer in range(1, network.config.encoder_layers if network.config.relative_position_embedding else 1):
        name = "encoder.layers.{}.self_attn.relative_attention_bias.weight"
        model[name.format(layer)] = model[name.format(0)]
    training_only = {"dropout": 0.1, "encoder_layerdrop": 0.05, "layer_wise_gradient_decay_ratio": 0.6}
    return {"cfg": asdict(network.config) | training_only, "model": model}


# --- the published implementation


def test_reference(tiny):
    reference = np.load(DATA / "beats_tiny.npz")
    tokens = tiny(torch.from_numpy(reference["waveform"])).detach()
    np.testing.assert_allclose(tokens, reference["output"], atol=1e-4)  # reached: 2e-5


def test_base_has_the_published_shapes():
    with torch.device("meta"):
        network = Beats(BeatsConfig())
    shapes = {beats_files.published_name(name): tuple(p.shape) for name, p in network.named_parameters()}
    assert shapes == base_shapes()
    taps = 128  # weight_g: the lengths, which we multiply into the directions
    assert sum(map(math.prod, shapes.values())) + taps == PUBLISHED_PARAMETERS


def base_shapes() -> dict[str, tuple[int, ...]]:
    linear, norm = {"weight": (768, 768), "bias": (768,)}, {"weight": (768,), "bias": (768,)}
    layer = {f"self_attn.{name}_proj": linear for name in "qkv"} | {
        "self_attn.out_proj": linear,
        "self_attn.grep_linear": {"weight": (8, 64), "bias": (8,)},
        "self_attn_layer_norm": norm,
        "fc1": {"weight": (3072, 768), "bias": (3072,)},
        "fc2": {"weight": (768, 3072), "bias": (768,)},
        "final_layer_norm": norm,
    }
    modules = {f"encoder.layers.{n}.{name}": shapes for n in range(12) for name, shapes in layer.items()} | {
        "patch_embedding": {"weight": (512, 1, 16, 16)},
        "layer_norm": {"weight": (512,), "bias": (512,)},
        "post_extract_proj": {"weight": (768, 512), "bias": (768,)},
        "encoder.pos_conv.0": {"weight": (768, 48, 128), "bias": (768,)},
        "encoder.layer_norm": norm,
        "encoder.layers.0.self_attn.relative_attention_bias": {"weight": (320, 12)},
    }
    scales = {f"encoder.layers.{n}.self_attn.grep_a": (1, 12, 1, 1) for n in range(12)}
    return scales | {f"{name}.{part}": s for name, shapes in modules.items() for part, s in shapes.items()}


def test_small_is_small():
    with torch.device("meta"):
        assert sum(p.numel() for p in Beats(SMALL).parameters()) == 1_914_416


# --- slow literal forms


def slow_bucket(offset: int, buckets: int, furthest: int) -> int:
    """T5's buckets in words: a half a direction, of which the first half is exact and the second logarithmic."""
    half = buckets // 2
    exact, distance, first = half // 2, abs(offset), half if offset > 0 else 0
    if distance < exact:
        return first + distance
    share = math.log(distance / exact) / math.log(furthest / exact)
    return first + min(half - 1, exact + math.floor(share * (half - exact)))


@pytest.mark.parametrize(("buckets", "furthest"), [(320, 800), (32, 100)])
def test_relative_buckets(buckets, furthest):
    offsets = range(-1000, 1001)
    ours = relative_buckets(torch.tensor(offsets), num_buckets=buckets, max_distance=furthest)
    assert ours.tolist() == [slow_bucket(offset, buckets, furthest) for offset in offsets]


def test_relative_buckets_by_hand():
    offsets = torch.tensor([0, -1, -79, -80, -800, -5000, 1, 79, 80, 800])
    ours = relative_buckets(offsets, num_buckets=320, max_distance=800)
    assert ours.tolist() == [0, 1, 79, 80, 159, 159, 161, 239, 240, 319]


def slow_attention(layer: beats.Layer, x: np.ndarray, table: np.ndarray, config: BeatsConfig) -> np.ndarray:
    """One sound (token width) through gated attention, a query and a head at a time."""
    w = {name: p.detach().numpy() for name, p in layer.attention.named_parameters()}
    q, k, v = (x @ w[f"{n}.weight"].T + w[f"{n}.bias"] for n in ("query", "key", "value"))
    channels = x.shape[1] // config.encoder_attention_heads
    heard = np.zeros_like(x)
    for head in range(config.encoder_attention_heads):
        part = slice(head * channels, (head + 1) * channels)
        for i in range(len(x)):
            u = w["gate.linear.weight"] @ q[i, part] + w["gate.linear.bias"]
            a, b = 1 / (1 + np.exp(-u[:4].sum())), 1 / (1 + np.exp(-u[4:].sum()))
            gate = a * (b * w["gate.scale"][0, head, 0, 0] - 1) + 2
            buckets = [slow_bucket(j - i, config.num_buckets, config.max_distance) for j in range(len(x))]
            scores = k[:, part] @ q[i, part] / math.sqrt(channels) + gate * table[buckets, head]
            weights = np.exp(scores - scores.max())
            heard[i, part] = weights / weights.sum() @ v[:, part]
    return heard @ w["out.weight"].T + w["out.bias"]


def slow_norm(norm: torch.nn.LayerNorm, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    return scaled * norm.weight.detach().numpy() + norm.bias.detach().numpy()


def slow_feed(layer: beats.Layer, x: np.ndarray, activation: str) -> np.ndarray:
    w = {name: p.detach().numpy() for name, p in layer.named_parameters()}
    inner = "expand.linear" if activation == "glu" else "expand"
    hidden = x @ w[f"{inner}.weight"].T + w[f"{inner}.bias"]
    if activation == "glu":
        value, gate = np.split(hidden, 2, axis=1)
        hidden = value * gate / (1 + np.exp(-gate))
    if activation == "relu":
        hidden = np.maximum(hidden, 0)
    if activation == "gelu":
        hidden = hidden * 0.5 * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2)))
    return hidden @ w["contract.weight"].T + w["contract.bias"]


LAYERS = {
    "deep norm": {},
    "norm after, alpha 1": {"deep_norm": False},
    "norm first": {"deep_norm": False, "layer_norm_first": True},
    "relu": {"activation_fn": "relu"},
    "glu": {"activation_fn": "glu"},
}


@pytest.mark.parametrize("changes", LAYERS.values(), ids=LAYERS)
def test_layer(changes, rng):
    config = replace(FEW, **changes)
    network = shaken(config).double()
    layer, table = network.layers[1], network.relative.weight.detach().numpy()
    x = rng.normal(size=(30, 32))
    ours = layer(torch.from_numpy(x)[None], network._relative_bias(30), None)[0].detach()

    if config.layer_norm_first:
        middle = x + slow_attention(layer, slow_norm(layer.attention_norm, x), table, config)
        slow = middle + slow_feed(layer, slow_norm(layer.expand_norm, middle), config.activation_fn)
    else:
        alpha = 4**0.25 if config.deep_norm else 1  # 2 layers
        middle = slow_norm(layer.attention_norm, alpha * x + slow_attention(layer, x, table, config))
        slow = slow_norm(layer.expand_norm, alpha * middle + slow_feed(layer, middle, config.activation_fn))
    np.testing.assert_allclose(ours, slow, atol=1e-9)


def test_convolution_over_positions():
    """Token n hears tokens n - 64 .. n + 63: the last of the 129 steps of an even kernel is dropped."""
    network = shaken(replace(FEW, encoder_layers=1)).double()
    x = torch.zeros(1, 200, 32, dtype=torch.float64)
    x[0, 100] = 1
    heard = (network.position(x.mT)[..., :200].mT - network.position.bias).abs().sum(dim=-1)[0]
    assert heard.nonzero().flatten().tolist() == list(range(37, 165))


# --- every option has an effect


OPTIONS = {
    "norm first": {"deep_norm": False, "layer_norm_first": True},
    "no deep norm": {"deep_norm": False},
    "no gate": {"gru_rel_pos": False},
    "no relative positions": {"relative_position_embedding": False},
    "nearer": {"max_distance": 20},
    "buckets": {"num_buckets": 32},
    "relu": {"activation_fn": "relu"},
    "glu": {"activation_fn": "glu"},
    "bias of patches": {"conv_bias": True},
    "no widening": {"embed_dim": 32},
    "odd kernel": {"conv_pos": 95},
    "groups": {"conv_pos_groups": 8},
    "patches": {"input_patch_size": 8},
}


@pytest.mark.parametrize("changes", OPTIONS.values(), ids=OPTIONS)
def test_options(changes, sound, tmp_path):
    """Each configuration builds, hears otherwise than the usual one, and is what its published file says."""
    network, usual = shaken(replace(FEW, **changes)), shaken(FEW)
    tokens, otherwise = network(sound).detach(), usual(sound).detach()
    assert tokens.isfinite().all()
    assert tokens.shape != otherwise.shape or (tokens - otherwise).abs().max() > 1e-3
    torch.save(as_published(network), tmp_path / "published.pt")
    torch.testing.assert_close(beats.load(tmp_path / "published.pt")(sound), tokens, atol=1e-5, rtol=0)


def test_nothing_is_random_in_training(tiny, sound):
    assert torch.equal(tiny.train()(sound), tiny.eval()(sound))


# --- invariances


def test_order_of_rows(tiny, sound):
    torch.testing.assert_close(tiny(sound.flip(0)), tiny(sound).flip(0), atol=1e-5, rtol=0)


def test_callers_tensors_are_left_alone(tiny, sound):
    mask = ended(16_000, [16_000, 9000, 4000])
    before = sound.clone(), mask.clone()
    tiny(sound, mask)
    assert torch.equal(sound, before[0])
    assert torch.equal(mask, before[1])


def test_silence():
    torch.manual_seed(1)
    network = Beats(FEW)
    quiet = torch.zeros(2, 4000, requires_grad=True)
    network(quiet).square().sum().backward()
    assert network(quiet).isfinite().all()
    assert quiet.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_gradient(rng):
    """Of all weights together, against a small step along it (float64)."""
    network = shaken(FEW).double()
    sound, goal = torch.from_numpy(rng.normal(size=(2, 5360))) * 0.1, torch.from_numpy(rng.normal(size=(2, 16, 32)))
    mask = ended(5360, [5360, 3000])
    (network(sound, mask) * goal).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())
    step = 1e-6 / math.sqrt(sum(float(p.grad.square().sum()) for p in network.parameters()))
    values = []
    with torch.no_grad():
        for sign in (1, -2):
            for p in network.parameters():
                p += sign * step * p.grad
            values.append(float((network(sound, mask) * goal).sum()))
    expected = 2 * step * sum(float(p.grad.square().sum()) for p in network.parameters())
    assert values[0] - values[1] == pytest.approx(expected, rel=1e-5)


def test_trains_after_inference_mode(sound):
    beats._bucket_table.cache_clear()
    network = Beats(FEW)
    with torch.inference_mode():
        network(sound)
    network(sound).sum().backward()
    assert network.relative.weight.grad.isfinite().all()


def test_bfloat16(tiny, sound):
    """The root mean square of the difference is 1 % of that of the tokens."""
    exact, rough = tiny(sound).detach(), beats.load(TINY, dtype=torch.bfloat16)(sound).detach()
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).square().mean().sqrt() < 0.02 * exact.square().mean().sqrt()


def test_too_short(tiny):
    assert tiny(torch.zeros(1, 2800)).shape == (1, 8, 48)
    with pytest.raises(SceneError, match="has 2799 samples, BEATs needs 2800"):
        tiny(torch.zeros(1, 2799))
    with pytest.raises(SceneError, match="has 300 samples, BEATs needs 2800"):
        tiny.pooled(torch.zeros(1, 300), torch.zeros(1, 300, dtype=torch.bool))


# --- padding


def ended(length: int, ends: list[int]):
    return torch.arange(length) >= torch.tensor(ends)[:, None]


def slow_token_padding(mask: np.ndarray, frames: int, tokens: int) -> list[bool]:
    """Equal pieces of samples for frames, equal pieces of frames for tokens, remainders dropped."""
    size = len(mask) // frames
    of_frames = [all(mask[f * size : (f + 1) * size]) for f in range(frames)]
    size = frames // tokens
    return [all(of_frames[n * size : (n + 1) * size]) for n in range(tokens)]


@pytest.mark.parametrize(("length", "frames", "tokens"), [(16_000, 98, 48), (5360, 32, 16), (5200, 31, 8)])
def test_token_padding(tiny, length, frames, tokens):
    mask = ended(length, [length, length - 1, length * 2 // 3, length // 2, 400])
    slow = [slow_token_padding(row, frames, tokens) for row in mask.numpy()]
    assert tiny.token_padding(mask).tolist() == slow


def test_no_padding_is_no_mask(tiny, sound):
    mask = torch.zeros(3, 16_000, dtype=torch.bool)
    torch.testing.assert_close(tiny(sound, mask), tiny(sound), atol=1e-5, rtol=0)
    torch.testing.assert_close(tiny.pooled(sound, mask), tiny.pooled(sound), atol=1e-5, rtol=0)


def test_a_full_row_beside_a_padded_one(tiny, sound):
    together = tiny(sound, ended(16_000, [16_000, 7000, 3000]))
    torch.testing.assert_close(together[:1], tiny(sound[:1]), atol=1e-5, rtol=0)


def test_a_padded_row_alone(tiny, sound):
    """Same tokens as the short sound alone, where the mask ends with a row of patches (2 rows of 167 x 16 samples, of which
    the first hears 2800). Elsewhere published masks follow the tokens' order and split the last row of patches."""
    tokens = tiny(sound[:, :5360], ended(5360, [5360, 2672, 2672]))
    torch.testing.assert_close(tokens[1:, :8], tiny(sound[1:, :2800]), atol=1e-5, rtol=0)
    split = tiny.token_padding(ended(5360, [2800]))
    assert split[0].tolist() == [False] * 9 + [True] * 7


def test_what_padding_holds_does_not_matter(tiny, sound):
    mask = ended(16_000, [16_000, 8000, 8000])
    louder = torch.where(ended(16_000, [16_000, 12_000, 12_000]), 3 * sound, sound)
    tokens, others = tiny(sound, mask), tiny(louder, mask)
    is_sound = ~tiny.token_padding(mask)
    torch.testing.assert_close(tokens[is_sound], others[is_sound], atol=1e-5, rtol=0)
    torch.testing.assert_close(tiny.pooled(sound, mask), tiny.pooled(louder, mask), atol=1e-5, rtol=0)


@pytest.mark.parametrize("relative", [True, False])
def test_padding_is_not_looked_at(relative, sound):
    network = shaken(replace(FEW, relative_position_embedding=relative))
    mask = ended(16_000, [16_000, 8000, 8000])
    is_padding = network.token_padding(mask)
    x = torch.randn(3, 48, 32, generator=torch.Generator().manual_seed(0))
    bias = network._relative_bias(48)
    heard = network.layers[0].attention(x, bias, is_padding)
    other = network.layers[0].attention(x.masked_fill(is_padding[..., None], 9.0), bias, is_padding)
    torch.testing.assert_close(heard[~is_padding], other[~is_padding])


def test_pooled_is_the_mean_of_what_is_sound(tiny, sound):
    mask = ended(16_000, [16_000, 8000, 5000])
    tokens, is_padding = tiny(sound, mask), tiny.token_padding(mask)
    slow = torch.stack([row[~padding].mean(dim=0) for row, padding in zip(tokens, is_padding, strict=True)])
    torch.testing.assert_close(tiny.pooled(sound, mask), slow, atol=1e-5, rtol=0)


def test_only_padding(tiny, sound):
    with pytest.raises(SceneError, match="row 1 of the batch is padding only"):
        tiny(sound[:2], ended(16_000, [9000, 0]))


# --- files


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
    assert tiny.labels == ()


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


# --- Hugging Face


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
