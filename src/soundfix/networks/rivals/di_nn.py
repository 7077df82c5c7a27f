"""DI-NN: spectra through convolutions and a GRU, then the geometry of the room (Grinstein et al., arXiv 2308.04169).

    sound - STFT, real and imaginary parts - 4 double convolutions - mean over frequency - GRU - mean over time -.
    microphones' coordinates, room size ------------------------------------------------- MLP ------------------+- MLP
                                                                                                             position

A double convolution is twice (2x2 kernels, BatchNorm, ReLU), then a mean over 2x2 of frequency and time. Kernels see
one place past each edge, so that windows of any length are long enough. The loss is the L1 distance (metres) to the
source.

The number of microphones is fixed (config.microphones): fewer are filled up with silent ones at the origin, which is
what a microphone that is not heard is too; one of unknown position is heard, and at the origin. The order of
microphones matters. One source: with several, the first that is there is learned.

Departures: the published network is told the room's reverberation time, which no method of ours knows at inference, and
finds places in a plane. The position is in units of half the room, from its middle, so that a room of no height (a
known one) gets its height right. Published: 3.6 M weights; ours 3.6 M.
Axes: B batch, M microphones, T samples, C channels, F bins, S frames.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import ConfigDict
from torch import Tensor, nn
from torch.nn import functional

from soundfix.errors import SceneError
from soundfix.networks.model import ROOM_SCALE_M, Windows
from soundfix.networks.rivals.interface import (
    COORDINATES,
    DecodedPlaces,
    Truths,
    first_source,
    mean_over_windows,
    prepared,
    without_hidden_positions,
)


@dataclass(frozen=True, kw_only=True)
class DiNnConfig:
    """Published sizes. fft, hop: samples of the STFT. embedding: width of the geometry's MLP.

    Hop and embedding are ours: 9 frames of a window of 2048 samples, and the published number of weights.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    microphones: int = 11
    fft: int = 1024
    hop: int = 256
    channels: tuple[int, ...] = (64, 128, 256, 512)
    recurrent_width: int = 256
    embedding: int = 64


class DiNn(nn.Module):
    """The network of one configuration, randomly initialised.

    slots_m: where the microphone of each channel stood in training. error_m: standard error of an answer along an axis.
    """

    fade: Tensor
    slots_m: Tensor
    error_m: Tensor

    def __init__(self, config: DiNnConfig) -> None:
        super().__init__()
        c = config
        self.config = config
        self.convolutions = nn.Sequential(
            *(double_convolution(inputs, outputs) for inputs, outputs in pairwise((2 * c.microphones, *c.channels)))
        )
        self.recurrent = nn.GRU(c.channels[-1], c.recurrent_width, batch_first=True, bidirectional=True)
        self.geometry = nn.Sequential(
            nn.Linear(COORDINATES * (c.microphones + 1), c.embedding),
            nn.ReLU(),
            nn.Linear(c.embedding, c.embedding),
        )
        joined = 2 * c.recurrent_width + c.embedding
        self.position = nn.Sequential(nn.Linear(joined, joined), nn.ReLU(), nn.Linear(joined, COORDINATES))
        self.register_buffer("fade", torch.hann_window(c.fft), persistent=False)
        self.register_buffer("slots_m", torch.zeros(c.microphones, COORDINATES))
        self.register_buffer("error_m", torch.tensor(ROOM_SCALE_M))

    def forward(
        self, windows: Windows, box_m: Float[Tensor, "batch 2 3"], *, speed_m_s: Float[Tensor, "batch"] | None = None
    ) -> DecodedPlaces:
        """One source a window. The speed of sound is not something this network can be told."""
        given = self._filled_up(prepared(windows))
        maps = self.convolutions(self.spectra(given.audio))
        over_time, _ = self.recurrent(maps.mean(dim=2).transpose(1, 2))
        sides_m = box_m[:, 1] - box_m[:, 0]
        geometry = self.geometry(torch.cat([given.positions_m.flatten(1), sides_m], dim=1) / ROOM_SCALE_M)
        place = self.position(torch.cat([over_time.mean(dim=1), geometry], dim=1))
        return DecodedPlaces(sources_m=(box_m.mean(dim=1) + place * sides_m / 2)[:, None])

    def loss_terms(
        self,
        windows: Windows,
        box_m: Float[Tensor, "batch 2 3"],
        truth: Truths,
        *,
        speed_m_s: Float[Tensor, "batch"] | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """The L1 distance (m) to the source."""
        source_m, has_one = first_source(truth)
        located = self(without_hidden_positions(windows, truth), box_m)
        errors_m = (located.sources_m[:, 0] - source_m).abs().sum(dim=-1)
        return {"sources": mean_over_windows(errors_m, has_one)}

    def spectra(self, audio: Float[Tensor, "batch mic time"]) -> Float[Tensor, "batch channel freq frame"]:
        """Real parts of all microphones, then imaginary parts; the mean, bin 0, is left out."""
        c = self.config
        bins = torch.stft(
            audio.flatten(0, 1),
            c.fft,
            hop_length=c.hop,
            window=self.fade.to(audio),
            pad_mode="constant",
            normalized=True,
            return_complex=True,
        ).unflatten(0, audio.shape[:2])[:, :, 1:]
        return torch.cat([bins.real, bins.imag], dim=1)

    def _filled_up(self, given: Windows) -> Windows:
        """The same windows with as many microphones as this network has channels."""
        missing = self.config.microphones - given.audio.shape[1]
        if missing < 0:
            raise SceneError(
                f"{given.audio.shape[1]} microphones, wanted at most {self.config.microphones}: "
                "was DI-NN, which has a fixed number, trained for another array?"
            )
        return Windows(
            audio=functional.pad(given.audio, (0, 0, 0, missing)),
            positions_m=functional.pad(given.positions_m, (0, 0, 0, missing)),
            is_known=functional.pad(given.is_known, (0, missing)),
            is_heard=functional.pad(given.is_heard, (0, missing)),
        )


def double_convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Two layers of 2x2 kernels, then half as many bins and frames."""
    layers = [
        layer
        for width in (inputs, outputs)
        for layer in (nn.Conv2d(width, outputs, 2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.AvgPool2d(2))
