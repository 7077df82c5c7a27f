"""GNN: a relation network over pairs of microphones that answers with a grid (Grinstein et al., arXiv 2306.16081).

    each pair (i, j): correlation or its projection on the grid, r_i, r_j, room size - F - mean over pairs - G - grid

F and G are MLPs of 3 layers of 625. The likelihood of a cell is to be exp(-|cell - source|), in metres; the loss is L1.
features "gcc" gives F the correlation of the pair; "slf", the better one in the paper, its spatial likelihood function:
at every cell the highest GCC-PHAT within `thickness_lags` of the delay that a source in the cell would have.

Departures: the published grid has 25 x 25 cells in a plane; ours has 10 x 10 x 7 = 700 in the box of the room. Both
orders of a pair go through F, so that the order of microphones does not matter, and the mean instead of the sum is
taken over pairs, so that their number does not. A pair takes part if both microphones are heard and known. The
published answer is the best cell; a cell of ours is 0.7 m wide, so we take the place whose own target grid fits the
answer best (read_out). One source: with several, the first that is there is learned. We know of no published number
of weights: the published sizes give 2.35 M, ours are 2.40 M (gcc) and 2.45 M (slf).
Axes: B batch, M microphones, P pairs, L lags, C cells.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import ConfigDict
from torch import Tensor, nn
from torch.nn import functional

from soundfix.networks.correlations import HeadConfig
from soundfix.networks.model import ROOM_SCALE_M, Windows, all_pairs, both_ways
from soundfix.networks.pair_likelihoods import delays, look_up
from soundfix.networks.rivals.interface import (
    COORDINATES,
    DecodedPlaces,
    Truths,
    first_source,
    mean_over_windows,
    prepared,
    without_hidden_positions,
)
from soundfix.physics import NOMINAL_SPEED_M_S
from soundfix.resample import SAMPLE_RATE
from soundfix.signal import gcc

LOUD_SIGMAS = 10.0  # a correlation this many standard deviations above noise is 1 for F
STEPS = 10  # of Gauss-Newton in read_out
LOWEST_GAIN = 0.1  # a grid without a peak has no gain, and must not turn the steps round
DAMPING = 1e-4  # what the grid says nothing of (height in a room of none) stays as it was
NO_DISTANCE_M = 1e-6  # at a cell's middle the distance to it has no slope


@dataclass(frozen=True, kw_only=True)
class GnnConfig:
    """width: of F and G, 625 as published. cells: of the grid along x, y, z. reach_lags: samples either side.

    thickness_lags: published 10, on a finer grid.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    features: Literal["gcc", "slf"] = "slf"
    width: int = 625
    cells: tuple[int, int, int] = (10, 10, 7)
    reach_lags: int = 314
    thickness_lags: int = 20


