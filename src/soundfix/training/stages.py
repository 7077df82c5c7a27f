"""The stages of training: what learns in each, and what it is made to do.

    correlation    NGCC-PHAT, or the curves of the likelihood head: where is the peak of each pair?
    autoencoder    everything but the correlations, the small acoustic encoder too: what was hidden?
    localization   everything but NGCC-PHAT and the acoustic encoder, which are frozen: where was the sound?
    votes          those of the likelihood's experts and its sharpness: whom of masked and plain curves to believe?
    reranker       only that, the rest frozen: which of the likelihood's peaks is it?

Windows whose sources are not known still teach the reconstructions. Losses are means over windows of equal weight.
"""

from collections.abc import Callable, Iterator
from math import ceil

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from soundfix.localization.modes import APART_M
from soundfix.networks.losses import choice_loss, lag_loss, likelihood_loss, total_loss
from soundfix.networks.model import LEVEL, Answers, Network, all_pairs, levelled
from soundfix.networks.pair_likelihoods import PairLikelihoods, delays
from soundfix.resample import SAMPLE_RATE
from soundfix.training.batches import Batch
from soundfix.training.nodes import as_of_all
from soundfix.training.peaks import candidates_of, wrong_peaks
from soundfix.training.recipes import Recipe

Terms = dict[str, Float[Tensor, ""]]


def learning(network: Network, stage: str, *, thaws_encoder: bool = False) -> list[nn.Parameter]:
    """Make exactly the weights of this stage learn, and give them."""
    network.requires_grad_(False)
    for module in _modules(network, stage):
        module.requires_grad_(True)
    if stage == "votes" and network.head is not None and network.head.votes is not None:
        network.head.votes.requires_grad_(True)
        network.head.log_sharpness.requires_grad_(True)
    if thaws_encoder and network.encoder is not None:
        network.encoder.requires_grad_(True)
    if stage in ("autoencoder", "localization"):
        for name, weight in network.named_parameters(recurse=False):
            weight.requires_grad_(stage == "localization" or name != "source_slots")
    network.train()
    return [weight for weight in network.parameters() if weight.requires_grad]


def _modules(network: Network, stage: str) -> Iterator[nn.Module]:
    for name, module in network.named_children():
        is_correlation = name == "ngcc" or (name == "head" and network.ngcc is None)
        learns = {
            "correlation": is_correlation,
            "autoencoder": name not in ("ngcc", "head", "gate", "reranker")
            and not (name == "encoder" and _is_base(network)),
            "localization": name not in ("ngcc", "encoder", "reranker"),
            "votes": False,
            "reranker": name == "reranker",
        }
        if learns[stage]:
            yield module


def _is_base(network: Network) -> bool:
    return network.config.acoustic == "base"


def loss_terms(network: Network, batch: Batch, recipe: Recipe, stage: str) -> Terms:
    """The terms whose sum this stage makes small."""
    return STAGES[stage](network, batch, recipe)


def correlation_terms(network: Network, batch: Batch, recipe: Recipe) -> Terms:
    """Every pair's curve against its true delay, where one source sounds."""
    pairs = all_pairs(batch.windows.audio)
    logits, lags_a_second = _curves(network, batch, pairs)
    lags, counts = true_lags(batch, pairs, lags_a_second=lags_a_second)
    return {"correlation": lag_loss(logits, lags, counts)}


def true_lags(
    batch: Batch, pairs: Tensor, *, lags_a_second: float = SAMPLE_RATE
) -> tuple[Float[Tensor, "batch pair"], Bool[Tensor, "batch pair"]]:
    """Every pair's true delay, and whether it is known: both are heard, and one source sounds."""
    tau_s = delays(batch.sources_m[:, :1], batch.microphones_m, pairs, batch.speed_m_s)[..., 0]
    is_heard = batch.windows.is_heard[:, pairs].all(dim=-1)
    return tau_s * lags_a_second, is_heard & (batch.is_there.sum(dim=1) == 1)[:, None] & tau_s.isfinite()


def without_silence(audio: Float[Tensor, "batch mic time"]) -> Float[Tensor, "batch mic time"]:
    """Every channel at LEVEL, noise where there was silence, which must not enter BatchNorm."""
    audio = levelled(audio)
    noise = torch.randn(audio.shape, generator=torch.Generator().manual_seed(0)).to(audio)
    return torch.where(audio.any(dim=-1, keepdim=True), audio, LEVEL * noise)


def _curves(network: Network, batch: Batch, pairs: Tensor) -> tuple[Float[Tensor, "batch pair lag"], float]:
    """Logits over lags, and how many lags there are in a second."""
    if network.ngcc is not None:
        audio = without_silence(batch.windows.audio)
        return network.correlate(audio, audio, pairs, max_lag=0)[1], SAMPLE_RATE
    audio = levelled(batch.windows.audio)
    semb = network.acoustic(network.listen(audio))
    heard, _ = network.correlate(audio, semb, pairs, max_lag=reach(batch))
    assert heard is not None
    assert network.head is not None
    return network.head.sharpness * heard.curves / heard.sigma, SAMPLE_RATE * network.head.config.lags_a_sample


def autoencoder_terms(network: Network, batch: Batch, recipe: Recipe) -> Terms:
    """Hidden sounds and hidden positions."""
    terms, _ = _answered(network, batch, recipe)
    return {name: terms[name] for name in ("sound", "microphones")}


