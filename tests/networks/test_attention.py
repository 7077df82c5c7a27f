"""Cross-attention and its sparse forms: against the literal form, each other, and what must not matter."""

import numpy as np
import pytest
import torch

from helpers import reference
from soundfix.networks.attention import (
    CrossAttention,
    count_kept,
    dense_attention,
    gathered_attention,
    is_gather_faster,
    masked_attention,
    sparse_attention,
)


def tokens(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def qkv():
    return tokens(1, 2, 3, 5, 8), tokens(2, 2, 3, 12, 8), tokens(3, 2, 3, 12, 6)


def test_by_hand():
    """One query, two keys with scores ln 3 and 0: weights 3/4 and 1/4."""
    q, k = torch.tensor([[1.0]]), torch.tensor([[float(np.log(3))], [0.0]])
    values, weights = dense_attention(q, k, torch.tensor([[4.0], [8.0]]))
    assert torch.allclose(weights, torch.tensor([[0.75, 0.25]]))
    assert torch.allclose(values, torch.tensor([[5.0]]))


@pytest.mark.parametrize("keep", [12, 1, 4])
def test_fast_equals_literal(qkv, keep):
    q, k, v = qkv
    values, weights = sparse_attention(q, k, v, keep=keep)
    slow_values, slow_weights = reference.attention(q[1, 2].numpy(), k[1, 2].numpy(), v[1, 2].numpy(), keep=keep)
    assert np.allclose(values[1, 2], slow_values, atol=1e-5)
    assert np.allclose(weights[1, 2], slow_weights, atol=1e-5)


@pytest.mark.parametrize("keep", [12, 40, 1.0])
def test_all_keys_kept_is_dense_bit_for_bit(qkv, keep):
    q, k, v = qkv
    dense, sparse = dense_attention(q, k, v), sparse_attention(q, k, v, keep=keep)
    assert torch.equal(dense.values, sparse.values)
    assert torch.equal(dense.weights, sparse.weights)


@pytest.mark.parametrize("kept", [1, 3, 11])
def test_the_two_sparse_forms_agree(qkv, kept):
    q, k, v = qkv
    scores, is_key = q @ k.transpose(-1, -2), torch.rand(2, 1, 12, generator=torch.Generator().manual_seed(4)) < 0.7
    one = masked_attention(scores, v, kept=torch.tensor(kept), key_mask=is_key)
    other = gathered_attention(scores, v, kept=torch.tensor(kept), key_mask=is_key)
    assert torch.allclose(one.values, other.values, atol=1e-6)
    assert torch.allclose(one.weights, other.weights, atol=1e-6)


def test_keeps_as_many_keys_as_asked(qkv):
    for keep, wanted in ((3, 3), (0.25, 3), (0.5, 6), (0.01, 1)):
        assert ((sparse_attention(*qkv, keep=keep).weights > 0).sum(dim=-1) == wanted).all()


def test_a_share_is_rounded_up():
    assert [int(count_kept(share, torch.tensor(10))) for share in (0.05, 0.3, 0.31, 1.0)] == [1, 3, 4, 10]
    assert int(count_kept(30, torch.tensor(10))) == 10


def test_a_share_is_one_of_the_keys_that_are_there(qkv):
    """Half of 12 keys, of 4 and of none: 6, 2 and 0 are looked at."""
    q, k, v = (x[:1].expand(3, -1, -1, -1) for x in qkv)
    is_key = torch.arange(12) < torch.tensor([12, 4, 0])[:, None, None]
    weights = sparse_attention(q, k, v, keep=0.5, key_mask=is_key).weights
    assert (weights > 0).sum(dim=-1).flatten(1).unique(dim=1).flatten().tolist() == [6, 2, 0]


def test_masked_keys_are_not_seen(qkv):
    q, k, v = qkv
    is_key = torch.ones(2, 1, 12, dtype=torch.bool)
    is_key[..., 5:] = False
    for keep in (12, 3):
        seen = sparse_attention(q, k, v, keep=keep, key_mask=is_key)
        alone = sparse_attention(q, k[..., :5, :], v[..., :5, :], keep=min(keep, 5))
        assert torch.allclose(seen.values, alone.values, atol=1e-6)
        assert (seen.weights[..., 5:] == 0).all()


@pytest.mark.parametrize("keep", [12, 3])
def test_without_any_key_the_answer_is_zero_and_gradients_are_finite(qkv, keep):
    q, k, v = (x.clone().requires_grad_() for x in qkv)
    values, weights = sparse_attention(q, k, v, keep=keep, key_mask=torch.zeros(2, 1, 12, dtype=torch.bool))
    assert (values == 0).all()
    assert (weights == 0).all()
    values.sum().backward()
    assert all(torch.isfinite(x.grad).all() for x in (q, k, v))


def test_the_order_of_keys_does_not_matter(qkv):
    q, k, v = qkv
    order = torch.randperm(12, generator=torch.Generator().manual_seed(5))
    turned = sparse_attention(q, k[..., order, :], v[..., order, :], keep=4).values
    assert torch.allclose(turned, sparse_attention(q, k, v, keep=4).values, atol=1e-6)


def test_the_rule_of_which_form():
    """As bench/attention.py measures it: few kept keys are fetched, many are not."""
    assert [is_gather_faster(kept, 8064) for kept in (1, 80, 161, 400, 8064)] == [True, True, True, False, False]
    assert [is_gather_faster(kept, 110) for kept in (1, 2, 5, 33)] == [True, True, False, False]


def test_module_is_the_kernel_per_head():
    torch.manual_seed(0)
    module, queries, keys = CrossAttention(8, 2, keep=2), tokens(6, 1, 3, 8), tokens(7, 1, 5, 8)
    attended = module(queries, keys, key_mask=torch.ones(1, 5, dtype=torch.bool))
    q, k, v = (
        layer(x)[0].detach().numpy() for layer, x in ((module.query, queries), (module.key, keys), (module.value, keys))
    )
    heads = [reference.attention(q[:, part], k[:, part], v[:, part], keep=2) for part in (slice(0, 4), slice(4, 8))]
    joined = torch.from_numpy(np.concatenate([values for values, _ in heads], axis=1)).float()
    assert torch.allclose(attended.values[0], module.out(joined), atol=1e-5)
    assert np.allclose(attended.weights[0].detach(), (heads[0][1] + heads[1][1]) / 2, atol=1e-5)
