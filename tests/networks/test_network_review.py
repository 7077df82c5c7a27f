"""Facts about the whole network that a second reader asked for: padding, unknowns, edges of kernels, precision, refusals."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from helpers.networks import SMALL_NGCC, paper_like, tiny, windows
from helpers.scenes import anechoic_scene
from soundfix.errors import CheckpointError, SceneError, SoundfixError
from soundfix.methods import network_evidence
from soundfix.methods.three_stream import ThreeStream, ThreeStreamPaper
from soundfix.networks import checkpoint
from soundfix.networks.attention import count_kept, gathered_attention
from soundfix.networks.config import NetworkConfig
from soundfix.networks.encoders import beats
from soundfix.networks.likelihood import HeadConfig, look_up
from soundfix.networks.losses import best_order, likelihood_loss, position_loss
from soundfix.networks.masking import FEWEST_SHOWN, draw_mask
from soundfix.networks.model import Network, Windows
from soundfix.signal import gcc
from soundfix.signal.coherence import AdaptiveCoherenceWeight, coherence
from soundfix.testing import SOURCE, contract_scene
from soundfix.training import info, recipes

POINTS = torch.rand(2, 20, 3, generator=torch.Generator().manual_seed(9)) * torch.tensor([6.0, 5.0, 3.0])
SPEED = torch.tensor([343.0, 343.0])
PLAIN = {"frame": "room", "width": 32, "heads": 2, "encoder_blocks": 1, "decoder_blocks": 1, "acoustic": "none"}


def run(network, given, **options):
    with torch.no_grad():
        return network(given, **options)


def padded(given, extra=3, *, is_known=False):
    """The same microphones and some that are not heard."""
    more = windows(count=given.audio.shape[1] + extra, seed=4)
    count, shape = given.audio.shape[1], (len(given.audio), extra)
    return Windows(
        audio=torch.cat([given.audio, more.audio[:, count:]], dim=1),
        positions_m=torch.cat([given.positions_m, more.positions_m[:, count:]], dim=1),
        is_known=torch.cat([given.is_known, torch.full(shape, is_known)], dim=1),
        is_heard=torch.cat([given.is_heard, torch.zeros(shape, dtype=torch.bool)], dim=1),
    )


# --- microphones that are not heard -------------------------------------------------------------------------------


def test_a_dead_microphone_of_known_position_changes_nothing_in_frame_array():
    network, given = tiny(frame="array"), windows(count=5)
    assert torch.allclose(
        run(network, padded(given, is_known=True)).sources_m, run(network, given).sources_m, atol=1e-5
    )


@pytest.mark.parametrize("make", [lambda: tiny(keep=0.3), paper_like])
def test_padding_changes_nothing_where_a_share_of_keys_is_kept(make):
    network, given = make(), windows(count=5)
    assert torch.allclose(run(network, padded(given)).sources_m, run(network, given).sources_m, atol=1e-5)


def test_nan_in_a_channel_that_is_not_heard_stays_there():
    network, given = tiny(), padded(windows(count=5))
    audio = given.audio.clone()
    audio[:, 5:] = torch.nan
    assert torch.isfinite(run(network, replace(given, audio=audio)).sources_m).all()


def test_ngcc_trained_inside_the_network_refuses_padding():
    """Silence would enter the statistics of its BatchNorm."""
    network, given = paper_like(keep=1.0, ngcc=replace(SMALL_NGCC, dropout=0.0)), windows(count=5)
    network.ngcc.requires_grad_(True)
    network.train()
    with pytest.raises(SceneError, match="silent microphones would enter its BatchNorm"):
        network(padded(given))


@pytest.mark.parametrize("make", [tiny, lambda: tiny(frame="array", sources=2)])
def test_a_microphone_that_is_not_heard_gets_no_gradient(make):
    given = padded(windows(count=5))
    audio = given.audio.clone().requires_grad_()
    make()(replace(given, audio=audio)).sources_m.sum().backward()
    assert float(audio.grad[:, 5:].abs().max()) == 0
    assert float(audio.grad[:, :5].abs().max()) > 0


# --- unknown positions --------------------------------------------------------------------------------------------


def test_an_unknown_position_does_not_move_the_likelihood():
    network, given = tiny(), windows()
    given.is_known[:, 1] = False
    said = run(network, given).likelihoods
    elsewhere = given.positions_m.clone()
    elsewhere[:, 1] = 50.0
    assert torch.allclose(said.at(POINTS, elsewhere, SPEED), said.at(POINTS, given.positions_m, SPEED), atol=1e-4)


def test_a_position_that_is_nan_because_unheard_leaves_the_likelihood_finite():
    given = padded(windows(count=5))
    given.positions_m[:, 5:] = torch.nan
    assert torch.isfinite(run(tiny(), given).likelihoods.at(POINTS, given.positions_m, SPEED)).all()


def test_enough_heard_positions_stay():
    is_heard = torch.arange(8).expand(500, 8) < 4
    mask = draw_mask(is_heard, torch.ones_like(is_heard), audio_share=0.3, generator=torch.Generator().manual_seed(0))
    assert int((is_heard & ~mask.position).sum(dim=1).min()) >= FEWEST_SHOWN


# --- kernels at their edges ---------------------------------------------------------------------------------------


def test_long_curves_are_looked_up_within_their_ends():
    curve = torch.arange(40_001.0)[None, None]
    assert float(look_up(curve, torch.tensor([[[1e9]]]))) == pytest.approx(40_000.0, abs=0.1)


def test_sigma_is_the_spread_of_strangers_however_far_the_curves_reach():
    near, far = (run(tiny(is_untrained=True), windows(samples=1600), max_lag=lag).likelihoods for lag in (160, 3000))
    assert float(near.curves.std()) == pytest.approx(near.sigma, rel=0.15)
    middle = far.curves.shape[-1] // 2
    assert float(far.curves[..., middle - 160 : middle + 161].std()) == pytest.approx(far.sigma, rel=0.15)


def test_a_correlation_at_lag_zero_only_has_one_lag():
    spectra = gcc.padded_spectra(torch.randn(2, 100, generator=torch.Generator().manual_seed(0)), pad=1)
    assert gcc.correlate(spectra, torch.tensor([[0, 1]]), max_lag=0, bins=10).shape == (1, 1)


def test_a_share_that_is_a_whole_number_of_keys_keeps_that_number():
    assert [int(count_kept(share, torch.tensor(100))) for share in (0.07, 0.28, 0.55)] == [7, 28, 55]


def test_a_sound_too_short_for_coherence_is_refused():
    with pytest.raises(SceneError):
        coherence(windows(batch=1, samples=5).audio, torch.tensor([[0, 1]]), sample_rate=16_000.0)


def test_alpha_zero_is_switched_off_for_good():
    ascm = AdaptiveCoherenceWeight(alpha=0.0)
    ascm.weight(torch.tensor([0.5])).sum().backward()
    assert float(ascm.signed_alpha.grad) == 0


# --- losses -------------------------------------------------------------------------------------------------------


def test_a_truth_that_does_not_count_may_be_nan():
    guess = torch.zeros(1, 2, 3, requires_grad=True)
    truth = torch.tensor([[[1.0, 2, 3], [torch.nan] * 3]])
    position_loss(guess, truth, torch.tensor([[True, False]])).backward()
    assert torch.isfinite(guess.grad).all()


def test_one_source_may_be_any_of_two_slots_likelihood():
    points, there = torch.tensor([[[0.0, 0, 0], [2.0, 0, 0]]]), torch.ones(1, 1, dtype=torch.bool)
    scores = torch.tensor([[[0.0, 9.0], [9.0, 0.0]]])
    assert float(likelihood_loss(scores, points, points[:, :1], there)) < 0.01


def test_fewer_true_sources_than_slots_leave_slots_empty_and_more_are_refused():
    guess, there = torch.tensor([[[5.0, 0, 0], [0.1, 0, 0]]]), torch.ones(1, 1, dtype=torch.bool)
    assert best_order(guess, torch.zeros(1, 1, 3), there)[1].tolist() == [[False, True]]
    with pytest.raises(SceneError, match="2 true sources for 1 slots"):
        best_order(guess[:, :1], torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool))


# --- precision and devices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [tiny, lambda: tiny(frame="array", keep=2), paper_like])
def test_training_in_bfloat16_gives_finite_gradients(make):
    network, given = make().train(), windows()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        answers = network(given)
        loss = answers.sources_m.square().mean() + answers.sound.square().mean()
        if answers.likelihoods is not None:
            loss = loss + answers.likelihoods.at(POINTS, given.positions_m, SPEED).square().mean()
    loss.backward()
    assert not [n for n, w in network.named_parameters() if w.grad is not None and not torch.isfinite(w.grad).all()]


def test_under_autocast_every_fourier_transform_sees_single_precision(monkeypatch):
    seen, rfft = [], torch.fft.rfft
    monkeypatch.setattr(torch.fft, "rfft", lambda x, *args, **kw: seen.append(x.dtype) or rfft(x, *args, **kw))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        paper_like()(windows())
    assert set(seen) == {torch.float32}


def test_gathered_attention_survives_a_softmax_in_float32(monkeypatch):
    softmax = torch.Tensor.softmax
    monkeypatch.setattr(torch.Tensor, "softmax", lambda x, dim: softmax(x.float(), dim))
    scores, v = torch.zeros(1, 3, 8, dtype=torch.bfloat16), torch.ones(1, 8, 4, dtype=torch.bfloat16)
    assert gathered_attention(scores, v, kept=torch.tensor(2)).weights.shape == (1, 3, 8)


def test_sound_in_double_precision_is_taken_or_refused():
    given = windows()
    plain = run(tiny(), given).sources_m
    assert torch.equal(run(tiny(), replace(given, audio=given.audio.double())).sources_m, plain)


# --- configurations and checkpoints -------------------------------------------------------------------------------


def test_a_configuration_of_defaults_runs_or_is_refused_in_words():
    assert torch.isfinite(run(Network(NetworkConfig(**PLAIN)), windows()).sources_m).all()


@pytest.mark.parametrize("change", [{"heads": 5}, {"head": HeadConfig(lag_taps=4, frame=256, hop=128)}])
def test_sizes_that_do_not_fit_are_refused_in_words(change):
    with pytest.raises(CheckpointError, match="this network cannot be built"):
        tiny(**change)


def test_beats_base_given_when_loading_is_frozen(tmp_path, monkeypatch):
    network = loaded_with_other_beats(tmp_path, monkeypatch, paper_like(acoustic="base"), beats.BeatsConfig())
    assert not network.train().encoder.training
    assert not any(weight.requires_grad for weight in network.encoder.parameters())


def test_beats_base_is_not_put_into_a_network_with_its_own_encoder(tmp_path, monkeypatch):
    config = replace(recipes.tiny().network.encoder, encoder_embed_dim=48)
    with pytest.raises(CheckpointError, match="listens with an encoder of its own"):
        loaded_with_other_beats(tmp_path, monkeypatch, tiny(), config)


def loaded_with_other_beats(tmp_path, monkeypatch, network, config):
    checkpoint.save(network, tmp_path / "a.safetensors")
    monkeypatch.setattr(beats, "load", lambda path: beats.Beats(replace(config, encoder_layers=1)).eval())
    return checkpoint.load(tmp_path / "a.safetensors", beats="BEATs.pt")


def test_save_takes_what_load_takes(tmp_path):
    checkpoint.save(tiny(), str(tmp_path / "a.safetensors"))


def test_metadata_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.save(tiny(), path)
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, metadata | {"soundfix": "format 1"})
    with pytest.raises(CheckpointError):
        checkpoint.load(path)


def test_a_copy_and_a_state_dict_are_the_same_network():
    network, given = tiny(), windows()
    network.normalize_to(torch.tensor([[0.0, 0, 0], [4.0, 2, 2]]))
    other = Network(network.config).eval()
    other.load_state_dict(network.state_dict())
    for twin in (copy.deepcopy(network), other):
        assert torch.equal(run(twin, given).sources_m, run(network, given).sources_m)
        assert not any(weight.requires_grad for weight in twin.encoder.parameters())


def test_the_parts_add_up_to_the_total():
    lines = [line.replace(" frozen", "").split() for line in info.describe_network(tiny()) if "window" not in line]
    counts = {" ".join(words[:-1]): int(words[-1].replace(",", "")) for words in lines}
    total = counts.pop("in all")
    counts.pop("trainable")
    assert sum(counts.values()) == total


# --- as a localizer -----------------------------------------------------------------------------------------------


def test_the_paper_s_network_says_when_it_has_to_guess_its_frame():
    """Its coordinates start in the middle of the room; without one, in the middle of the microphones."""
    scene = contract_scene()
    told, untold = (ThreeStreamPaper(network=paper_like()).locate(s) for s in (scene, replace(scene, room=None)))
    assert "frame_guessed" not in told.reasons
    assert "frame_guessed" in untold.reasons


def test_one_sound_is_one_source_for_a_network_of_two_slots():
    estimate = ThreeStream(network=tiny(is_untrained=True, sources=2)).locate(contract_scene())
    assert len(estimate.sources) == 1


def test_further_sources_hear_an_inverted_microphone_turned_round(monkeypatch):
    scene, heard_by_slot = contract_scene(), []
    audio = scene.audio.copy()
    audio[2] *= -1
    find = network_evidence.find_modes
    monkeypatch.setattr(network_evidence, "cancel_sources", lambda evidence, *_: evidence)
    monkeypatch.setattr(
        network_evidence,
        "find_modes",
        lambda *given, **options: heard_by_slot.append(given[0]) or find(*given, **options),
    )
    network = tiny(is_untrained=True, sources=2)
    first = ThreeStream(network=network).locate(replace(scene, audio=audio)).sources[0]
    score = heard_by_slot[-1].score(first.position_m[None], scene.microphones.positions)[0]
    assert score == pytest.approx(first.score, abs=0.01)


def test_a_network_without_a_likelihood_head_says_so_as_a_localizer():
    with pytest.raises(SoundfixError):
        ThreeStream(network=paper_like()).locate(contract_scene())


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_any_sample_rate_gives_the_same_place(rate):
    import soxr

    scene = contract_scene()
    audio = soxr.resample(scene.audio.T, 16_000, rate).T
    estimate = ThreeStream(network=tiny(is_untrained=True)).locate(replace(scene, audio=audio, sample_rate=float(rate)))
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.03


def test_a_tenth_of_a_second_is_enough():
    scene = contract_scene()
    estimate = ThreeStream(network=tiny(is_untrained=True)).locate(replace(scene, audio=scene.audio[:, :1600]))
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.03


def test_ten_seconds_give_finite_answers():
    assert torch.isfinite(run(tiny(), windows(batch=1, count=4, samples=160_000)).sources_m).all()


def test_an_array_far_wider_than_remb_reaches_is_located_with(rng):
    source = np.array([20.0, 30, 3])
    scene = anechoic_scene(rng.uniform(0, 60, (8, 3)) * [1, 1, 0.1], source, rng, seconds=1.0)
    estimate = ThreeStream(network=tiny(is_untrained=True)).locate(scene)
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.05


def test_the_order_within_a_pair_does_not_matter():
    network, given, pairs = tiny(frame="array"), windows(), torch.tensor([[0, 1], [0, 2], [3, 5], [1, 4]])
    turned = torch.tensor([[1, 0], [0, 2], [5, 3], [1, 4]])
    plain, other = run(network, given, pairs=pairs), run(network, given, pairs=turned)
    assert torch.allclose(other.sources_m, plain.sources_m, atol=1e-4)
    assert torch.allclose(other.likelihoods.gates, plain.likelihoods.gates, atol=1e-4)
    assert torch.allclose(
        other.likelihoods.at(POINTS, given.positions_m, SPEED),
        plain.likelihoods.at(POINTS, given.positions_m, SPEED),
        atol=1e-3,
    )


def test_a_constant_in_the_learned_curves_is_no_evidence():
    network, scene = tiny(is_untrained=True), contract_scene()
    with torch.no_grad():
        network.head.lag.last.bias.fill_(3.0)
    noise = np.random.default_rng(0).standard_normal(scene.audio.shape).astype(np.float32)
    assert ThreeStream(network=network).locate(replace(scene, audio=noise)).verdict == "abstain"


def test_noise_alone_is_not_located():
    scene = contract_scene()
    noise = np.random.default_rng(0).standard_normal(scene.audio.shape).astype(np.float32)
    estimate = ThreeStream(network=tiny(is_untrained=True)).locate(replace(scene, audio=noise))
    assert estimate.reasons == ("no_signal",)
