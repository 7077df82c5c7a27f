"""The whole network: what must not matter does not, what is broken stays finite, and every option has an effect."""

from dataclasses import replace

import pytest
import torch

from helpers.networks import SMALL_NGCC, paper_like, tiny, windows
from soundfix.errors import CheckpointError, SceneError
from soundfix.networks.correlations import HeadConfig
from soundfix.networks.frozen import Frozen
from soundfix.networks.masking import TokenMask, hide_nothing
from soundfix.networks.model import Network, Windows, levelled
from soundfix.networks.streams import PairTokens, blurring

POINTS = torch.rand(2, 40, 3, generator=torch.Generator().manual_seed(9)) * torch.tensor([6.0, 5.0, 3.0])
SPEED = torch.tensor([343.0, 340.0])


def run(network, given, **options):
    with torch.no_grad():
        return network(given, **options)


def log_p(answers, given, points=POINTS):
    return answers.likelihoods.at(points[: len(given.audio)], given.positions_m, SPEED[: len(given.audio)])


def some_unknown(given, unknown):
    is_known = given.is_known.clone()
    is_known[:, unknown] = False
    return replace(given, is_known=is_known)


NETWORKS = {
    "array": lambda: tiny(frame="array"),
    "room": tiny,
    "paper": paper_like,
    "sparse": lambda: tiny(keep=0.3),
    "two sources": lambda: tiny(sources=2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_order_of_microphones_does_not_matter(name):
    network, given, order = NETWORKS[name](), some_unknown(windows(), [1]), torch.tensor([3, 5, 0, 2, 1, 4])
    turned = Windows(**{field: value[:, order] for field, value in vars(given).items() if value is not None})
    plain, other = run(network, given), run(network, turned)
    assert torch.allclose(other.sources_m, plain.sources_m, atol=1e-4)
    assert torch.allclose(other.microphones_m, plain.microphones_m[:, order], atol=1e-4)
    assert torch.allclose(other.sound, plain.sound[:, order], atol=1e-4)
    if plain.likelihoods is not None:
        known = replace(given, is_known=torch.ones_like(given.is_known))
        assert torch.allclose(log_p(other, turned), log_p(plain, known), atol=1e-3)


@pytest.mark.parametrize("name", ["array", "paper"])
def test_the_gain_of_a_channel_does_not_matter(name):
    network, given = NETWORKS[name](), windows()
    gains = torch.tensor([1000.0, 1, 1, 0.01, 1, 1])[:, None]
    louder = run(network, replace(given, audio=given.audio * gains))
    assert torch.allclose(louder.sources_m, run(network, given).sources_m, atol=1e-3)


def test_a_shift_of_all_channels_does_not_matter():
    """By 2560 samples (whole hops of every spectrogram) with silence at both ends.

    Exact but for the acoustic token, which knows where in the window a sound stands: here the network has none.
    """
    network, given = tiny(acoustic="none"), windows()
    given = replace(given, audio=torch.nn.functional.pad(given.audio, (4096, 4096)))
    plain, late = run(network, given), run(network, replace(given, audio=given.audio.roll(2560, dims=-1)))
    assert torch.allclose(late.likelihoods.curves, plain.likelihoods.curves, atol=1e-5)
    assert torch.allclose(log_p(late, given), log_p(plain, given), atol=1e-3)
    assert torch.allclose(late.sources_m, plain.sources_m, atol=1e-3)


def turned_room(given, turn, shift):
    return replace(given, positions_m=given.positions_m @ turn + shift)


def test_moving_and_turning_the_room_changes_nothing_but_the_answer():
    """Frame "array": the likelihood and the position decoder both move and turn along, exactly."""
    network, given = tiny(frame="array"), some_unknown(windows(), [2])
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1))).Q
    shift = torch.tensor([10.0, -4.0, 1.0])
    moved = turned_room(given, turn, shift)
    plain, other = run(network, given), run(network, moved)
    expected = log_p(plain, given)
    assert torch.allclose(log_p(other, moved, POINTS @ turn + shift), expected, atol=1e-3 * float(expected.abs().max()))
    assert torch.allclose(other.sources_m, plain.sources_m @ turn + shift, atol=1e-3)


def test_in_frame_room_the_decoder_does_not_turn_along():
    """It knows one room by heart, as docs and streams.py say: its tolerance to turning is none."""
    network, given = tiny(), windows()
    quarter = torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    moved = turned_room(given, quarter, torch.zeros(3))
    gap = run(network, moved).sources_m - run(network, given).sources_m @ quarter
    assert float(gap.norm(dim=-1).max()) > 0.01


