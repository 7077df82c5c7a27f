"""BEATs: what a sound is, as a sequence of tokens (arXiv 2212.09058). Every published configuration.

    sound --- log-mel --- 16 x 16 patches --- norm, widen --- + convolution over positions --- layers --- tokens

Tokens run in time, and from low to high mel bins within each 160 ms. Attention adds to its scores a bias for every
relative position, one table for all layers, scaled by a gate that the query opens (WavLM, arXiv 2110.13900). With
layer_norm_first norms stand before the sublayers and after the last; otherwise x = norm(alpha x + f(x)), where
alpha = (2 layers)^(1/4) under DeepNorm (arXiv 2203.00555), else 1.

Where we depart from the published code: there is no dropout and no layer is dropped, since we use BEATs frozen or train
a small one briefly; the convolution holds one weight instead of direction and length (beats_files.py); scores are not
divided by 32 and multiplied again, which changed nothing. Log-mel spectra stay float32 when the network is bfloat16.

Axes: B batch, T samples, N tokens, D width, H heads, C channels of a head.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from soundfix.errors import CheckpointError, SceneError
from soundfix.gate import gate
from soundfix.networks.encoders import beats_files
from soundfix.networks.encoders.beats_files import BeatsConfig
from soundfix.networks.fitting import built
from soundfix.signal import fbank

Sound = Float[Tensor, "batch time"]
Spectrum = Float[Tensor, "batch frame mel"]
Ended = Bool[Tensor, "batch time"]
Tokens = Float[Tensor, "batch token width"]
Padding = Bool[Tensor, "batch token"]
Bias = Float[Tensor, "head token token"]
Queries = Float[Tensor, "batch head token channel"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "relu": functional.relu,
    "glu": nn.Identity(),  # GatedLinear has done it
}
INITIAL_DEVIATION = 0.02  # of weights before training, as in BERT

SMALL = BeatsConfig(
    embed_dim=128,
    encoder_layers=4,
    encoder_embed_dim=192,
    encoder_ffn_embed_dim=768,
    encoder_attention_heads=4,
    conv_pos=32,
)  # 1,914,416 weights: the encoder soundfix ships; 32 tokens are 0.64 s, and quicker than 128


class Beats(nn.Module):
    """Sound at 16 kHz in [-1, 1] -> tokens. labels: a name per class of a fine-tuned network, if its file has them."""

    def __init__(self, config: BeatsConfig, *, labels: tuple[str, ...] = ()) -> None:
        super().__init__()
        c, width = config, config.encoder_embed_dim
        self.config, self.labels = config, labels
        self.patches = nn.Conv2d(1, c.embed_dim, c.input_patch_size, stride=c.input_patch_size, bias=c.conv_bias)
        self.patch_norm = nn.LayerNorm(c.embed_dim)
        self.widen = nn.Identity() if c.embed_dim == width else nn.Linear(c.embed_dim, width)
        self.position = nn.Conv1d(width, width, c.conv_pos, padding=c.conv_pos // 2, groups=c.conv_pos_groups)
        self.norm = nn.LayerNorm(width)
        has_bias = c.relative_position_embedding
        self.relative = nn.Embedding(c.num_buckets, c.encoder_attention_heads) if has_bias else None
        self.layers = nn.ModuleList([Layer(c) for _ in range(c.encoder_layers)])
        self.predictor = nn.Linear(width, c.predictor_class) if c.finetuned_model else None
        _initialize(self)

    def forward(self, waveform: Sound, padding_mask: Ended | None = None) -> Tokens:
        """Tokens of every sound. padding_mask: True where a sound has ended; tokens there are given, and mean nothing."""
        spectrum = self._spectrum(waveform)
        is_padding = None if padding_mask is None else self.token_padding(padding_mask)
        return self.tokens(spectrum, is_padding).to(waveform.dtype)

    def tokens(self, spectrum: Spectrum, is_padding: Padding | None = None) -> Tokens:
        """The same of normalized log-mel spectra."""
        patches = self.patches(spectrum.to(self.patches.weight.dtype)[:, None])
        x = self.widen(self.patch_norm(patches.flatten(2).mT))
        x = x if is_padding is None else x.masked_fill(is_padding[..., None], 0)
        x = x + functional.gelu(self.position(x.mT)[..., : x.shape[1]]).mT
        x = x if self.config.layer_norm_first else self.norm(x)
        bias = self._relative_bias(x.shape[1])
        for layer in self.layers:
            x = layer(x, bias, is_padding)
        return self.norm(x) if self.config.layer_norm_first else x

    def pooled(self, waveform: Sound, padding_mask: Ended | None = None) -> Float[Tensor, "batch width"]:
        """The mean token of every sound, padding left out."""
        tokens = self(waveform, padding_mask)
        if padding_mask is None:
            return tokens.mean(dim=1)
        is_sound = ~self.token_padding(padding_mask)[..., None]
        return tokens.where(is_sound, 0).sum(dim=1) / is_sound.sum(dim=1)

    def token_padding(self, padding_mask: Ended) -> Bool[Tensor, "batch token"]:
        """Tokens that count as padding, as published: samples are cut into as many equal pieces as there are frames,
        those into as many as there are tokens, and a piece is padding where all of it is.

        Time runs through the 8 tokens of a row one by one here, although all 8 hear the same 160 ms: in the row where
        a sound ends, low bins count as sound and high ones as padding. We keep that: the weights were trained with it.
        """
        frames, side = fbank.frame_count(padding_mask.shape[1]), self.config.input_patch_size
        is_padding = _pieces(_pieces(padding_mask, frames), frames // side * (fbank.MELS // side))
        empty = is_padding.all(dim=1).nonzero().flatten().tolist()
        if empty:
            raise SceneError(f"row {empty[0]} of the batch is padding only, wanted sound: is True in the mask sound?")
        return is_padding

    def _spectrum(self, waveform: Sound) -> Spectrum:
        """The normalized log-mel spectrum, one row of patches or more."""
        side = self.config.input_patch_size
        shortest = fbank.FRAME + (side - 1) * fbank.HOP
        if waveform.shape[1] < shortest:
            raise SceneError(
                f"the sound has {waveform.shape[1]} samples, BEATs needs {shortest} (one row of patches, {side} frames "
                "at 16 kHz): was it cut too short, or is its sample rate lower?"
            )
        return fbank.normalized_log_mel(waveform)

    def _relative_bias(self, tokens: int) -> Bias | None:
        """What the table adds to the scores of a query (rows) and a key (columns)."""
        if self.relative is None:
            return None
        c, device = self.config, self.relative.weight.device
        table = _buckets if torch.compiler.is_exporting() else _bucket_table
        return self.relative(table(tokens, c.num_buckets, c.max_distance, device)).permute(2, 0, 1)


class Layer(nn.Module):
    """Attention, then two linear layers, each added to what came in."""

    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        width, hidden = config.encoder_embed_dim, config.encoder_ffn_embed_dim
        self.is_norm_first = config.layer_norm_first
        self.alpha = (2 * config.encoder_layers) ** 0.25 if config.deep_norm else 1.0
        self.activation = ACTIVATIONS[config.activation_fn]
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(width)
        self.expand = GatedLinear(width, hidden) if config.activation_fn == "glu" else nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.expand_norm = nn.LayerNorm(width)

    def forward(self, x: Tokens, bias: Bias | None, is_padding: Padding | None) -> Tokens:
        if self.is_norm_first:
            x = x + self.attention(self.attention_norm(x), bias, is_padding)
            return x + self._feed(self.expand_norm(x))
        x = self.attention_norm(self.alpha * x + self.attention(x, bias, is_padding))
        return self.expand_norm(self.alpha * x + self._feed(x))

    def _feed(self, x: Tokens) -> Tokens:
        return self.contract(self.activation(self.expand(x)))


class GatedLinear(nn.Module):
    """Activation 'glu': one half of a linear layer, times the other half through SiLU."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 2 * hidden)

    def forward(self, x: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch hidden"]:
        value, gate = self.linear(x).chunk(2, dim=-1)
        return value * functional.silu(gate)


class Attention(nn.Module):
    """Self-attention; with gru_rel_pos every query scales the bias of relative positions for itself."""

    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        width, self.heads = config.encoder_embed_dim, config.encoder_attention_heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.gate = Gate(self.heads, width // self.heads) if config.gru_rel_pos else None

    def forward(self, x: Tokens, bias: Bias | None, is_padding: Padding | None) -> Tokens:
        query, key, value = (
            linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for linear in (self.query, self.key, self.value)
        )
        mask = self._mask(query, bias, is_padding)
        heard = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out(heard.transpose(1, 2).flatten(2))

    def _mask(self, query: Queries, bias: Bias | None, is_padding: Padding | None) -> Tensor | None:
        """What is added to the scores; without a bias, which keys may be looked at."""
        if bias is None:
            return None if is_padding is None else ~is_padding[:, None, None]
        bias_BHNN = bias[None] if self.gate is None else self.gate(query) * bias
        return bias_BHNN if is_padding is None else bias_BHNN.masked_fill(is_padding[:, None, None], -torch.inf)


class Gate(nn.Module):
    """How much of the bias a query wants: a (b scale - 1) + 2, a and b in 0..1 from the query, a scale per head."""

    def __init__(self, heads: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, 8)
        self.scale = nn.Parameter(torch.ones(1, heads, 1, 1))

    def forward(self, query: Queries) -> Float[Tensor, "batch head token 1"]:
        a, b = self.linear(query).unflatten(-1, (2, 4)).sum(dim=-1).sigmoid().chunk(2, dim=-1)
        return a * (b * self.scale - 1) + 2


def _initialize(network: Beats) -> None:
    """As published: small normal weights; under DeepNorm Xavier's, scaled down where they feed the residual."""
    c = network.config
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=INITIAL_DEVIATION)
        if isinstance(module, nn.Linear):
            module.bias.data.zero_()
    nn.init.normal_(network.position.weight, std=math.sqrt(4 / (c.conv_pos * c.encoder_embed_dim)))
    nn.init.zeros_(network.position.get_parameter("bias"))
    for module in network.modules() if c.deep_norm else ():
        if isinstance(module, Layer):
            _initialize_deep(module, (8 * c.encoder_layers) ** -0.25)


def _initialize_deep(layer: Layer, gain: float) -> None:
    """Queries and keys only decide where to look, and keep a gain of 1."""
    attention = layer.attention
    expand = layer.expand.linear if isinstance(layer.expand, GatedLinear) else layer.expand
    for linear in (attention.query, attention.key):
        nn.init.xavier_normal_(linear.weight)
    for linear in (attention.value, attention.out, expand, layer.contract):
        nn.init.xavier_normal_(linear.weight, gain=gain)


def relative_buckets(offsets: Int[Tensor, "*batch"], *, num_buckets: int, max_distance: int) -> Int[Tensor, "*batch"]:
    """Bucket of key minus query position (T5, arXiv 1910.10683): one half for keys ahead, the other for the rest.

    Of a half, the first half is one bucket a token; the second grows as the logarithm of the distance, up to max_distance.
    Single precision and this order of operations decide where a distance falls between two buckets.
    """
    half, distance = num_buckets // 2, offsets.abs()
    exact = half // 2
    growth = torch.log(distance.clamp_min(exact).float() / exact) / math.log(max_distance / exact)
    far = (exact + (growth * (half - exact)).long()).clamp_max(half - 1)
    return torch.where(distance < exact, distance, far) + half * (offsets > 0)


@lru_cache(maxsize=16)
@torch.inference_mode(False)  # a table first asked for there could not be used in training later
def _bucket_table(tokens: int, num_buckets: int, max_distance: int, device: torch.device) -> Int[Tensor, "token token"]:
    return _buckets(tokens, num_buckets, max_distance, device)


def _buckets(tokens: int, num_buckets: int, max_distance: int, device: torch.device) -> Int[Tensor, "token token"]:
    place = torch.arange(tokens, device=device)
    return relative_buckets(place - place[:, None], num_buckets=num_buckets, max_distance=max_distance)


def _pieces(mask: Bool[Tensor, "batch fine"], count: int) -> Bool[Tensor, "batch coarse"]:
    """True where all of a piece is; the rest after `count` equal pieces is left out."""
    size = mask.shape[1] // count
    return mask[:, : count * size].unflatten(1, (count, size)).all(dim=-1)


def load(path: Path | str, *, dtype: torch.dtype = torch.float32) -> Beats:
    """BEATs from a published .pt, a converted .safetensors, or Hugging Face ('owner/name:file', 'hf://owner/name/file').

    dtype: bfloat16 moves tokens by 1 % of their size. It is quicker on processors that multiply it (AVX-512 BF16, AMX,
    GPUs); one with AVX2 alone took nine times as long as with float32.
    """
    return _network(beats_files.read(beats_files.located(path))).to(dtype).eval()


def convert(published: Path, safetensors: Path) -> None:
    """Write a published file as safetensors, once it is known to fit."""
    file = beats_files.read(published)
    _network(file)
    beats_files.write(file, safetensors)


@gate(CheckpointError, what="this file of BEATs")
def _network(file: beats_files.BeatsFile) -> Beats:
    """The network of this file, its tensors taken as they are instead of copied over random ones."""
    if file.labels and len(file.labels) != file.config.predictor_class:
        raise CheckpointError(f"{file.path} has {len(file.labels)} labels for {file.config.predictor_class} classes")
    with torch.device("meta"):
        network = built(file.path, lambda: Beats(file.config, labels=file.labels), file.tensors)
    network.load_state_dict(beats_files.own_tensors(file, network.state_dict()), assign=True)
    return network
