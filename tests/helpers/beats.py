"""A small BEATs, as we write it and as it was published."""

from dataclasses import asdict

import torch

from helpers import DATA
from soundfix.networks.encoders import beats_files
from soundfix.networks.encoders.beats import Beats
from soundfix.networks.encoders.beats_files import BeatsConfig

TINY = DATA / "beats_tiny.pt"
FEW = BeatsConfig(
    embed_dim=24,
    encoder_layers=2,
    encoder_embed_dim=32,
    encoder_ffn_embed_dim=48,
    encoder_attention_heads=2,
    num_buckets=16,
    max_distance=40,
)


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


def ended(length: int, ends: list[int]):
    return torch.arange(length) >= torch.tensor(ends)[:, None]