def localization_terms(network: Network, batch: Batch, recipe: Recipe) -> Terms:
    """Hidden sounds and positions, and the sources."""
    terms, answers = _answered(network, batch, recipe)
    if answers.likelihoods is None:
        return terms
    return terms | {"likelihood": recipe.losses.likelihood * likelihood_term(answers.likelihoods, batch)}


def votes_terms(network: Network, batch: Batch, recipe: Recipe) -> Terms:
    """The sources alone."""
    likelihoods = network(batch.windows, mask=batch.mask, max_lag=reach(batch)).likelihoods
    assert likelihoods is not None
    return {"likelihood": likelihood_term(likelihoods, batch)}


def likelihood_term(likelihoods: PairLikelihoods, batch: Batch) -> Float[Tensor, ""]:
    """How unlikely the sources are beside other points and the likelihood's own wrong peaks."""
    points = torch.cat([batch.points_m, wrong_peaks(likelihoods, batch)], dim=1)
    scores = likelihoods.at(points, batch.windows.positions_m, batch.speed_m_s)
    slots = scores.shape[1] if scores.shape[1] > 1 else batch.is_there.shape[1]  # a single one speaks for all
    return likelihood_loss(scores, points, batch.sources_m[:, :slots], with_a_slot(batch, slots))


def reranker_terms(network: Network, batch: Batch, recipe: Recipe) -> Terms:
    """Which of the best places is a source (nearer than two of them are apart), or that none is.

    In some windows the source that stands out most was found before: which is the next one, or is there none? Windows whose
    sources are not known do not count; those that hold noise alone do.
    """
    assert network.reranker is not None
    windows, speed_m_s = batch.windows, batch.speed_m_s
    with torch.no_grad():
        likelihoods = network(windows, mask=batch.mask, max_lag=reach(batch)).likelihoods
        is_found = found_before(likelihoods, batch)
        likelihoods = likelihoods.without(batch.sources_m.nan_to_num(), is_found, windows.positions_m, speed_m_s)
        candidates, is_place = candidates_of(likelihoods, batch)
    odds = network.reranker(likelihoods, candidates, is_place, windows.positions_m, batch.box_m, speed_m_s)
    is_left = (batch.is_there & ~is_found)[:, None]
    gaps_m = (candidates[:, :, None] - batch.sources_m[:, None]).norm(dim=-1).where(is_left, torch.inf)
    is_right = (gaps_m < APART_M) & is_place[..., None]
    counts = batch.is_there.any(dim=1) | batch.is_empty
    return {"reranker": as_of_all(choice_loss(odds, is_right, counts), counts.sum().float())}


def found_before(likelihoods: PairLikelihoods, batch: Batch) -> Bool[Tensor, "batch source"]:
    """The likeliest source of each window in which one was found before."""
    score = likelihoods.at(batch.sources_m.nan_to_num(), batch.windows.positions_m, batch.speed_m_s).amax(dim=1)
    best = score.masked_fill(~batch.is_there, -torch.inf).argmax(dim=1, keepdim=True)
    is_best = torch.zeros_like(batch.is_there).scatter(1, best, True)
    return is_best & batch.is_there & batch.finds_next[:, None]


STAGES: dict[str, Callable[[Network, Batch, Recipe], Terms]] = {
    "correlation": correlation_terms,
    "autoencoder": autoencoder_terms,
    "localization": localization_terms,
    "votes": votes_terms,
    "reranker": reranker_terms,
}


def _answered(network: Network, batch: Batch, recipe: Recipe) -> tuple[Terms, Answers]:
    """The terms of eq. 8: reconstructions count where something was hidden, sources where there is a slot for each."""
    windows = batch.windows
    answers = network(windows, mask=batch.mask, frozen=batch.frozen, max_lag=reach(batch))
    placed = batch.microphones_m.isfinite().all(dim=-1) & windows.is_heard
    slots = answers.sources_m.shape[1]
    counts = {
        "sound": batch.hides_sound,
        "microphones": placed & (batch.hides_position | ~windows.is_known),
        "sources": with_a_slot(batch, slots),
    }
    guess = {"microphones": answers.microphones_m, "sources": answers.sources_m}
    truth = {"microphones": batch.microphones_m, "sources": batch.sources_m[:, :slots]}
    guess, truth = ({name: _normalised(network, places) for name, places in each.items()} for each in (guess, truth))
    sounds = {"sound": answers.sound}, {"sound": network.sound_target(windows.audio)}
    return total_loss(recipe.losses, guess=guess | sounds[0], truth=truth | sounds[1], counts=counts), answers


def with_a_slot(batch: Batch, slots: int) -> Bool[Tensor, "batch slot"]:
    """The sources that count: none, where more of them sound than there are slots."""
    has_room = batch.is_there.sum(dim=1, keepdim=True) <= slots
    return (batch.is_there & has_room)[:, :slots]


def _normalised(network: Network, places_m: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    return (places_m - network.origin_m) / network.scale_m


def reach(batch: Batch) -> int:
    """Samples that the longest delay between two microphones can take, and a few more."""
    places = batch.windows.positions_m
    spread_m = (places.amax(dim=1) - places.amin(dim=1)).norm(dim=-1)
    return ceil(float((spread_m / batch.speed_m_s).max()) * SAMPLE_RATE) + 8
