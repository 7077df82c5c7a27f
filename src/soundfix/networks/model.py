"""The figure of arXiv 2505.20961 whole: what microphones heard, and where they stand -> where the sounds were.

    sound --- acoustic encoder (frozen) ---------- semb --.
    position - position encoder ------------------ pemb --+- fusion - sparse cross-attention - masked encoder - decoder
    sound, in pairs - correlation - ASCM - TDOA encoder - remb --'                                            |      |
                                        audio <- inverse mapper <----------------------------------------------'      |
    sources, unknown microphones <- position decoder <- sparse cross-attention with remb <----------------------------'
    log p(x), at any x           <- likelihood head: pair curves, gated by the joint embedding (ours: likelihood.py)

The network knows tensors, not Scenes (three_stream.py makes the one from the other). Any number of microphones: padded or
dead ones are not heard (is_heard), unknown positions are a mask (is_known). The order of microphones does not matter.
Gains do not either: every channel is brought to the same level first. Axes: B batch, M microphones, P pairs i < j,
K sources, T samples, D width.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from soundfix.errors import CheckpointError, SceneError
from soundfix.networks.attention import CrossAttention
from soundfix.networks.autoencoder import AudioInverseMapper, Stack
from soundfix.networks.coherence_weight import AdaptiveCoherenceWeight
from soundfix.networks.config import NetworkConfig
from soundfix.networks.correlations import Correlations, HeadConfig
from soundfix.networks.encoders.beats import Beats
from soundfix.networks.encoders.beats_files import BeatsConfig
from soundfix.networks.encoders.ngcc import Ngcc, NgccConfig, lag_amplitudes
from soundfix.networks.frozen import Frozen
from soundfix.networks.given import Given, Said
from soundfix.networks.likelihood import LikelihoodHead, PairGate
from soundfix.networks.masking import MaskEmbedding, TokenMask, hide_nothing
from soundfix.networks.pair_likelihoods import PairLikelihoods
from soundfix.networks.reranker import Reranker
from soundfix.networks.streams import (
    AcousticEmbedding,
    AudioTdoaEncoder,
    BarycentricDecoder,
    DecodedMicrophones,
    Fusion,
    PairTokens,
    PositionDecoder,
    PositionEncoder,
    ShapeEncoder,
)
from soundfix.networks.windows import LEVEL, Answers, Windows, levelled, listened, middle, told_slots
from soundfix.resample import SAMPLE_RATE
from soundfix.signal import gcc
from soundfix.signal.coherence import coherence
from soundfix.signal.fbank import normalized_log_mel

RECONSTRUCTED = {"waveform": 2048, "spectrum": 128}  # numbers a microphone
LEAST_SPREAD_M = 0.01  # of places a network of one room is taught
LEAST_UNIT = 0.1  # of an axis, in the largest
NOTHING = Frozen()
ROOM_SCALE_M = 3.0  # normalised coordinates are about 1 at the walls


class Network(nn.Module):
    """The three-stream network of one configuration, randomly initialised.

    origin_m, scale_m: of normalised coordinates (metres). error_m: standard error of the position decoder along an axis,
    measured in training.
    """

    origin_m: Tensor
    scale_m: Tensor
    error_m: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c, d = config, config.width
        self.config = config
        self.encoder = Beats(c.encoder) if c.acoustic == "small" else None
        self.ngcc = Ngcc(c.ngcc or NgccConfig()) if c.correlation == "ngcc" else None
        self.acoustic = AcousticEmbedding(_feature_width(c), d)
        self.position_encoder = PositionEncoder(d) if c.frame == "room" else ShapeEncoder(d)
        self.ascm = AdaptiveCoherenceWeight(1.0 if c.alpha is None else c.alpha, learns=c.alpha is None)
        lags = 2 * c.reach_lags * _lags_a_sample(c) + 1
        self.tdoa_encoder = AudioTdoaEncoder(lags, d, pooled=c.pooled_lags, blurs=c.blurred_lags)
        self.fusion = Fusion(d, c.heads)
        self.pair_tokens = PairTokens(d, knows_distance=c.frame == "array", is_deep=c.deep_pairs)
        self.sparse_cross_attention_1 = CrossAttention(d, c.heads, keep=c.keep)
        self.joint_norm = nn.LayerNorm(d)
        self.own_sound = nn.Linear(d, d)
        self.hidden_sound, self.source_slots = MaskEmbedding(d), nn.Parameter(0.02 * torch.randn(c.sources, d))
        self.kind = nn.Parameter(0.02 * torch.randn(3, d))  # sound, coordinate, source
        self.masked_encoder = Stack(d, c.heads, blocks=c.encoder_blocks, ratio=c.ratio)
        self.decoder = Stack(d, c.heads, blocks=c.decoder_blocks, ratio=c.ratio)
        self.audio_inverse_mapper = AudioInverseMapper(d, RECONSTRUCTED[c.reconstruct])
        self.sparse_cross_attention_2 = CrossAttention(d, c.heads, keep=c.keep)
        self.position_decoder = PositionDecoder(d) if c.frame == "room" else BarycentricDecoder(d)
        self.head = LikelihoodHead(c.head, width=d) if c.head else None
        self.gate = PairGate(d) if c.head else None
        self.reranker = Reranker(c.reranker, unmasked=1 + bool(c.head and c.head.partial)) if c.reranker else None
        self.register_buffer("origin_m", torch.zeros(3))
        self.register_buffer("scale_m", torch.full((3,), ROOM_SCALE_M))
        self.register_buffer("error_m", torch.tensor(ROOM_SCALE_M))
        self.freeze()

    @property
    def frame(self) -> str:
        """Whose coordinates places have: of one room that it learned, or of any array."""
        return self.config.frame

    @property
    def arrays(self) -> tuple[tuple[tuple[float, float, float], ...], ...]:
        """Positions (m) of those it was trained with, where these were few."""
        return self.config.arrays

    @property
    def has_head(self) -> bool:
        """Whether it has a likelihood head, and not a position decoder alone."""
        return self.head is not None

    @property
    def runtime(self) -> str:
        """What it is run by."""
        return "torch"

    def array(self, values: np.ndarray) -> Tensor:
        """These as it takes them."""
        return torch.from_numpy(values).to(self.kind.device)

    def forward(
        self,
        windows: Windows,
        *,
        mask: TokenMask | None = None,
        frozen: Frozen = NOTHING,
        pairs: Int[Tensor, "pair 2"] | None = None,
        max_lag: int = 0,
        lowest_hz: float = 0.0,
    ) -> Answers:
        """The answers for a batch of windows.

        mask: tokens hidden in training. frozen: what the frozen parts made of all pairs, where that was kept. pairs: all
        i < j, or those that are to be looked at. max_lag (samples): the likelihood head's curves reach this far, or
        reach_lags where that is further. lowest_hz: what is below was cut, and is not correlated.
        """
        given = self.prepare(windows, mask or hide_nothing(windows.is_heard), pairs)
        semb = self.acoustic(self.listen(given.audio) if frozen.features is None else frozen.features)
        agreement = self.agreement(given.audio, given.pairs) if frozen.coherence is None else frozen.coherence
        heard, correlation = (None, frozen.correlation)
        if correlation is None:
            heard, correlation = self.correlate(given.audio, semb, given.pairs, max_lag=max_lag, lowest_hz=lowest_hz)
        said = self.joint(given, semb, agreement, correlation)

        return Answers(
            sources_m=said.sources_m,
            microphones_m=said.microphones_m,
            sound=said.sound,
            pairs=given.pairs,
            coherence=agreement,
            weights=said.weights,
            attention=said.attention,
            likelihoods=self._likelihoods(heard, said.gates, given, agreement),
        )

    def joint(
        self,
        given: Given,
        semb: Float[Tensor, "batch mic width"],
        agreement: Float[Tensor, "batch pair"],
        correlation: Float[Tensor, "batch pair reach"],
    ) -> Said:
        """The joint stream: what sounds, places and delays say together."""
        pemb = self.position_encoder(given.places if self.config.frame == "room" else given.places_m, given.is_known)
        if self.ngcc is not None:
            correlation = lag_amplitudes(correlation)
        remb = self.tdoa_encoder(both_ways(self.ascm(correlation, agreement)))

        fused = self.fusion(semb, pemb, given.is_known)
        tokens = self.pair_tokens(remb, fused, given.directed, given.spacing_m, given.is_placed.repeat(1, 2))
        joint = self.joint_norm(fused + self.sparse_cross_attention_1(fused, tokens, key_mask=given.is_seen).values)
        sounds, coordinates = self._autoencode(joint, pemb, given)
        looked = self.sparse_cross_attention_2(coordinates, tokens, key_mask=given.is_seen)
        coordinates, first = coordinates + looked.values, looked.weights[:, given.count]
        microphones_m, sources_m = self._decode(coordinates, pemb, given)
        weights = self.ascm.weight(agreement)
        return Said(
            sources_m=sources_m,
            microphones_m=microphones_m,
            sound=self.audio_inverse_mapper(sounds),
            weights=weights,
            attention=first[:, : given.pairs.shape[0]] + first[:, given.pairs.shape[0] :],
            gates=self._gates((sounds, coordinates, tokens), weights, given),
        )

    def listen(self, audio: Float[Tensor, "batch mic time"]) -> Float[Tensor, "batch mic feature"]:
        """The acoustic encoder's mean token of every microphone: what may be cached while the encoder is frozen."""
        if self.config.acoustic == "none":
            return audio.new_zeros(*audio.shape[:2], 1)
        if self.encoder is None:
            raise CheckpointError("this network listens with BEATs base, and has none: give it one, or features")
        context = listened(audio, is_cut=self.config.head is not None and self.config.head.partial is not None)
        return self.encoder.pooled(context.flatten(0, 1)).unflatten(0, audio.shape[:2])

    @torch.no_grad()
    def frozen(self, windows: Windows) -> Frozen:
        """What training may keep of these windows: all that no weight of localization changes."""
        given = self.prepare(windows, hide_nothing(windows.is_heard), None)
        correlation = None
        if self.ngcc is not None and self.head is None:
            correlation = self.correlate(given.audio, given.audio, given.pairs, max_lag=0)[1]
        return Frozen(self.listen(given.audio), correlation, self.agreement(given.audio, given.pairs))

    def agreement(
        self, audio: Float[Tensor, "batch mic time"], pairs: Int[Tensor, "pair 2"]
    ) -> Float[Tensor, "batch pair"]:
        """Coherence of every pair, by the measure of the configuration."""
        return coherence(audio, pairs, sample_rate=SAMPLE_RATE, measure=self.config.coherence)

    def correlate(
        self,
        audio: Float[Tensor, "batch mic time"],
        semb: Tensor,
        pairs: Tensor,
        *,
        max_lag: int,
        lowest_hz: float = 0.0,
    ) -> tuple[Correlations | None, Float[Tensor, "batch pair reach"]]:
        """Of levelled sound: the likelihood head's curves (None without one), and the correlation that remb is made of."""
        window = gcc.faded(self._window(audio), SAMPLE_RATE)
        reach = self.config.reach_lags
        how = {"max_lag": max(max_lag, reach), "lowest_hz": lowest_hz}
        heard = None if self.head is None else self.head(window, semb, pairs, **how)
        if self.ngcc is not None:
            if self.ngcc.training and not bool(window.any(dim=-1).all()):
                raise SceneError(
                    "NGCC-PHAT learns from whole batches only: silent microphones would enter its BatchNorm"
                )
            return heard, self.ngcc.pairs(window / LEVEL, pairs, max_lag=reach)  # it was trained at a level of 1
        if self.config.correlation == "head":
            assert heard is not None
            return heard, middle(heard.curves / (10 * heard.sigma), 2 * reach * _lags_a_sample(self.config) + 1)
        spectra = gcc.whitened_spectra(
            window, sample_rate=SAMPLE_RATE, pad=reach, band_hz=HeadConfig.band_hz, whitening=1.0
        )
        length = 2 * (spectra.shape[-1] - 1)
        bins = int(gcc.band_mask(length, sample_rate=SAMPLE_RATE, band_hz=HeadConfig.band_hz).sum())
        sigma = gcc.noise_level(bins * window.shape[-1] / length)
        return heard, gcc.correlate(spectra, pairs, max_lag=reach, bins=bins) / (10 * sigma)

    def sound_target(self, audio: Float[Tensor, "batch mic time"]) -> Float[Tensor, "batch mic sample"]:
        """What the audio inverse mapper should give back."""
        audio = levelled(audio)
        size = RECONSTRUCTED[self.config.reconstruct]
        if self.config.reconstruct == "waveform":
            return middle(functional.pad(audio, (0, max(0, size - audio.shape[-1]))), size) / LEVEL
        return normalized_log_mel(audio).mean(dim=-2)

    def freeze(self) -> None:
        """The acoustic encoder and NGCC-PHAT learn nothing while the rest does (they are trained before)."""
        for module in (self.encoder, self.ngcc):
            if module is not None:
                module.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Network":
        """As usual, but frozen parts stay as they are at inference."""
        super().train(mode)
        for module in (self.encoder, self.ngcc):
            if module is not None and not any(weight.requires_grad for weight in module.parameters()):
                module.eval()
        return self

    def normalize_to(self, points_m: Float[Tensor, "point 3"]) -> None:
        """Take the mean and the spread along each axis of these points as origin and units (frame "room")."""
        origin_m, units_m = frame_of(points_m)
        self.origin_m.copy_(origin_m)
        self.scale_m.copy_(units_m)

    def prepare(self, windows: Windows, mask: TokenMask, pairs: Int[Tensor, "pair 2"] | None) -> Given:
        """A hidden position is an unknown one; a microphone that is not heard is silent, and stands nowhere."""
        is_known = windows.is_known & windows.is_heard & ~mask.position
        places = torch.where(is_known[..., None], (windows.positions_m - self.origin_m) / self.scale_m, 0.0)
        return Given(
            audio=levelled(windows.audio.to(self.kind.dtype).masked_fill(~windows.is_heard[..., None], 0.0)),
            places=places,
            places_m=places * self.scale_m,
            is_known=is_known,
            is_heard=windows.is_heard,
            mask=mask,
            pairs=all_pairs(windows.audio) if pairs is None else pairs,
            told=(told_slots(windows.told_m, self.config.sources, like=windows.positions_m) - self.origin_m)
            / self.scale_m,
        )

    def _window(self, audio: Float[Tensor, "batch mic time"]) -> Float[Tensor, "batch mic window"]:
        """The part that is correlated."""
        return middle(audio, min(self.config.window_samples or audio.shape[-1], audio.shape[-1]))

    def _autoencode(
        self, joint: Float[Tensor, "batch mic width"], pemb: Float[Tensor, "batch mic width"], given: Given
    ) -> tuple[Float[Tensor, "batch mic width"], Float[Tensor, "batch token width"]]:
        """semb^ of every microphone, and the coordinate embeddings^ of microphones and sources."""
        hidden = given.mask.audio
        sounds = self.hidden_sound(joint, hidden) + pemb + self.kind[0]
        coordinates = pemb + self.own_sound(joint.masked_fill(hidden[..., None], 0.0)) + self.kind[1]
        slots = self._slots(given) + self.kind[2]
        is_there = torch.cat([given.is_heard, given.is_heard, given.is_heard.new_ones(slots.shape[:2])], dim=1)
        tokens = self.masked_encoder(torch.cat([sounds, coordinates, slots], dim=1), is_there)
        decoded = self.decoder(tokens, is_there)
        return decoded[:, : given.count], decoded[:, given.count :]

    def _slots(self, given: Given) -> Float[Tensor, "batch source width"]:
        """A learned token for every source; where its place is told (frame "room"), that of the place."""
        slots = self.source_slots.expand(len(given.is_heard), -1, -1)
        if self.config.frame == "array":
            return slots
        is_told = given.told.isfinite().all(dim=-1)
        return slots.where(~is_told[..., None], self.position_encoder(given.told.nan_to_num(), is_told))

    def _decode(
        self, coordinates: Float[Tensor, "batch token width"], pemb: Float[Tensor, "batch mic width"], given: Given
    ) -> tuple[Float[Tensor, "batch mic 3"], Float[Tensor, "batch source 3"]]:
        """Places of microphones and of sources, in metres."""
        microphones = DecodedMicrophones(coordinates[:, : given.count], pemb, given.places, given.is_known)
        places = self.position_decoder(coordinates, microphones)
        places = torch.cat(
            [places[:, : given.count], given.told.where(given.told.isfinite(), places[:, given.count :])], dim=1
        )
        places_m = places * self.scale_m + self.origin_m
        return places_m[:, : given.count], places_m[:, given.count :]

    def _gates(
        self, decoded: tuple[Tensor, Tensor, Tensor], weights: Float[Tensor, "batch pair"], given: Given
    ) -> Float[Tensor, "batch source pair"] | None:
        """Of every pair, from the decoded sounds and coordinates and the pair tokens."""
        if self.head is None or self.gate is None:
            return None
        sounds, coordinates, tokens = decoded
        there, back = tokens[:, : given.pairs.shape[0]], tokens[:, given.pairs.shape[0] :]
        gates = self.gate(sounds, there + back, coordinates[:, given.count :], given.pairs, given.is_useful)
        return gates * weights[:, None] if self.head.config.weighting == "coherence" else gates

    def _likelihoods(
        self,
        heard: Correlations | None,
        gates: Float[Tensor, "batch source pair"] | None,
        given: Given,
        agreement: Float[Tensor, "batch pair"],
    ) -> PairLikelihoods | None:
        """Every pair's curve and gate."""
        if heard is None or self.head is None or gates is None:
            return None
        return PairLikelihoods(
            curves=heard.curves,
            plain=heard.plain,
            gates=gates,
            coherence=agreement,
            is_placed=given.is_placed,
            pairs=given.pairs,
            lags_a_second=SAMPLE_RATE * self.head.config.lags_a_sample,
            sigma=heard.sigma,
            sharpness=self.head.sharpness,
            window_s=self._window(given.audio).shape[-1] / SAMPLE_RATE,
            partial=heard.partial,
            passed=heard.passed,
        )


