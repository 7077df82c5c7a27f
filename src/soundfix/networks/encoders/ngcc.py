"""NGCC-PHAT: learned filters before GCC-PHAT, a small convolutional head after it (Berg et al., arXiv 2208.04654).

    x --- backbone --- (C, T) --.
                                +-- GCC-PHAT per channel --- (C, L) --- head --- logits over lags
    y --- backbone --- (C, T) --'

backbone: C sinc band-pass filters, then three convolutions, all circular, BatchNorm after each, LeakyReLU after all but
the last. head: convolutions over lags, zeros outside. Both commute with shifts, so a sound that arrives one sample
later moves the peak by one lag, and any window of more than a few samples and any largest lag can be asked for.

A positive lag means that x hears the sound later than y (see physics.py). The logits are trained by cross-entropy with
the rounded delay. The published weights were trained on windows of 2048 samples at 16 kHz, lags -23..23, LibriSpeech in
simulated rooms, brought to a root mean square of 1 at microphone x before noise was added. BatchNorm and the floor of
1e-3 know that level, so bring sound to it (bench/ngcc_published.py --level measures what another one costs).

Parameters have the names of the published state dict (https://github.com/axeber01/ngcc, MIT licence), so it loads as it is.
Axes: B batch, M microphones, P pairs, C channels, T samples, F bins, L lags.
"""

import json
import math
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Complex, Float, Int
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import save as save_bytes
from torch import Tensor, nn
from torch.nn import functional

from soundfix.atomic import atomic_path
from soundfix.errors import CheckpointError, SceneError
from soundfix.gate import gate
from soundfix.networks.fitting import built, check_plain
from soundfix.networks.tensor_files import read_plain
from soundfix.resample import SAMPLE_RATE

AMPLITUDE = 40.0  # norm of the amplitudes of a pair
FLOOR = 1e-3  # added to |X conj(Y)| before dividing by it
SLOPE = 0.2  # of every LeakyReLU
BACKBONE_MOMENTUM = 0.05  # of its BatchNorm, as in SincNet; the head has PyTorch's 0.1
MIN_LOW_HZ, MIN_BAND_HZ = 50.0, 50.0  # added to the learned |low| and |band|
FIRST_LOW_HZ = 30.0  # lowest learned cut before training
PAIR_VALUES = 2**24  # numbers in an array of correlations: 64 MB, whatever the number of pairs
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class NgccConfig:
    """Sizes of the network; the defaults are the published ones (888,193 parameters).

    sample_rate in Hz; taps (odd) in samples of the sound for sinc and backbone, in lags for the head; max_lag in samples
    (23 is 0.5 m); dropout in the head.
    """

    sample_rate: float = SAMPLE_RATE
    channels: int = 128
    sinc_taps: int = 1023
    backbone_taps: tuple[int, ...] = (11, 9, 7)
    head_taps: tuple[int, ...] = (11, 9, 7)
    last_taps: int = 5
    max_lag: int = 23
    dropout: float = 0.5