class Gnn(nn.Module):
    """The network of one configuration, randomly initialised. error_m: standard error of an answer along an axis."""

    middles: Tensor
    error_m: Tensor

    def __init__(self, config: GnnConfig) -> None:
        super().__init__()
        c = config
        self.config = config
        cells = math.prod(c.cells)
        heard = cells if c.features == "slf" else 2 * c.reach_lags + 1
        self.relation = nn.Sequential(three_layers(heard + 3 * COORDINATES, c.width, c.width), nn.ReLU())
        self.fusion = three_layers(c.width, c.width, cells)
        self.register_buffer("middles", cell_middles(c.cells), persistent=False)
        self.register_buffer("error_m", torch.tensor(ROOM_SCALE_M))

    def forward(
        self, windows: Windows, box_m: Float[Tensor, "batch 2 3"], *, speed_m_s: Float[Tensor, "batch"] | None = None
    ) -> DecodedPlaces:
        """One source a window."""
        likelihood = self.likelihood(windows, box_m, speed_m_s=speed_m_s)
        return DecodedPlaces(sources_m=read_out(likelihood, self.cells_m(box_m), box_m)[:, None])

    def loss_terms(
        self,
        windows: Windows,
        box_m: Float[Tensor, "batch 2 3"],
        truth: Truths,
        *,
        speed_m_s: Float[Tensor, "batch"] | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """L1 between likelihood and target, a cell."""
        source_m, has_one = first_source(truth)
        likelihood = self.likelihood(without_hidden_positions(windows, truth), box_m, speed_m_s=speed_m_s)
        errors = (likelihood - target(source_m, self.cells_m(box_m))).abs().mean(dim=-1)
        return {"likelihood": mean_over_windows(errors, has_one)}

    def likelihood(
        self, windows: Windows, box_m: Float[Tensor, "batch 2 3"], *, speed_m_s: Float[Tensor, "batch"] | None = None
    ) -> Float[Tensor, "batch cell"]:
        """What the network says of every cell."""
        given = prepared(windows)
        pairs = all_pairs(given.audio)
        directed = torch.cat([pairs, pairs.flip(1)])
        ends_m = given.positions_m[:, directed].flatten(2)
        sides_m = box_m.diff(dim=1).expand(-1, len(directed), -1)
        heard = self.features(given, box_m, speed_m_s)
        said = self.relation(torch.cat([heard, ends_m / ROOM_SCALE_M, sides_m / ROOM_SCALE_M], dim=-1))
        return self.fusion(_mean(said, given.is_known[:, directed].all(dim=-1)))

    def features(
        self, given: Windows, box_m: Float[Tensor, "batch 2 3"], speed_m_s: Float[Tensor, "batch"] | None
    ) -> Float[Tensor, "batch directed feature"]:
        """What F hears of every pair (i, j), then of every (j, i): the curve turned round, the same projection."""
        pairs = all_pairs(given.audio)
        curves = phat(given.audio, pairs, reach_lags=self.config.reach_lags)
        if self.config.features == "gcc":
            return both_ways(curves)
        if speed_m_s is None:
            speed_m_s = torch.full_like(box_m[:, 0, 0], NOMINAL_SPEED_M_S)
        lags = SAMPLE_RATE * delays(self.cells_m(box_m), given.positions_m, pairs, speed_m_s)
        return spatial_likelihood(curves, lags, thickness_lags=self.config.thickness_lags).repeat(1, 2, 1)

    def cells_m(self, box_m: Float[Tensor, "batch 2 3"]) -> Float[Tensor, "batch cell 3"]:
        """The middle of every cell."""
        return box_m[:, :1] + self.middles.to(box_m) * box_m.diff(dim=1)


def phat(audio: Float[Tensor, "batch mic time"], pairs: Tensor, *, reach_lags: int) -> Float[Tensor, "batch pair lag"]:
    """GCC-PHAT of faded windows, in units of LOUD_SIGMAS of what noise gives."""
    samples = audio.shape[-1]
    faded = gcc.faded(audio, SAMPLE_RATE)
    spectra = gcc.whitened_spectra(
        faded, sample_rate=SAMPLE_RATE, pad=reach_lags, band_hz=HeadConfig.band_hz, whitening=1.0
    )
    length = 2 * (spectra.shape[-1] - 1)
    bins = int(gcc.band_mask(length, sample_rate=SAMPLE_RATE, band_hz=HeadConfig.band_hz).sum())
    sigma = gcc.noise_level(bins * samples / length)
    return gcc.correlate(spectra, pairs, max_lag=reach_lags, bins=bins) / (LOUD_SIGMAS * sigma)


def spatial_likelihood(
    curves: Float[Tensor, "batch pair lag"], lags: Float[Tensor, "batch pair cell"], *, thickness_lags: int
) -> Float[Tensor, "batch pair cell"]:
    """The highest of each curve within thickness_lags of these (fractional) lags; constant past its ends."""
    thick = functional.max_pool1d(curves, 2 * thickness_lags + 1, stride=1, padding=thickness_lags)
    return look_up(thick, lags)


def target(source_m: Float[Tensor, "batch 3"], cells_m: Float[Tensor, "batch cell 3"]) -> Float[Tensor, "batch cell"]:
    """exp(-distance in metres): 1 where the source is."""
    return torch.exp(-(cells_m - source_m[:, None]).norm(dim=-1))


def read_out(
    likelihood: Float[Tensor, "batch cell"],
    cells_m: Float[Tensor, "batch cell 3"],
    box_m: Float[Tensor, "batch 2 3"],
) -> Float[Tensor, "batch 3"]:
    """The place near the best cell whose target is most like the likelihood, by Gauss-Newton.

    The likelihood may be a target with a lower peak and a floor (what L1 makes of doubt), hence gain and floor are
    found with the place: likelihood = gain fit + floor + gain slope . step. (In a corner of the room, where only a
    gain of 1 tells how far out the source is, the damping draws it there.) Cells count as their target does, so that
    far ones, which say little, cannot draw the place away.
    """
    likelihood = likelihood.to(torch.promote_types(likelihood.dtype, torch.float32))
    place = cells_m.take_along_dim(likelihood.argmax(dim=1)[:, None, None], dim=1)
    gain = torch.ones_like(place[..., :1])
    with gcc.exact(likelihood):
        for _ in range(STEPS):
            offset = place - cells_m
            distance = (offset.square().sum(dim=-1, keepdim=True) + NO_DISTANCE_M**2).sqrt()
            fit = torch.exp(-distance)
            columns = torch.cat([-gain * fit * offset / distance, fit, torch.ones_like(fit)], dim=-1)
            weighted = (fit * columns).transpose(1, 2)
            normal = weighted @ columns + DAMPING * torch.eye(columns.shape[-1]).to(fit)
            found = torch.linalg.solve(normal, weighted @ (likelihood[..., None] - fit)).transpose(1, 2)
            place = (place + found[..., :COORDINATES]).clamp(box_m[:, :1], box_m[:, 1:])
            gain = (1 + found[..., COORDINATES : COORDINATES + 1]).clamp_min(LOWEST_GAIN)
    return place[:, 0]


def cell_middles(cells: tuple[int, int, int]) -> Float[Tensor, "cell 3"]:
    """Of a box from (0, 0, 0) to (1, 1, 1)."""
    return torch.cartesian_prod(*((torch.arange(count) + 0.5) / count for count in cells))


def three_layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """The published MLP."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


def _mean(said: Float[Tensor, "batch directed width"], counts: Bool[Tensor, "batch directed"]) -> Tensor:
    """Over the pairs that count; 0 where none does."""
    return (said * counts[..., None]).sum(dim=1) / counts.sum(dim=1, keepdim=True).clamp_min(1)
