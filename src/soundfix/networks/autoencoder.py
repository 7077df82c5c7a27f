"""The masked autoencoder of the joint stream: an encoder that sees some tokens, a decoder that gives all of them back.

Pre-norm transformer blocks (after He et al., 2022, and arXiv 2505.20961): hidden tokens are replaced by a learned one before
the encoder (masking.py), so encoder and decoder see every token's place. Tokens are a set: they carry their own identity,
no order is added, and masked-out keys (dead or padded microphones) are seen by nobody.
Axes: B batch, N tokens, D width.
"""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from soundfix.networks.attention import CrossAttention


class Block(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x))."""

    def __init__(self, width: int, heads: int, ratio: int) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = CrossAttention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width))

    def forward(
        self, tokens: Float[Tensor, "batch token width"], is_there: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "batch token width"]:
        """The tokens after one round of looking at each other."""
        normed = self.attention_norm(tokens)
        tokens = tokens + self.attention(normed, normed, key_mask=is_there).values
        return tokens + self.mlp(self.mlp_norm(tokens))


class Stack(nn.Module):
    """Several blocks and a last norm: the masked encoder, and the decoder."""

    def __init__(self, width: int, heads: int, *, blocks: int, ratio: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, ratio) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, tokens: Float[Tensor, "batch token width"], is_there: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "batch token width"]:
        """The tokens after all rounds."""
        for block in self.blocks:
            tokens = block(tokens, is_there)
        return self.norm(tokens)


class AudioInverseMapper(nn.Module):
    """Two layers from a decoded acoustic token back to what the microphone heard."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, outputs))

    def forward(self, tokens: Float[Tensor, "batch mic width"]) -> Float[Tensor, "batch mic output"]:
        """The reconstruction of every microphone's sound."""
        return self.layers(tokens)
