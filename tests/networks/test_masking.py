"""What is hidden in training: as much as asked, never what would leave nothing to go by."""

import pytest
import torch

from soundfix.networks.masking import FEWEST_SHOWN, MaskEmbedding, draw_mask, hide_nothing


def draw(seed, *, count=11, known=None, audio_share=0.3, batch=400):
    is_heard = torch.ones(batch, count, dtype=torch.bool)
    is_known = is_heard.clone()
    is_known[:, count if known is None else known :] = False
    generator = torch.Generator().manual_seed(seed)
    return draw_mask(is_heard, is_known, audio_share=audio_share, generator=generator), is_known


def test_hides_none_to_four_positions_each_as_often():
    mask, _ = draw(1, batch=4000)
    counts = mask.position.sum(dim=1).bincount(minlength=6)
    assert counts[5:].sum() == 0
    assert (counts[:5] > 650).all()


def test_every_microphone_is_hidden_alike():
    mask, _ = draw(2, batch=4000)
    assert float(mask.position.float().mean(dim=0).std()) < 0.02


@pytest.mark.parametrize("known", [3, 4, 6])
def test_enough_positions_stay(known):
    mask, is_known = draw(3, known=known)
    assert ((is_known & ~mask.position).sum(dim=1) >= min(known, FEWEST_SHOWN)).all()
    assert not (mask.position & ~is_known).any()


def test_sounds_are_hidden_at_the_rate_asked():
    for share in (0.0, 0.3, 1.0):
        mask, _ = draw(4, audio_share=share)
        assert float(mask.audio.float().mean()) == pytest.approx(share, abs=0.03)


def test_same_generator_same_mask():
    assert all(torch.equal(a, b) for a, b in zip(draw(5)[0], draw(5)[0], strict=True))
    assert not torch.equal(draw(5)[0].audio, draw(6)[0].audio)


def test_hide_nothing_hides_nothing():
    mask = hide_nothing(torch.ones(2, 3, dtype=torch.bool))
    assert not mask.audio.any()
    assert not mask.position.any()


def test_the_learned_token_stands_where_something_is_hidden():
    embedding, tokens = MaskEmbedding(4), torch.ones(1, 3, 4)
    replaced = embedding(tokens, torch.tensor([[False, True, False]]))
    assert torch.equal(replaced[0, 1], embedding.token)
    assert torch.equal(replaced[0, 0], tokens[0, 0])
    replaced.sum().backward()
    assert torch.equal(embedding.token.grad, torch.ones(4))
