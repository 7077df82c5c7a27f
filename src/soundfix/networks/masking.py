"""Which tokens the masked autoencoder must do without: boolean masks (true: hidden) and the embeddings that stand in.

Two kinds of tokens are hidden in training (arXiv 2505.20961; the rates are ours): the sound of a microphone, and the
position of a microphone. A hidden position is an unknown one, everywhere in the network: there is no second way in.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

MOST_POSITIONS = 4  # of a scene are hidden, as in the paper's Table 3
FEWEST_SHOWN = 4  # positions that stay: fewer determine nothing


class TokenMask(NamedTuple):
    """true: hidden from the network."""

    audio: Bool[Tensor, "batch mic"]
    position: Bool[Tensor, "batch mic"]


def hide_nothing(like: Bool[Tensor, "batch mic"]) -> TokenMask:
    """The mask for inference."""
    return TokenMask(torch.zeros_like(like), torch.zeros_like(like))


def draw_mask(
    is_heard: Bool[Tensor, "batch mic"],
    is_known: Bool[Tensor, "batch mic"],
    *,
    audio_share: float,
    generator: torch.Generator,
    most_positions: int = MOST_POSITIONS,
) -> TokenMask:
    """Hide each heard microphone's sound with probability audio_share, and 0 to most_positions of their known positions.

    FEWEST_SHOWN of these always stay.
    """
    draw = torch.rand(2, *is_heard.shape, generator=generator, device=generator.device).to(is_heard.device)
    wanted = torch.randint(0, most_positions + 1, (len(is_known), 1), generator=generator, device=generator.device)
    usable = is_known & is_heard
    most = (usable.sum(dim=1, keepdim=True) - FEWEST_SHOWN).clamp_min(0)
    rank = draw[0].masked_fill(~usable, 2.0).argsort(dim=1).argsort(dim=1)
    return TokenMask((draw[1] < audio_share) & is_heard, (rank < wanted.to(most).minimum(most)) & usable)


class MaskEmbedding(nn.Module):
    """One learned token that takes the place of those that are hidden."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token = nn.Parameter(0.02 * torch.randn(width))

    def forward(
        self, tokens: Float[Tensor, "batch token width"], is_hidden: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "batch token width"]:
        """The tokens, with the learned one where is_hidden."""
        return torch.where(is_hidden[..., None], self.token, tokens)
