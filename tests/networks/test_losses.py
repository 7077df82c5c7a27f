"""Eq. 8 in its two readings, and the likelihood's cross-entropy: against the literal forms, and perfect answers."""

import numpy as np
import pytest
import torch

from helpers import reference
from soundfix.networks.losses import (
    NEAR_POINTS,
    TARGET_M,
    LossWeights,
    best_order,
    draw_points,
    likelihood_loss,
    pairwise_loss,
    position_loss,
    sound_loss,
    total_loss,
)


@pytest.fixture
def scene(rng):
    """A batch of one: sounds, microphones and sources, guessed and true."""
    shapes = {"sound": (5, 16), "microphones": (5, 3), "sources": (3, 3)}
    return {name: (rng.standard_normal(shape), rng.standard_normal(shape)) for name, shape in shapes.items()}


def tensors(scene):
    return {name: tuple(torch.from_numpy(x)[None].float() for x in pair) for name, pair in scene.items()}


@pytest.mark.parametrize("reading", ["printed", "placed"])
def test_fast_equals_literal(scene, reading):
    given = tensors(scene)
    guess, truth = ({name: pair[side] for name, pair in given.items()} for side in (0, 1))
    weights = LossWeights(sound=0.1, microphones=0.7, sources=1.3, reading=reading)
    fast = total_loss(weights, guess=guess, truth=truth)
    slow = {"printed": reference.eq8_printed, "placed": reference.eq8_placed}[reading](
        *(x for pair in scene.values() for x in pair), lambdas=(0.1, 0.7, 1.3)
    )
    assert float(sum(fast.values())) == pytest.approx(slow, rel=1e-5)


def test_the_pairwise_term_has_a_weight_of_its_own(scene):
    given = tensors(scene)
    guess, truth = ({name: pair[side] for name, pair in given.items()} for side in (0, 1))
    plain, less = (total_loss(LossWeights(pairs=pairs), guess=guess, truth=truth) for pairs in (1.0, 0.1))
    assert float(less["pairs"]) == pytest.approx(0.1 * float(plain["pairs"]))
    assert float(less["sources"]) == float(plain["sources"])


@pytest.mark.parametrize("reading", ["printed", "placed"])
def test_a_perfect_answer_costs_nothing_in_any_order(scene, reading):
    given = tensors(scene)
    truth = {name: pair[1] for name, pair in given.items()}
    guess = truth | {"sources": truth["sources"][:, [2, 0, 1]]}
    assert float(sum(total_loss(LossWeights(reading=reading), guess=guess, truth=truth).values())) < 1e-10


def test_as_printed_one_source_is_not_placed():
    """Trap 4 of the paper's loss: for one source its third term is empty."""
    one, far = torch.zeros(1, 1, 3), torch.full((1, 1, 3), 9.0)
    there = torch.ones(1, 1, dtype=torch.bool)
    assert float(pairwise_loss(far, one, there, reading="printed")) == 0
    assert float(position_loss(far, one, there)) == pytest.approx(243.0)


def test_as_printed_moving_all_sources_together_costs_nothing(scene):
    truth = tensors(scene)["sources"][1]
    there = torch.ones(1, 3, dtype=torch.bool)
    assert float(pairwise_loss(truth + 5, truth, there, reading="printed")) < 1e-4


def test_only_what_counts_counts():
    guess, truth = torch.zeros(2, 3, 3), torch.ones(2, 3, 3)
    counts = torch.tensor([[True, False, False], [False, False, False]])
    guess[0, 1:] = 100
    assert float(position_loss(guess, truth, counts)) == pytest.approx(3.0 / 2)  # the second window: nothing, 0
    assert float(position_loss(guess, truth, torch.zeros_like(counts))) == 0
    assert float(sound_loss(guess, truth, counts)) == pytest.approx(1.0 / 2)


def test_best_order_ignores_slots_without_a_source():
    guess = torch.tensor([[[5.0, 0, 0], [0.0, 0, 0]]])
    truth = torch.tensor([[[0.1, 0, 0], [77.0, 0, 0]]])
    ordered, is_there = best_order(guess, truth, torch.tensor([[True, False]]))
    assert is_there.tolist() == [[False, True]]
    assert float(ordered[0, 1, 0]) == pytest.approx(0.1)


def test_likelihood_fast_equals_literal(rng):
    points, truth, scores = rng.uniform(0, 3, (50, 3)), rng.uniform(0, 3, (1, 3)), rng.standard_normal((1, 50))
    points[0], points[1] = truth[0], truth[0] + 0.03
    fast = likelihood_loss(
        *(torch.from_numpy(x)[None] for x in (scores, points, truth)), torch.ones(1, 1, dtype=torch.bool)
    )
    slow = reference.likelihood_cross_entropy(scores[0], points, truth[0], TARGET_M)
    assert float(fast) == pytest.approx(slow, rel=1e-5)


def test_likelihood_takes_the_better_order_of_sources():
    truth = torch.tensor([[[0.0, 0, 0], [2.0, 0, 0]]])
    there, scores = torch.ones(1, 2, dtype=torch.bool), torch.tensor([[[0.0, 9.0], [9.0, 0.0]]])
    crossed = likelihood_loss(scores, truth, truth, there)
    assert float(crossed) == pytest.approx(float(likelihood_loss(scores.flip(1), truth, truth, there)))
    assert float(crossed) < 0.01


def test_points_hold_the_truth_neighbours_and_the_whole_box():
    truth, box = torch.tensor([[[1.0, 2.0, 1.5]]]), torch.tensor([[[0.0, 0.0, 0.0], [6.0, 5.0, 3.0]]])
    points = draw_points(truth, box, count=2000, generator=torch.Generator().manual_seed(1))
    assert torch.equal(points[:, :1], truth)
    assert float((points[0, 1 : 1 + NEAR_POINTS] - truth[0]).norm(dim=1).median()) < 1.0
    anywhere = points[0, 1 + NEAR_POINTS :]
    assert np.allclose(anywhere.mean(dim=0), [3.0, 2.5, 1.5], atol=0.2)
    assert (anywhere >= 0).all()
    assert (anywhere <= box[0, 1]).all()
