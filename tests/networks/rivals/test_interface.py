"""What every learned rival must do: one suite, five networks."""

from dataclasses import replace

import pytest
import torch

from helpers.rivals import CONFIGS, SIDES_M, answers, box, given, loss, rival, truths
from soundfix.networks.model import Windows
from soundfix.networks.rivals.interface import first_source, mean_over_windows, prepared

NAMES = tuple(CONFIGS)


def changed(windows, name):
    """The windows with something broken."""
    audio, is_heard, is_known = windows.audio.clone(), windows.is_heard.clone(), windows.is_known.clone()
    if name == "silence":
        audio[:] = 0
    if name == "one silent channel":
        audio[:, 2] = 0
    if name == "a dead microphone":
        is_heard[:, 2] = False
    if name == "nobody heard":
        is_heard[:] = False
    if name == "one unknown position":
        is_known[:, 2] = False
    if name == "no position known":
        is_known[:] = False
    return replace(windows, audio=audio, is_heard=is_heard, is_known=is_known)


BROKEN = (
    "silence",
    "one silent channel",
    "a dead microphone",
    "nobody heard",
    "one unknown position",
    "no position known",
)


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("name", NAMES)
def test_answers_and_gradients_stay_finite(name, case):
    network, windows = rival(name).train(), changed(given(), case)
    located = answers(network, windows)
    assert torch.isfinite(located.sources_m).all()
    assert located.microphones_m is None or torch.isfinite(located.microphones_m).all()
    truth = truths(windows, hides_position=[1], hides_sound=[0])
    truth.microphones_m[:, 3] = torch.nan
    loss(network, windows, truth).backward()
    gradients = {n: weight.grad for n, weight in network.named_parameters() if weight.grad is not None}
    assert len(gradients) > 5
    assert not [n for n, gradient in gradients.items() if not torch.isfinite(gradient).all()]


