"""The cache of features: what it must compute again and what it must not."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from helpers import DATA
from soundfix.errors import OutputError
from soundfix.networks.encoders import beats
from soundfix.networks.encoders.beats import Beats
from soundfix.networks.encoders.features import FeatureCache

TINY = DATA / "beats_tiny.pt"


@pytest.fixture
def encoder() -> Beats:
    return beats.load(TINY)


@pytest.fixture
def sound(rng) -> Float[Tensor, "batch time"]:
    return torch.from_numpy(rng.normal(size=(3, 4000)).astype("float32")) * 0.1


@pytest.fixture
def heard(monkeypatch) -> list[int]:
    """Rows of every batch that was really run through an encoder."""
    counts, pooled = [], Beats.pooled

    def counting(self, waveform):
        assert not torch.is_grad_enabled()
        counts.append(len(waveform))
        return pooled(self, waveform)

    monkeypatch.setattr(Beats, "pooled", counting)
    return counts


def test_same_as_the_encoder(encoder, sound, tmp_path):
    with torch.no_grad():  # with gradient, attention takes another route and differs by rounding
        expected = encoder.pooled(sound)
    cache = FeatureCache(tmp_path)
    first, second = cache.pooled(encoder, sound), cache.pooled(encoder, sound)
    assert torch.equal(first, expected)
    assert torch.equal(second, expected)
    assert not first.requires_grad


def test_hears_once(encoder, sound, tmp_path, heard):
    cache = FeatureCache(tmp_path / "new" / "folder")
    cache.pooled(encoder, sound)
    cache.pooled(encoder, sound.flip(0))
    FeatureCache(tmp_path / "new" / "folder").pooled(beats.load(TINY), sound[1:])
    assert heard == [3]


def test_order_of_rows(encoder, sound, tmp_path):
    cache = FeatureCache(tmp_path)
    features = cache.pooled(encoder, sound)
    assert torch.equal(cache.pooled(encoder, sound.flip(0)), features.flip(0))


def test_only_what_is_missing_and_each_once(encoder, sound, tmp_path, heard):
    cache = FeatureCache(tmp_path)
    cache.pooled(encoder, sound[:1])
    features = cache.pooled(encoder, sound[[1, 0, 1, 2, 1]])
    assert heard == [1, 2]
    assert torch.equal(features[0], features[2])
    with torch.no_grad():
        torch.testing.assert_close(features, encoder.pooled(sound[[1, 0, 1, 2, 1]]), atol=1e-5, rtol=0)


def test_a_changed_sample(encoder, sound, tmp_path, heard):
    cache = FeatureCache(tmp_path)
    before = cache.pooled(encoder, sound)
    sound[1, 2000] += 1e-3
    after = cache.pooled(encoder, sound)
    assert heard == [3, 1]
    assert not torch.equal(after[1], before[1])
    assert torch.equal(after[::2], before[::2])


def test_a_changed_weight(encoder, sound, tmp_path, heard):
    cache = FeatureCache(tmp_path)
    before = cache.pooled(encoder, sound)
    with torch.no_grad():
        encoder.layers[2].contract.bias[5] += 0.5
    assert not torch.equal(cache.pooled(encoder, sound), before)
    assert heard == [3, 3]
    assert torch.equal(cache.pooled(beats.load(TINY), sound), before)


def test_another_dtype_is_another_encoder(encoder, sound, tmp_path, heard):
    cache = FeatureCache(tmp_path)
    cache.pooled(encoder, sound)
    cache.pooled(beats.load(TINY, dtype=torch.bfloat16), sound)
    assert heard == [3, 3]


def test_one_file_a_row_in_two_levels(encoder, sound, tmp_path):
    FeatureCache(tmp_path).pooled(encoder, sound)
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3
    assert all(len(p.parent.name) == 2 and len(p.stem) == 62 and p.suffix == ".safetensors" for p in files)


@pytest.mark.parametrize("damage", ["emptied", "cut", "overwritten", "one bit"])
def test_a_damaged_file_is_computed_again(encoder, sound, tmp_path, heard, damage):
    cache = FeatureCache(tmp_path)
    before = cache.pooled(encoder, sound)
    (file, *_) = tmp_path.rglob("*.safetensors")
    content = file.read_bytes()
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    file.write_bytes({"emptied": b"", "cut": content[:-7], "overwritten": b"no" * 99, "one bit": flipped}[damage])
    torch.testing.assert_close(cache.pooled(encoder, sound), before, atol=1e-5, rtol=0)
    cache.pooled(encoder, sound)
    assert heard == [3, 1]


def test_silence(encoder, tmp_path):
    assert FeatureCache(tmp_path).pooled(encoder, torch.zeros(2, 4000)).isfinite().all()


def test_a_folder_that_cannot_be(encoder, sound, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write .*Not a directory"):
        FeatureCache(tmp_path / "file").pooled(encoder, sound)
