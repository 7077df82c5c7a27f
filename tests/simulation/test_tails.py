"""Measured tails: what follows the direct sound, as loud at every microphone."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.errors import DatasetError
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.tails import FADE_S, LATE_S, prolonged, read_tails
from soundfix.simulation.worlds import LUVIRA_TWIN, draw_world

RATE = 16_000.0
FIRST = 160  # sample of the direct sound


@pytest.fixture
def file(tmp_path, rng):
    """Two settings of three responses: a direct sound, and noise that decays."""
    arrays = {}
    for name in ("dry", "live"):
        decay = np.exp(-np.arange(4800) / (800 if name == "dry" else 3000))
        response = 0.1 * rng.standard_normal((3, 4800)) * decay
        response[:, :FIRST], response[:, FIRST] = 0.0, 1.0
        arrays[name] = np.round(response / 2 * 32767).clip(-32767, 32767).astype(np.int16)
    path = tmp_path / "tails.npz"
    np.savez(path, **arrays, full_scale=np.float32(2.0), sample_rate=np.int64(RATE), places=np.zeros((3, 3)))
    return str(path)


def test_a_tail_begins_after_the_direct_sound(file):
    settings = read_tails(file, RATE)
    assert [tails.shape for tails in settings] == [(3, 4800)] * 2
    start, full = round(LATE_S * RATE), round((LATE_S + FADE_S) * RATE)
    for tails in settings:
        assert not tails[:, :start].any()
        assert (np.square(tails[:, full : full + 400]).mean(axis=1) > 1e-6).all()


def test_a_tail_is_for_a_direct_sound_of_energy_one(file):
    """The simulated tail is a tenth of the direct sound at first."""
    dry = read_tails(file, RATE)[0][0]
    assert dry[900:1000].std() == pytest.approx(0.1 * np.exp(-950 / 800), rel=0.5)


def test_as_loud_at_every_microphone_and_different_at_each(file, rng):
    click = np.zeros((3, 8000), dtype=np.float32)
    click[:, 100] = [1.0, 0.5, 0.1]
    late = prolonged(click, read_tails(file, RATE)[1:], rng) - click
    levels_db = 10 * np.log10(np.square(late).sum(axis=1))
    assert np.ptp(levels_db) < 2.0
    assert np.abs(np.corrcoef(late) - np.eye(3)).max() < 0.5


def test_a_world_with_tails_goes_on_longer(file):
    world = replace(LUVIRA_TWIN, duration_s=0.5, image_order=1, rt60_s=(0.0, 0.0), snr_db=(60.0, 60.0))
    short, long = (
        draw_world(replace(world, tails=tails), BuiltInSounds(), np.random.default_rng(3)).audio for tails in ("", file)
    )
    assert short.shape == long.shape
    assert not np.allclose(short, long, atol=1e-3)


@pytest.mark.parametrize("content", [b"", b"PK nonsense"])
def test_what_is_no_file_of_tails(tmp_path, content):
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="holds no tails"):
        read_tails(str(path), RATE)


def test_another_rate_is_refused(file):
    with pytest.raises(DatasetError, match="2 settings at 16000 Hz, wanted one or more at 48000 Hz"):
        read_tails(file, 48_000.0)