@pytest.mark.parametrize("name", NAMES)
def test_windows_without_a_known_source_count_as_nothing(name):
    """Half of a batch has none: half of the source term is left, and the rest is no NaN."""
    network, windows = rival(name), given()
    truth = truths(windows)
    known = [network.loss_terms(windows, box(), truth)]
    truth.sources_m[1], truth.is_there[1] = torch.nan, False
    known.append(network.loss_terms(windows, box(), truth))
    alone = Windows(**{field: value[:1] for field, value in vars(windows).items() if value is not None})
    first = network.loss_terms(alone, box(1), truths(alone))
    truth.sources_m[:], truth.is_there[:] = torch.nan, False
    known.append(network.loss_terms(windows, box(), truth))
    (name,) = known[0].keys() & {"sources", "likelihood"}
    both, one, none = (terms[name].item() for terms in known)
    assert both > one > none == 0
    assert one == pytest.approx(first[name].item() / 2, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_microphones_that_are_not_heard_change_nothing(name):
    """A seventh, loud and somewhere, that is not heard: as if it were not there, in training too."""
    network, windows, more = rival(name), given(count=6), given(count=7, seed=3)
    padded = replace(
        more,
        audio=torch.cat([windows.audio, 100 * more.audio[:, 6:]], dim=1),
        positions_m=torch.cat([windows.positions_m, torch.full((2, 1, 3), torch.nan)], dim=1),
        is_heard=torch.tensor([True] * 6 + [False]).expand(2, -1),
    )
    assert torch.allclose(answers(network, padded).sources_m, answers(network, windows).sources_m, atol=1e-4)
    one, other = (loss(network.train(), each, truths(each, hides_position=[2])) for each in (padded, windows))
    assert one.item() == pytest.approx(other.item(), rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_coordinates_of_unknown_microphones_do_not_leak(name):
    network, windows = rival(name), given()
    is_known = torch.tensor([True, False, True, True, True, False]).expand(2, -1)
    elsewhere = windows.positions_m.clone()
    elsewhere[:, 1], elsewhere[:, 5] = 99.0, torch.nan
    one, other = (
        answers(network, replace(windows, positions_m=places, is_known=is_known))
        for places in (windows.positions_m, elsewhere)
    )
    assert torch.equal(one.sources_m, other.sources_m)


@pytest.mark.parametrize("name", NAMES)
def test_a_hidden_position_is_an_unknown_one(name):
    network, windows = rival(name), given()
    unknown = replace(windows, is_known=torch.arange(6).expand(2, -1) != 4)
    plain, hidden = truths(windows), truths(windows, hides_position=[4])
    known, one, other = (
        loss(network, each, truth).item() for each, truth in ((windows, plain), (windows, hidden), (unknown, plain))
    )
    assert one == pytest.approx(other, rel=1e-6)
    assert one != pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_gain_of_a_channel_does_not_matter(name):
    network, windows = rival(name), given()
    louder = replace(windows, audio=windows.audio * torch.tensor([1000.0, 1, 1, 0.01, 1, 1])[:, None])
    assert torch.allclose(answers(network, louder).sources_m, answers(network, windows).sources_m, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_sound_and_positions_both_matter(name):
    network, windows = rival(name), given()
    plain, one, other = (
        answers(network, each).sources_m
        for each in (
            windows,
            replace(windows, audio=given(seed=8).audio),
            replace(windows, positions_m=given(seed=8).positions_m),
        )
    )
    assert (one - plain).norm(dim=-1).min() > 1e-5
    assert (other - plain).norm(dim=-1).min() > 1e-5


@pytest.mark.parametrize("samples", [700, 3000])
@pytest.mark.parametrize("name", NAMES)
def test_windows_may_have_any_length(name, samples):
    located = answers(rival(name), given(samples=samples))
    assert located.sources_m.shape == (2, 2 if "two" in name else 1, 3)
    assert torch.isfinite(located.sources_m).all()


@pytest.mark.parametrize("name", NAMES)
def test_four_windows_are_learned_by_heart(name):
    network, windows = rival(name).train(), given(batch=4, count=4, samples=512)
    truth = truths(windows, hides_position=[3])
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer, steps = torch.optim.AdamW(learning), {"d": 90, "g": 250, "w": 50}[name[0]]
    losses = []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 5e-3 * (1 - step / steps)
        optimizer.zero_grad()
        losses.append(terms := network.loss_terms(windows, box(4), truth))
        sum(terms.values()).backward()
        optimizer.step()
    name = next(iter(losses[0].keys() & {"sources", "likelihood"}))
    assert losses[-1][name].item() < losses[0][name].item() / 5


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_gives_nearly_the_same_loss(name):
    """As on a GPU: bfloat16 where it may be."""
    network, windows = rival(name), given()
    truth = truths(windows)
    precise = loss(network, windows, truth).item()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert loss(network, windows, truth).item() == pytest.approx(precise, rel=0.05)
        assert torch.isfinite(answers(network, windows).sources_m).all()


def test_prepared_windows_are_level_and_say_nothing_of_who_is_not_heard():
    windows = replace(given(), is_heard=torch.arange(6).expand(2, -1) != 3)
    windows.audio[:, 2] = 0
    level = prepared(windows).audio.square().mean(dim=-1).sqrt()
    assert torch.allclose(level, torch.tensor([1.0, 1, 0, 0, 1, 1]).expand(2, -1), atol=1e-5)
    assert (prepared(windows).positions_m[:, 3] == 0).all()
    assert torch.equal(prepared(windows).is_known, windows.is_heard)


def test_the_first_source_is_the_first_that_is_there():
    truth = truths(given(batch=3), sources=2)
    truth.is_there[:] = torch.tensor([[True, True], [False, True], [False, False]])
    truth.sources_m[2] = torch.nan
    place, has_one = first_source(truth)
    assert torch.equal(place[:2], torch.stack([truth.sources_m[0, 0], truth.sources_m[1, 1]]))
    assert (place[2] == 0).all()
    assert has_one.tolist() == [True, True, False]


def test_windows_that_do_not_count_are_zero_in_the_mean():
    errors = torch.tensor([3.0, torch.nan, 1.0, 5.0])
    assert float(mean_over_windows(errors, torch.tensor([True, False, True, False]))) == 1.0


def test_sources_stay_in_the_room_of_the_truth():
    """The frame of these tests: origin in the middle."""
    assert (truths(given()).sources_m.abs() <= SIDES_M / 2).all()