class Ngcc(nn.Module):
    """Sound of two microphones -> logits over the lags between them."""

    def __init__(self, config: NgccConfig):
        super().__init__()
        self.config = config
        self.backbone = Backbone(config)
        self.mlp = nn.ModuleList([_head_layer(config, taps) for taps in config.head_taps])
        self.final_conv = nn.Conv1d(config.channels, 1, config.last_taps, padding="same")

    def forward(self, x: Float[Tensor, "batch 1 time"], y: Float[Tensor, "batch 1 time"]) -> Float[Tensor, "batch lag"]:
        """Logits at the lags -max_lag..max_lag of x against y, as published: not symmetric in x and y."""
        return self.head(self.correlate(self.backbone(x), self.backbone(y), max_lag=self.config.max_lag))

    @staticmethod
    def correlate(
        channels_x: Float[Tensor, "*batch time"], channels_y: Float[Tensor, "*batch time"], *, max_lag: int
    ) -> Float[Tensor, "*batch lag"]:
        """GCC-PHAT of every channel by itself, at the lags -max_lag..max_lag."""
        return _phat(_spectra(channels_x), _spectra(channels_y), max_lag)

    def head(self, correlation: Float[Tensor, "batch channel lag"]) -> Float[Tensor, "batch lag"]:
        """One logit a lag from the correlations of all channels. It sees 14 lags either side, zeros past the last."""
        for layer in self.mlp:
            correlation = layer(correlation)
        return self.final_conv(correlation).squeeze(1)

    def pairs(
        self,
        audio: Float[Tensor, "batch mic time"],
        pairs: Int[Tensor, "pair 2"],
        *,
        max_lag: int | None = None,
        is_symmetric: bool = True,
    ) -> Float[Tensor, "batch pair lag"]:
        """Logits of every pair, out to any largest lag below the window (None: that of the configuration).

        Every microphone goes through the backbone and the Fourier transform once. is_symmetric: mean of the logits of
        (i, j) and of (j, i) read backwards, so that the order of microphones does not matter. Pairs are correlated some at
        a time, so memory grows with the microphones; not in training, where all is kept for the gradient and
        BatchNorm should see every pair.
        """
        lag = self.config.max_lag if max_lag is None else max_lag
        spectra = _spectra(self.backbone(audio.flatten(0, 1)[:, None])).unflatten(0, audio.shape[:2])
        chunks = pairs.split(self._pairs_at_once(audio, len(pairs)))
        return torch.cat([self._logits(spectra, chunk, lag, is_symmetric) for chunk in chunks], dim=1)

    def _pairs_at_once(self, audio: Float[Tensor, "batch mic time"], count: int) -> int:
        values_a_pair = len(audio) * self.config.channels * 2 * audio.shape[-1]
        return max(1, count if self.training else PAIR_VALUES // values_a_pair)

    def _logits(
        self,
        spectra: Complex[Tensor, "batch mic channel freq"],
        pairs: Int[Tensor, "pair 2"],
        lag: int,
        is_symmetric: bool,
    ) -> Float[Tensor, "batch pair lag"]:
        """The spectrum of (j, i) is the conjugate of that of (i, j), hence its correlation the same read backwards."""
        ahead = _phat(spectra[:, pairs[:, 0]], spectra[:, pairs[:, 1]], lag)
        both = torch.stack([ahead, ahead.flip(-1)]) if is_symmetric else ahead[None]
        logits = self.head(both.flatten(0, 2)).unflatten(0, both.shape[:3])
        return (logits[0] + logits[1].flip(-1)) / 2 if is_symmetric else logits[0]


def lag_amplitudes(logits: Float[Tensor, "*batch lag"]) -> Float[Tensor, "*batch lag"]:
    """The root of each lag's probability, times 40: what networks that listen with NGCC-PHAT correlate.

    Logits lie some 3 below 0 over hundreds of lags and 8 above that at a peak: a linear layer would see their common level,
    and little else. Roots of probabilities have the same norm for every pair, nearly all of it at peaks.
    """
    return AMPLITUDE * logits.softmax(dim=-1).sqrt()


class Backbone(nn.Module):
    """Sound -> C filtered versions of it, as long as the sound and as late."""

    def __init__(self, config: NgccConfig):
        super().__init__()
        width = config.channels
        convolutions = [
            nn.Conv1d(width, width, taps, padding="same", padding_mode="circular") for taps in config.backbone_taps
        ]
        self.conv = nn.ModuleList([SincFilters(config), *convolutions])
        self.bn = nn.ModuleList([nn.BatchNorm1d(width, momentum=BACKBONE_MOMENTUM) for _ in self.conv])

    def forward(self, audio: Float[Tensor, "batch 1 time"]) -> Float[Tensor, "batch channel time"]:
        *hidden, (last_conv, last_bn) = zip(self.conv, self.bn, strict=True)
        for conv, bn in hidden:
            audio = functional.leaky_relu(bn(conv(audio)), SLOPE)
        return last_bn(last_conv(audio))


class SincFilters(nn.Module):
    """Band-pass filters that learn nothing but their lower cut and their width (SincNet, arXiv 1808.00158).

        h(t) = w(t) [sin(2 pi high t) - sin(2 pi low t)] / (2 pi t (high - low)),    h(0) = 1
        low = 50 Hz + |low_hz_|,    high = low + 50 Hz + |band_hz_|, at most half the sample rate

    Applied circularly, so that the sound keeps its length.
    """

    window: Tensor
    time_s: Tensor

    def __init__(self, config: NgccConfig):
        super().__init__()
        self.sample_rate, self.reach = config.sample_rate, config.sinc_taps // 2
        edges_hz = mel_edges(config.channels, sample_rate=config.sample_rate)
        self.low_hz_ = nn.Parameter(edges_hz[:-1, None].clone())
        self.band_hz_ = nn.Parameter(edges_hz.diff()[:, None])
        self.register_buffer("window", half_window(config.sinc_taps), persistent=False)
        self.register_buffer("time_s", torch.arange(-self.reach, 0) / config.sample_rate, persistent=False)

    def forward(self, audio: Float[Tensor, "batch 1 time"]) -> Float[Tensor, "batch channel time"]:
        length = audio.shape[-1]
        wrapped = torch.arange(-self.reach, length + self.reach, device=audio.device) % length
        return functional.conv1d(audio[..., wrapped], self.filters()[:, None])

    def filters(self) -> Float[Tensor, "channel tap"]:
        """h of every channel, from its left half."""
        low = MIN_LOW_HZ + self.low_hz_.abs()
        high = (low + MIN_BAND_HZ + self.band_hz_.abs()).clamp(MIN_LOW_HZ, self.sample_rate / 2)
        turn = 2 * math.pi * self.time_s
        left = ((high * turn).sin() - (low * turn).sin()) / (turn * (high - low)) * self.window
        return torch.cat([left, torch.ones_like(low), left.flip(1)], dim=1)


def mel_edges(count: int, *, sample_rate: float) -> Float[Tensor, "edge"]:
    """Edges (Hz) of `count` bands, equally spaced in mel, whose cuts start training between 80 Hz and half the rate."""
    top_hz = sample_rate / 2 - (MIN_LOW_HZ + MIN_BAND_HZ)
    first, last = (2595 * math.log10(1 + hz / 700) for hz in (FIRST_LOW_HZ, top_hz))
    return (700 * (10 ** (torch.linspace(first, last, count + 1, dtype=torch.float64) / 2595) - 1)).float()


def half_window(taps: int) -> Float[Tensor, "half"]:
    """Left half of the published Hamming window.

    Its taps // 2 points are spread over 0..taps / 2 - 1, a trace more than one apart, and the period is taps: the true
    window steps by one and has the period taps - 1. The weights were trained with it.
    """
    place = torch.linspace(0, taps / 2 - 1, taps // 2)
    return 0.54 - 0.46 * torch.cos(2 * math.pi * place / taps)


def _head_layer(config: NgccConfig, taps: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(config.channels, config.channels, taps, padding="same"),
        nn.BatchNorm1d(config.channels),
        nn.LeakyReLU(SLOPE),
        nn.Dropout(config.dropout),
    )


def _spectra(channels: Float[Tensor, "*batch time"]) -> Complex[Tensor, "*batch freq"]:
    """Padded to twice the length, so that no lag wraps round."""
    precise = channels.to(torch.promote_types(channels.dtype, torch.float32))  # no Fourier transform knows bfloat16
    return torch.fft.rfft(precise, n=2 * channels.shape[-1])


def _phat(
    x: Complex[Tensor, "*batch freq"], y: Complex[Tensor, "*batch freq"], max_lag: int
) -> Float[Tensor, "*batch lag"]:
    length = 2 * (x.shape[-1] - 1)
    if not 0 <= max_lag < length // 2:
        raise SceneError(
            f"lags up to {max_lag} samples of a window of {length // 2}, wanted at most {length // 2 - 1}: "
            "is the window too short for these distances?"
        )
    cross = x * y.conj()
    circular = torch.fft.irfft(cross / (cross.abs() + FLOOR), n=length)
    return torch.cat([circular[..., length - max_lag :], circular[..., : max_lag + 1]], dim=-1)


@gate(CheckpointError)
def load(path: Path | str, *, max_lag: int | None = None) -> Ngcc:
    """The network of this file (the published .pth or a .safetensors of ours), in eval mode, on the CPU.

    max_lag: samples, instead of that in the file. Raises CheckpointError on what is not its weights; never runs code.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file")
    with path.open("rb") as file:
        is_archive = file.read(4) == b"PK\x03\x04"
    config, tensors = _read_published(path) if is_archive else _read_ours(path)
    config = config if max_lag is None else replace(config, max_lag=max_lag)
    network = built(path, lambda: Ngcc(config), tensors)
    _check(path, tensors, network.state_dict())
    network.load_state_dict(tensors)
    return network.eval()


def save(network: Ngcc, path: Path | str) -> None:
    """Write weights and configuration as safetensors, whole or not at all."""
    metadata = {"ngcc": json.dumps(FORMAT), "config": TypeAdapter(NgccConfig).dump_json(network.config).decode()}
    with atomic_path(path) as part:
        part.write_bytes(save_bytes({name: t.contiguous() for name, t in network.state_dict().items()}, metadata))


def convert(published: Path | str, safetensors: Path | str) -> None:
    """The published .pth as a .safetensors of ours."""
    save(load(published), safetensors)


def _read_published(path: Path) -> tuple[NgccConfig, dict[str, Tensor]]:
    """The plain state dict of the published network (PyTorch's archive); its tensors were saved on a GPU."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path} holds pickled code, which is never run: wanted plain tensors") from error
    except (RuntimeError, EOFError) as error:
        raise CheckpointError(f"{path} is no whole PyTorch file ({error}): was the copy cut short?") from error
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise CheckpointError(f"{path} is no plain state dict of NGCC-PHAT: is it a checkpoint of another network?")
    check_plain(path, found)
    return NgccConfig(), found


def _read_ours(path: Path) -> tuple[NgccConfig, dict[str, Tensor]]:
    metadata, tensors = read_plain(path)
    if metadata.get("ngcc") != json.dumps(FORMAT):
        raise CheckpointError(
            f"{path} was not written by soundfix.networks.encoders.ngcc.save, or by a newer one: is it another network?"
        )
    try:
        return TypeAdapter(NgccConfig).validate_json(metadata["config"]), tensors
    except ValidationError as error:
        raise CheckpointError(f"{path}: its configuration cannot be built: {error.errors()[0]['msg']}") from error


def _check(path: Path, found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Refuse by name what does not fit."""
    for name in sorted(wanted.keys() - found.keys()):
        raise CheckpointError(f"{path} lacks {name}: is it a checkpoint of another network?")
    for name in sorted(found.keys() - wanted.keys()):
        raise CheckpointError(f"{path} holds {name}, which NGCC-PHAT has no place for: is it another network?")
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, wanted {tuple(wanted[name].shape)}"
            raise CheckpointError(f"{path}: {name} has shape {shapes}: was the configuration edited?")
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{path}: {name} holds NaN or Inf: did its training diverge?")
