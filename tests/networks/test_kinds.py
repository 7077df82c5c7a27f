"""The head that tells kinds of sound: what it hears, what it does not mind, what it refuses."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from soundfix.errors import CheckpointError
from soundfix.estimate import KINDS
from soundfix.networks import checkpoint
from soundfix.networks.kinds import (
    BANDS,
    DEEPEST,
    FEATURES,
    FINE,
    LAGS,
    LONGEST,
    PACKAGED,
    SHORTEST,
    KindHead,
    Kinds,
    features,
    load_kinds,
    save_kinds,
)
from soundfix.signal.fbank import normalized_log_mel
from soundfix.simulation import sounds
from soundfix.simulation.synthesis import SYNTHESIZED

RATE = 16_000.0


@pytest.fixture(scope="module")
def kinds():
    return load_kinds()


def tensor(*sound):
    return torch.tensor(np.array(sound), dtype=torch.float32)


def noise(seconds, seed=0):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def literal(sound):
    """The features of one sound, from its log-mel spectrum, number by number. sound: at the level of the encoder."""
    spectrum = normalized_log_mel(sound).numpy()
    spectrum = np.maximum(spectrum, spectrum.max() - DEEPEST)
    fine = spectrum.reshape(len(spectrum), FINE, -1).mean(axis=2)
    bands = fine.reshape(len(fine), BANDS, -1).mean(axis=2)
    found = [*bands.mean(axis=0), *bands.std(axis=0, ddof=1)]
    for lag in LAGS:
        found += [np.mean([abs(bands[t, b] - bands[t - lag, b]) for t in range(lag, len(bands))]) for b in range(BANDS)]
    for b in range(BANDS):
        found.append(np.sqrt(np.mean([max(bands[t, b] - bands[t - 2, b], 0) ** 2 for t in range(2, len(bands))])))
    unlike = [np.mean(np.abs(fine[:, b + 1] - fine[:, b])) for b in range(FINE - 1)]
    return [*found, *(np.mean(unlike[b : b + 4]) for b in range(0, FINE - 1, 4))]


@pytest.mark.parametrize("pause_s", [0.0, 0.2])
def test_features_are_what_they_are_said_to_be(pause_s):
    sound = noise(0.5)
    sound[: round(pause_s * RATE)] = 0.0
    (found,) = features(tensor(sound))
    levelled = torch.tensor(sound * 0.05 / np.sqrt(np.mean(sound**2)), dtype=torch.float32)
    assert len(found) == FEATURES
    assert found.numpy() == pytest.approx(np.array(literal(levelled)), abs=2e-3)


def test_level_does_not_matter_and_silence_and_scraps_are_finite(kinds):
    sound = noise(0.5)
    quiet, loud = kinds(tensor(1e-3 * sound, 30 * sound))
    assert quiet.numpy() == pytest.approx(loud.numpy(), abs=1e-3)
    for scrap in (np.zeros(8000), np.zeros(10), noise(0.01)):
        assert torch.isfinite(kinds(tensor(scrap))).all()


def test_of_what_is_longer_the_middle_is_heard(kinds):
    middle = noise(LONGEST / RATE)
    ends = np.sin(np.arange(4000))
    whole = np.concatenate([ends, middle, ends])
    assert kinds(tensor(whole)).numpy() == pytest.approx(kinds(tensor(middle)).numpy(), abs=1e-5)
    assert features(tensor(noise(0.1)[: SHORTEST - 1])).shape == (1, FEATURES)


def test_the_packaged_head_tells_clear_sounds(kinds):
    rng = np.random.default_rng(3)
    make = {"speech": sounds.voice, "music": sounds.melody, "other": SYNTHESIZED["claps"]}
    heard = [tensor(*(one(1.0, sample_rate=RATE, rng=rng) for _ in range(6))) for one in make.values()]
    heard.append(tensor(*(noise(1.0, seed) for seed in range(6))))
    assert kinds.names == KINDS
    for told, name in zip(map(kinds, heard), KINDS, strict=True):
        assert told.sum(dim=1).numpy() == pytest.approx(1.0, abs=1e-5)
        assert (told.argmax(dim=1) == KINDS.index(name)).sum() >= 5, name


def test_a_head_is_normalised_to_its_features():
    found = torch.randn(50, FEATURES, generator=torch.Generator().manual_seed(1)) * 3 + 2
    found[:, 0] = 1.0
    head = KindHead(4)
    head.normalize_to(found)
    assert head.middle.numpy() == pytest.approx(found.mean(dim=0).numpy())
    assert torch.isfinite(head(found)).all()
    assert head(found).exp().sum(dim=1).detach().numpy() == pytest.approx(1.0, abs=1e-5)


def test_what_is_written_is_read_back(tmp_path):
    torch.manual_seed(0)
    head = Kinds(KindHead(3), ("a", "b", "c")).eval()
    save_kinds(head, tmp_path / "head.safetensors", notes={"rooms": 1})
    back = load_kinds(tmp_path / "head.safetensors")
    assert back.names == ("a", "b", "c")
    assert torch.equal(back(tensor(noise(0.5))), head(tensor(noise(0.5))))
    assert PACKAGED.stat().st_size < 50_000


def test_what_is_no_head_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"tells no kinds of sound.* is it a network"):
        load_kinds(checkpoint.PACKAGED)
    with pytest.raises(CheckpointError, match="there is no such file"):
        load_kinds(tmp_path / "nothing.safetensors")
    tensors = load_file(PACKAGED)
    tensors.pop("layers.2.bias")
    save_file(tensors, tmp_path / "less.safetensors", {"soundfix kinds": '{"kinds": ["a", "b", "c", "d"]}'})
    with pytest.raises(CheckpointError, match=r"lacks layers\.2\.bias"):
        load_kinds(tmp_path / "less.safetensors")