def broken(name):
    given = windows()
    audio, is_heard, is_known = given.audio.clone(), given.is_heard.clone(), given.is_known.clone()
    if name == "silence":
        audio[:] = 0
    if name == "one silent channel":
        audio[:, 2] = 0
    if name == "a dead microphone":
        audio[:, 2], is_heard[:, 2] = 0, False
    if name == "nobody heard":
        is_heard[:] = False
    if name == "one unknown position":
        is_known[:, 2] = False
    if name == "all but four unknown":
        is_known[:, 4:] = False
    if name == "no position known":
        is_known[:] = False
    return Windows(audio=audio, positions_m=given.positions_m, is_known=is_known, is_heard=is_heard)


BROKEN = (
    "silence",
    "one silent channel",
    "a dead microphone",
    "nobody heard",
    "one unknown position",
    "all but four unknown",
    "no position known",
)


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("name", ["array", "paper", "sparse"])
def test_outputs_and_gradients_stay_finite(name, case):
    network, given = NETWORKS[name](), broken(case)
    answers = network(given)
    outputs = [answers.sources_m, answers.microphones_m, answers.sound, answers.attention, answers.coherence]
    if answers.likelihoods is not None:
        outputs.append(log_p(answers, given))
    assert all(torch.isfinite(x.detach()).all() for x in outputs)
    sum(x.square().mean() for x in outputs if x.numel()).backward()
    gradients = {n: weight.grad for n, weight in network.named_parameters() if weight.grad is not None}
    assert len(gradients) > 30
    assert not [n for n, gradient in gradients.items() if not torch.isfinite(gradient).all()]


def test_microphones_that_are_not_heard_change_nothing():
    """Scenes of different sizes share a batch by padding."""
    network, given, more = tiny(), windows(count=5), windows(count=8, seed=4)
    padded = Windows(
        audio=torch.cat([given.audio, more.audio[:, 5:]], dim=1),
        positions_m=torch.cat([given.positions_m, more.positions_m[:, 5:]], dim=1),
        is_known=torch.tensor([True] * 5 + [False] * 3).expand(2, -1),
        is_heard=torch.tensor([True] * 5 + [False] * 3).expand(2, -1),
    )
    assert torch.allclose(run(network, padded).sources_m, run(network, given).sources_m, atol=1e-5)


def test_the_coordinates_of_unknown_microphones_do_not_leak():
    for network in (tiny(), tiny(frame="array"), paper_like()):
        given = some_unknown(windows(), [1, 4])
        elsewhere = given.positions_m.clone()
        elsewhere[:, [1, 4]] = torch.tensor([99.0, -99, 99])
        other = run(network, replace(given, positions_m=elsewhere))
        assert torch.equal(other.sources_m, run(network, given).sources_m)


def test_a_hidden_position_is_an_unknown_one():
    network, given = tiny(), windows()
    hidden = hide_nothing(given.is_heard)
    hidden.position[:, [0, 3]] = True
    assert torch.equal(run(network, given, mask=hidden).sources_m, run(network, some_unknown(given, [0, 3])).sources_m)


def test_a_hidden_sound_hides_it():
    """What the masked encoder sees of a microphone no longer depends on its acoustic token."""
    network, given = tiny(correlation="gcc", head=None, reranker=0), windows()
    mask = TokenMask(torch.zeros(2, 6, dtype=torch.bool), torch.zeros(2, 6, dtype=torch.bool))
    features = network.listen(given.audio)
    other = features.clone()
    other[:, 2] += 10.0 * torch.randn(features.shape[-1], generator=torch.Generator().manual_seed(2))
    seen = [run(network, given, mask=mask, frozen=Frozen(f)).sound[:, 2] for f in (features, other)]
    mask.audio[:, 2] = True
    hidden = [run(network, given, mask=mask, frozen=Frozen(f)).sound[:, 2] for f in (features, other)]
    assert float((hidden[0] - hidden[1]).norm()) < 0.5 * float((seen[0] - seen[1]).norm())


@pytest.mark.parametrize("name", ["array", "paper"])
def test_cached_features_give_the_same_answer(name):
    network, given = NETWORKS[name](), windows()
    cached = run(network, given, frozen=Frozen(network.listen(given.audio)))
    assert torch.allclose(cached.sources_m, run(network, given).sources_m, atol=1e-5)


