"""The second look: what it must not depend on, what it starts as, what it is taught."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.networks import tiny
from soundfix.methods.three_stream import ThreeStream
from soundfix.networks.losses import choice_loss
from soundfix.networks.model import Network, Windows, all_pairs
from soundfix.networks.pair_likelihoods import PairLikelihoods, delays, partners_of
from soundfix.networks.reranker import PROFILE_STEP, PROFILE_STEPS, Reranker, _profiles
from soundfix.testing import SOURCE, contract_scene
from soundfix.training.batches import Batch
from soundfix.training.stages import found_before

BOX_M = torch.tensor([[[-3.0, -3, -1], [3, 3, 1]]])
SPEED_M_S = torch.tensor([343.0])


def made(trained=True):
    torch.manual_seed(0)
    look = Reranker(16)
    if trained:
        for weight in look.parameters():
            torch.nn.init.normal_(weight, std=0.3)
    return look.eval()


def said(microphones=5, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pairs = all_pairs(torch.zeros(1, microphones, 1))
    count = len(pairs)
    curves, plain = torch.randn(2, 1, count, 801, generator=generator)
    return PairLikelihoods(
        curves=curves, plain=plain, gates=torch.ones(1, 1, count), coherence=torch.rand(1, count, generator=generator),
        is_placed=torch.ones(1, count, dtype=torch.bool), pairs=pairs, lags_a_second=32_000.0, sigma=1.0,
        sharpness=torch.tensor(0.3), window_s=0.5,
    )  # fmt: skip


def places(count, *, seed):
    return 2 * torch.rand(1, count, 3, generator=torch.Generator().manual_seed(seed)) - 1


def odds(look, likelihoods, candidates, positions, is_there=None):
    is_there = torch.ones(candidates.shape[:2], dtype=torch.bool) if is_there is None else is_there
    with torch.no_grad():
        return look(likelihoods, candidates, is_there, positions, BOX_M, SPEED_M_S)[0]


def test_untrained_it_keeps_the_likelihood_s_order():
    likelihoods, candidates, positions = said(), places(6, seed=1), places(5, seed=2)
    score = likelihoods.at(candidates, positions, SPEED_M_S)[0, 0]
    assert torch.allclose(odds(made(trained=False), likelihoods, candidates, positions)[:-1], score - score.max())


def test_a_profile_says_who_heard_it_earlier():
    """Every pair's curve has one peak: where the candidate predicts it, but microphone 2 hears the sound 40 lags earlier."""
    likelihoods, candidate, positions = said(), places(1, seed=1), places(5, seed=2)
    expected = delays(candidate, positions, likelihoods.pairs, SPEED_M_S)[0, :, 0] * likelihoods.lags_a_second
    early = 40 * ((likelihoods.pairs == 2).long() @ torch.tensor([1, -1]))
    curves = torch.zeros(1, len(likelihoods.pairs), 801)
    curves[0, torch.arange(len(early)), (400 + expected - early).round().long()] = 1.0
    profiles = _profiles(replace(likelihoods, curves=curves, plain=curves), candidate, positions, SPEED_M_S)[0, :, 0]
    steps = 2 * PROFILE_STEPS + 1
    partners, _ = partners_of(likelihoods.pairs, 5)
    best = profiles[partners].mean(dim=1)[:, :steps].argmax(dim=1) - PROFILE_STEPS
    assert best.tolist() == [0, 0, -40 // PROFILE_STEP, 0, 0]


def test_the_order_of_microphones_and_of_candidates_does_not_matter():
    look, likelihoods, candidates, positions = made(), said(), places(6, seed=1), places(5, seed=2)
    before = odds(look, likelihoods, candidates, positions)
    order, other = torch.tensor([3, 0, 4, 1, 2]), torch.tensor([5, 2, 0, 1, 4, 3])
    number = {tuple(pair): k for k, pair in enumerate(likelihoods.pairs.tolist())}
    old = [(int(order[i]), int(order[j])) for i, j in likelihoods.pairs]
    rows = [number[min(p), max(p)] for p in old]
    turned = torch.tensor([p[0] > p[1] for p in old])

    def moved(curves):
        return torch.where(turned[None, :, None], curves[:, rows].flip(-1), curves[:, rows])

    shuffled = replace(
        likelihoods, curves=moved(likelihoods.curves), plain=moved(likelihoods.plain),
        coherence=likelihoods.coherence[:, rows],
    )  # fmt: skip
    after = odds(look, shuffled, candidates[:, other], positions[:, order])
    assert torch.allclose(after[:-1], before[:-1][other], atol=1e-5)
    assert torch.allclose(after[-1], before[-1], atol=1e-5)


def test_a_microphone_that_is_not_placed_and_a_candidate_that_is_not_there_do_not_matter():
    look, likelihoods, candidates, positions = made(), said(), places(6, seed=1), places(5, seed=2)
    without = ~(likelihoods.pairs == 4).any(dim=1)
    wrong = positions.clone()
    wrong[:, 4] = 100.0
    hidden = replace(likelihoods, is_placed=without[None])
    fewer = replace(
        said(4), curves=likelihoods.curves[:, without], plain=likelihoods.plain[:, without],
        coherence=likelihoods.coherence[:, without],
    )  # fmt: skip
    is_there = torch.tensor([[True] * 4 + [False] * 2])
    some = odds(look, fewer, candidates[:, :4], positions[:, :4])
    all_of_them = odds(look, hidden, candidates, positions, is_there)
    assert torch.allclose(all_of_them[[0, 1, 2, 3, 6]], some, atol=1e-4)
    assert (all_of_them[4:6] < -1e8).all()


def test_every_microphone_has_its_directed_pairs():
    pairs = torch.tensor([[0, 1], [1, 2], [0, 3]])
    numbers, is_own = partners_of(pairs, 4)
    found = [set(row[own].tolist()) for row, own in zip(numbers, is_own, strict=True)]
    assert found == [{0, 2}, {1, 3}, {4}, {5}]


def test_the_loss_asks_for_any_candidate_that_is_right_or_for_none():
    odds = torch.tensor([[1.0, 2.0, 0.0, -1.0], [0.5, 0.0, 0.0, 1.0], [9.0, 9.0, 9.0, 9.0]])
    is_right = torch.tensor([[True, True, False], [False] * 3, [True] * 3])[..., None]
    first = -np.log((np.e + np.e**2) / (np.e + np.e**2 + 1 + np.e**-1))
    second = -np.log(np.e / (np.e**0.5 + 2 + np.e))
    loss = choice_loss(odds, is_right, torch.tensor([True, True, False]))
    assert float(loss) == pytest.approx((first + second) / 2)


def test_two_sources_share_the_probability():
    """Half for each costs least; a source without a candidate asks for nothing."""
    is_right = torch.tensor([[[True, False, False], [False, True, False], [False, False, False]]])
    counts = torch.tensor([True])

    def loss(*probabilities):
        return float(choice_loss(torch.tensor([probabilities]).log(), is_right, counts))

    assert loss(0.49, 0.49, 0.01, 0.01) == pytest.approx(-np.log(0.49), rel=1e-5)
    assert loss(0.49, 0.49, 0.01, 0.01) < min(loss(0.90, 0.08, 0.01, 0.01), loss(0.3, 0.3, 0.2, 0.2))


def test_a_source_found_before_says_nothing_more():
    """Its peaks are gone from all pairs' curves, and those of another place are as they were."""
    likelihoods, positions = said(), 3 * places(5, seed=2)
    source, other = torch.tensor([[[1.0, 0.5, 0.2]]]), torch.tensor([[[-1.5, -1.0, 0.4]]])
    lags = [
        delays(x, positions, likelihoods.pairs, SPEED_M_S)[0, :, 0] * likelihoods.lags_a_second for x in (source, other)
    ]
    curves = torch.zeros(1, len(likelihoods.pairs), 801)
    for at in lags:
        curves[0, torch.arange(10), (400 + at).round().long()] = 1.0
    heard = replace(likelihoods, curves=curves, plain=curves)
    there, absent = torch.tensor([[True]]), torch.tensor([[False]])
    left = heard.without(source, there, positions, SPEED_M_S)
    apart = (lags[0] - lags[1]).abs() * 343 / likelihoods.lags_a_second > 0.3
    assert torch.equal(heard.without(source, absent, positions, SPEED_M_S).curves, curves)
    assert apart.sum() > 5
    assert torch.equal(left.curves[0].amax(dim=1)[apart], torch.ones(int(apart.sum())))
    assert torch.equal(left.curves[0].sum(dim=1)[apart], torch.ones(int(apart.sum())))
    assert torch.equal(left.plain, left.curves)


def test_the_source_found_before_is_the_likeliest_that_is_there():
    likelihoods, positions = said(), places(5, seed=2)
    sources = places(3, seed=4)
    score = likelihoods.at(sources, positions, SPEED_M_S)[0, 0]
    order = score.argsort(descending=True).tolist()

    def found(is_there, *, finds_next=True):
        windows = Windows(
            audio=torch.zeros(1, 5, 1), positions_m=positions, is_known=torch.ones(1, 5, dtype=torch.bool),
            is_heard=torch.ones(1, 5, dtype=torch.bool),
        )  # fmt: skip
        nothing = torch.zeros(1, 5, dtype=torch.bool)
        batch = Batch(
            windows=windows, sources_m=sources, is_there=torch.tensor([is_there]), is_empty=torch.tensor([False]),
            microphones_m=positions, box_m=BOX_M, search_m=BOX_M, speed_m_s=SPEED_M_S, hides_sound=nothing,
            hides_position=nothing, points_m=sources, finds_next=torch.tensor([finds_next]),
        )  # fmt: skip
        return found_before(likelihoods, batch)[0].tolist()

    everybody = [True] * 3
    assert found(everybody) == [k == order[0] for k in range(3)]
    assert found([k != order[0] for k in range(3)]) == [k == order[1] for k in range(3)]
    assert not any(found(everybody, finds_next=False))
    assert not any(found([False] * 3))


def test_an_answer_takes_it():
    torch.manual_seed(0)
    network = Network(replace(tiny().config, reranker=8)).eval()
    estimate = ThreeStream(network=network).locate(contract_scene())
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.05
    with torch.no_grad():
        network.reranker.trust.fill_(-1.0)  # the worst candidate first
    other = ThreeStream(network=network).locate(contract_scene())
    assert all(np.linalg.norm(source.position_m - SOURCE) > 0.2 for source in other.sources)