def both_ways(curves: Float[Tensor, "batch pair lag"]) -> Float[Tensor, "batch directed lag"]:
    """The curves of all pairs (i, j), then of all (j, i): the same, turned round."""
    return torch.cat([curves, curves.flip(-1)], dim=1)


def all_pairs(audio: Float[Tensor, "batch mic time"]) -> Int[Tensor, "pair 2"]:
    """All i < j."""
    if audio.shape[1] < 2:
        raise SceneError(f"{audio.shape[1]} microphone, wanted two or more: a network compares what they hear")
    return torch.triu_indices(audio.shape[1], audio.shape[1], 1, device=audio.device).T


def frame_of(points_m: Float[Tensor, "point 3"]) -> tuple[Float[Tensor, "3"], Float[Tensor, "3"]]:
    """Mean of these points and spread along each axis (metres): origin and units of one room's coordinates.

    With one unit for all, heights, a fifth as spread, weigh 1/22 in a squared error, and are not learned for long.
    An axis along which hardly anything moves has a tenth of the largest unit.
    """
    spread_m = points_m.std(dim=0) if len(points_m) > 1 else torch.zeros(3)
    most_m = float(spread_m.max())
    if not most_m > LEAST_SPREAD_M:
        raise SceneError(
            f"{len(points_m)} points to normalise coordinates to, {most_m:.3g} m of spread, wanted more than "
            f"{LEAST_SPREAD_M:g} m: does the source never move?"
        )
    return points_m.mean(dim=0), spread_m.clamp_min(LEAST_UNIT * most_m)


def _feature_width(config: NetworkConfig) -> int:
    encoders = {"small": config.encoder, "base": BeatsConfig()}
    return encoders[config.acoustic].encoder_embed_dim if config.acoustic in encoders else 1


def _lags_a_sample(config: NetworkConfig) -> int:
    return config.head.lags_a_sample if config.head and config.correlation == "head" else 1