CHANGES = {
    "coherence": {"coherence": "none"},
    "phase coherence": {"coherence": "phase"},
    "sparse attention": {"keep": 2},
    "PHAT": {"correlation": "gcc"},
    "NGCC-PHAT": {"correlation": "ngcc", "ngcc": SMALL_NGCC},
    "no acoustic stream": {"acoustic": "none"},
    "a shorter window": {"window_samples": 2048},
    "blurred correlations": {"blurred_lags": (4.0,)},
    "deep pair tokens": {"deep_pairs": True},
    "frame": {"frame": "array"},
    "scalar weights": {"head": HeadConfig(weighting="coherence", frame=256, hop=128, lag_channels=4)},
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_option_has_an_effect(change):
    given = windows()
    changed, plain = run(tiny(**CHANGES[change]), given), run(tiny(), given)
    assert not torch.equal(changed.sources_m, plain.sources_m)
    assert not torch.allclose(log_p(changed, given), log_p(plain, given), rtol=0, atol=1e-6)


BOXES = (
    *("acoustic", "position_encoder", "tdoa_encoder", "ascm", "fusion", "pair_tokens", "sparse_cross_attention_1"),
    *("joint_norm", "own_sound", "hidden_sound", "masked_encoder", "decoder", "sparse_cross_attention_2"),
    "position_decoder",
)


def silenced(_, __, output):
    """What a box says, as nothing."""
    return 0 * output if isinstance(output, torch.Tensor) else output._replace(values=0 * output.values)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("name", ["array", "paper"])
def test_every_box_of_the_figure_counts(name, box):
    network, given = NETWORKS[name](), some_unknown(windows(), [1])
    plain = run(network, given)
    network.get_submodule(box).register_forward_hook(silenced)
    without = run(network, given)
    assert not torch.allclose(without.sources_m, plain.sources_m, rtol=0, atol=1e-6)
    assert not torch.allclose(without.microphones_m[:, 1], plain.microphones_m[:, 1], rtol=0, atol=1e-6)


def test_sounds_are_reconstructed_by_the_audio_inverse_mapper():
    network, given = paper_like(), windows()
    network.audio_inverse_mapper.register_forward_hook(silenced)
    assert run(network, given).sound.abs().max() == 0


def test_one_microphone_is_refused():
    with pytest.raises(SceneError, match="1 microphone, wanted two or more"):
        run(tiny(), windows(count=1))


def test_what_is_reconstructed():
    given = windows(samples=4096)
    waveform = tiny(reconstruct="waveform").sound_target(given.audio)
    middle = levelled(given.audio)[..., 1024:3072]
    assert torch.allclose(waveform, middle / 0.05, atol=1e-4)
    assert float(waveform.square().mean()) == pytest.approx(1.0, abs=0.05)
    assert tiny().sound_target(given.audio).shape == run(tiny(), given).sound.shape == (2, 6, 128)


def test_frozen_parts_learn_nothing_and_stay_in_inference_mode():
    network = paper_like().train()
    assert not network.ngcc.training
    assert not network.encoder.training
    network(windows()).sources_m.sum().backward()
    assert all(weight.grad is None for part in (network.ngcc, network.encoder) for weight in part.parameters())
    network.ngcc.requires_grad_(True)
    assert network.train().ngcc.training


def test_without_beats_base_it_says_so():
    with pytest.raises(CheckpointError, match="listens with BEATs base, and has none"):
        run(paper_like(acoustic="base"), windows())


def test_pairs_may_be_chosen():
    given, network = windows(), tiny()
    chosen = torch.tensor([[0, 1], [0, 2], [3, 5]])
    answers = run(network, given, pairs=chosen)
    assert answers.likelihoods.gates.shape == (2, 1, 3)
    assert torch.equal(answers.pairs, chosen)
    assert torch.allclose(answers.attention.sum(dim=1), torch.ones(2), atol=1e-5)


def test_the_correlation_of_a_sound_with_itself_is_1_whatever_its_length():
    """In units of ten times what strangers' is, that of white noise: (2 bins)^-1/2, of 7.4 of 8 kHz."""
    made = tiny(correlation="gcc", head=None, reranker=0)
    audio = torch.randn(1, 1, 512, generator=torch.Generator().manual_seed(0)).expand(1, 2, 512)
    with torch.no_grad():
        curve = made.correlate(audio, audio, torch.tensor([[0, 1]]), max_lag=0)[1][0, 0]
    strangers = (2 * 7.4 / 8 * 512 / 2) ** -0.5
    assert float(curve.max()) * 10 * strangers == pytest.approx(1, abs=2e-3)


def test_explanations_add_up():
    answers = run(tiny(), windows())
    assert torch.allclose(answers.attention.sum(dim=1), torch.ones(2), atol=1e-5)
    assert ((answers.coherence >= 0) & (answers.coherence <= 1)).all()
    assert torch.allclose(answers.weights, answers.coherence, atol=1e-6)


def test_normalisation_follows_the_points_it_is_given():
    network = tiny()
    points = torch.tensor([[0.0, 0, 0], [4.0, 2, 2]])
    network.normalize_to(points)
    assert torch.equal(network.origin_m, torch.tensor([2.0, 1, 1]))
    assert network.scale_m.tolist() == pytest.approx(points.std(dim=0).tolist())
    network.normalize_to(points * torch.tensor([1.0, 1, 0]))
    assert network.scale_m[2] == pytest.approx(0.1 * float(network.scale_m[0]))  # nothing moves along z


def with_votes(network):
    """The configuration of the same network with votes."""
    return replace(network.config, head=replace(network.config.head, partial=(0.5, 300.0)))


def test_the_acoustic_encoder_does_not_hear_rumble_louder_than_the_sound():
    """With votes; without, it hears everything as ever."""
    sound = levelled(windows(samples=8000).audio)
    rumble = torch.sin(torch.arange(8000) * 2 * torch.pi * 70 / 16_000)
    plain, voting = tiny(), Network(with_votes(tiny())).eval()
    with torch.no_grad():
        told = {
            name: [network.listen(each) for each in (sound, sound + 0.2 * rumble)]
            for name, network in (("plain", plain), ("voting", voting))
        }
    off = {name: float((one - other).norm() / one.norm()) for name, (one, other) in told.items()}
    assert off["voting"] < 0.5 * off["plain"]


def test_the_level_of_ngcc_s_logits_does_not_matter():
    """remb is made of amplitudes: logits that are all 3 lower say the same."""
    network, given = paper_like(), windows()
    kept = network.frozen(given)
    lower = kept._replace(correlation=kept.correlation - 3.0)
    one, other = run(network, given, frozen=kept), run(network, given, frozen=lower)
    assert torch.allclose(one.sources_m, other.sources_m, atol=1e-4)


@pytest.mark.parametrize("sources", [1, 2])
def test_a_source_that_is_told_is_where_it_was_told_and_helps_to_find_microphones(sources):
    network, given = tiny(sources=sources), some_unknown(windows(), [1])
    network.normalize_to(torch.tensor([[0.0, 0, 0], [4, 2, 2]]))
    told_m = torch.full((len(given.audio), 1, 3), torch.nan)
    told_m[0] = torch.tensor([1.0, 2.0, 0.5])
    plain, told = run(network, given), run(network, replace(given, told_m=told_m))
    assert torch.allclose(told.sources_m[0, 0], told_m[0, 0], atol=1e-5)
    assert (told.microphones_m[0, 1] - plain.microphones_m[0, 1]).norm() > 1e-4
    assert torch.allclose(told.sources_m[1:], plain.sources_m[1:], atol=1e-6)
    assert torch.allclose(told.microphones_m[1:], plain.microphones_m[1:], atol=1e-6)


def test_a_blurred_peak_is_itself_and_gaussians_of_its_norm():
    matrix = blurring(101, (2.0, 8.0))
    peak = matrix[50]
    bells = [torch.exp(-0.5 * ((torch.arange(101) - 50) / sigma) ** 2) for sigma in (2.0, 8.0)]
    rest = sum(each / each.norm() for each in bells)
    assert torch.allclose(peak - rest, torch.eye(101)[50], atol=1e-6)
    assert torch.equal(matrix, matrix.T)
    assert torch.equal(blurring(5, ()), torch.eye(5))


def test_deep_pair_tokens_have_a_layer_after_the_sum():
    torch.manual_seed(0)
    plain, deep = (PairTokens(8, knows_distance=False, is_deep=each) for each in (False, True))
    deep.load_state_dict(plain.state_dict(), strict=False)
    pairs, placed = torch.tensor([[0, 1]]), torch.ones(1, 1, dtype=torch.bool)
    given = torch.randn(1, 1, 8), torch.randn(1, 2, 8), pairs, torch.ones(1, 1), placed
    assert torch.allclose(deep(*given), deep.layer(plain(*given)))
    assert torch.allclose(plain(*given).mean(), torch.zeros(()), atol=1e-6)


def test_pairs_count_as_their_coherence_does_where_the_head_says_so():
    """Untrained gates are 1: what is left is the weight of the coherence."""
    for weighting, is_weighted in (("coherence", True), ("none", False)):
        head = HeadConfig(weighting=weighting, frame=256, hop=128, lag_channels=4)
        answers = run(tiny(is_untrained=True, head=head), windows())
        expected = answers.weights[:, None] if is_weighted else torch.ones_like(answers.weights[:, None])
        assert torch.allclose(answers.likelihoods.gates, expected.expand_as(answers.likelihoods.gates))
        assert float(answers.weights.max()) < 1
