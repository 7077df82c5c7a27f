"""Coherence by Welch's method, and ASCM: against the literal form, and what must and must not matter."""

import numpy as np
import pytest
import torch

from helpers import reference
from soundfix.errors import SceneError
from soundfix.networks.coherence_weight import AdaptiveCoherenceWeight
from soundfix.signal.coherence import (
    MEASURES,
    coherence,
    magnitude_squared,
    segment_length,
    segment_spectra,
)

RATE = 16_000.0
PAIR = torch.tensor([[0, 1]])


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mixed(share, samples=8000, seed=0):
    """Two channels with this share of their power in common."""
    common, own = noise(seed, samples), noise(seed + 1, 2, samples)
    return share**0.5 * common + (1 - share) ** 0.5 * own


def test_fast_equals_literal():
    x = mixed(0.5, samples=96)
    spectra = segment_spectra(x, segment=32)
    level = x / x.square().mean(dim=1, keepdim=True).sqrt()
    slow = reference.coherence(level[0].double().numpy(), level[1].double().numpy(), 32, 16, range(2, 15))
    assert float(magnitude_squared(spectra, PAIR)[0, 2:15].mean()) == pytest.approx(slow, abs=1e-5)


@pytest.mark.parametrize("measure", MEASURES)
def test_identical_channels_are_coherent_and_strangers_are_not(measure):
    same, strangers = noise(1, 16_000).expand(2, -1), noise(2, 2, 16_000)
    assert float(coherence(same, PAIR, sample_rate=RATE, measure=measure)[0]) == pytest.approx(1.0, abs=1e-4)
    assert float(coherence(strangers, PAIR, sample_rate=RATE, measure=measure)[0]) < 0.45


def test_grows_with_what_is_shared():
    values = [float(coherence(mixed(s), PAIR, sample_rate=RATE)[0]) for s in (0.0, 0.3, 0.6, 0.9, 1.0)]
    assert values == sorted(values)
    assert values[0] < 0.15
    assert values[-1] > 0.999


def test_strangers_show_one_over_the_number_of_segments():
    segments = 2 * 16_000 // 1024 - 1
    value = float(coherence(noise(3, 2, 16_000), PAIR, sample_rate=RATE)[0])
    assert value == pytest.approx(1 / segments, rel=0.35)


def test_one_segment_is_refused():
    with pytest.raises(SceneError, match="1 segments of 100 for coherence, wanted 2 or more"):
        segment_spectra(noise(4, 2, 100), segment=100)


def test_short_windows_get_shorter_segments():
    assert segment_length(16_000) == 1024
    assert segment_length(800) == 400
    assert torch.isfinite(coherence(noise(5, 2, 40), PAIR, sample_rate=RATE)).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_gains_and_a_shift_of_all_do_not_matter(measure):
    x = mixed(0.5)
    loud = x * torch.tensor([[1000.0], [0.01]])
    measured = [float(coherence(y, PAIR, sample_rate=RATE, measure=measure)[0]) for y in (x, loud, x.roll(512, dims=1))]
    assert measured[1] == pytest.approx(measured[0], abs=1e-4)
    assert measured[2] == pytest.approx(measured[0], abs=0.02)


def test_a_long_delay_lowers_it_as_the_docstring_says():
    """A delay of d samples leaves about (1 - d / segment)^2."""
    x = noise(6, 16_314)
    apart = torch.stack([x[:16_000], x[314:]])
    value = float(coherence(apart, PAIR, sample_rate=RATE)[0])
    assert 0.2 < value < 0.7


@pytest.mark.parametrize("measure", MEASURES)
def test_silence_is_incoherent_with_finite_gradients(measure):
    x = noise(7, 3, 4000)
    x[1] = 0
    x.requires_grad_()
    values = coherence(x, torch.tensor([[0, 1], [0, 2], [1, 1]]), sample_rate=RATE, measure=measure)
    assert torch.isfinite(values.detach()).all()
    assert float(values[0].detach()) < 1e-3
    values.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_none_is_one_everywhere():
    values = coherence(noise(8, 2, 3, 4000), torch.tensor([[0, 1], [1, 2]]), sample_rate=RATE, measure="none")
    assert torch.equal(values, torch.ones(2, 2))


def test_measures_differ():
    """Steady in phase but not in level: phase coherence sees it, the magnitude-squared one less."""
    x = noise(9, 16_000)
    fading = torch.stack([x, x * torch.linspace(0.01, 3, 16_000) ** 2]) + 0.01 * noise(10, 2, 16_000)
    values = {m: float(coherence(fading, PAIR, sample_rate=RATE, measure=m)[0]) for m in MEASURES}
    assert values["phase"] > values["magnitude_squared"] + 0.02
    assert len({round(v, 3) for v in values.values()}) == len(MEASURES)


def test_alpha_zero_is_no_weighting_bit_for_bit():
    features = noise(11, 4, 9)
    ascm = AdaptiveCoherenceWeight(alpha=0.0)
    assert torch.equal(ascm(features, torch.tensor([0.0, 0.3, 0.7, 1.0])), features)


def test_alpha_is_learned_and_never_negative():
    ascm = AdaptiveCoherenceWeight(alpha=-2.0)
    c = torch.tensor([0.0, 0.5, 1.0])
    assert torch.allclose(ascm.weight(c), c**2, atol=1e-6)
    ascm.weight(c).sum().backward()
    assert torch.isfinite(ascm.signed_alpha.grad)
    assert float(ascm.signed_alpha.grad) != 0


def test_pairs_stay_apart():
    features, c = torch.ones(2, 3, 5), torch.tensor([[0.1, 0.5, 1.0], [1.0, 0.2, 0.3]])
    weighted = AdaptiveCoherenceWeight()(features, c)
    assert np.allclose(weighted[..., 0].detach(), c, atol=1e-6)


def test_a_fixed_alpha_does_not_learn():
    fixed, learned = AdaptiveCoherenceWeight(0.5, learns=False), AdaptiveCoherenceWeight(0.5)
    c = torch.tensor([0.2, 0.9])
    assert torch.equal(fixed.weight(c), learned.weight(c))
    assert [len(list(each.parameters())) for each in (fixed, learned)] == [0, 1]
    assert fixed.state_dict().keys() == learned.state_dict().keys()  # one kind of checkpoint


def test_magnitude_is_the_root():
    spectra = segment_spectra(mixed(0.5), segment=256)
    assert torch.allclose(MEASURES["magnitude"](spectra, PAIR) ** 2, magnitude_squared(spectra, PAIR), atol=1e-5)


def test_what_is_shared_between_100_hz_and_7_khz_counts():
    """Of 63 bins of what is shared above 2 kHz and below 7 kHz; what is shared above counts for nothing."""
    frequency = torch.fft.rfftfreq(16_000, 1 / RATE)
    common, own = torch.fft.rfft(noise(3, 16_000)), torch.fft.rfft(noise(4, 2, 16_000))
    shared = {}
    for low, high in ((2000, 7000), (7100, 8000), (0, 90)):
        is_inside = (frequency >= low) & (frequency <= high)
        both = torch.fft.irfft(torch.where(is_inside, common, own))
        shared[low] = float(coherence(both, PAIR, sample_rate=RATE)[0])
    strangers = float(coherence(noise(4, 2, 16_000), PAIR, sample_rate=RATE)[0])
    assert shared[2000] == pytest.approx(5.0 / 6.9 + (1 - 5.0 / 6.9) * strangers, abs=0.02)
    assert shared[7100] == pytest.approx(strangers, abs=0.02)
    assert shared[0] == pytest.approx(strangers, abs=0.02)
