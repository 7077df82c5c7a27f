"""Dry sounds: broad enough to locate by, with pauses like speech; excerpts hold sound and no silence."""

import numpy as np
import pytest
import soundfile

from soundfix.errors import AudioFileError
from soundfix.simulation.sounds import GATE_BLOCK_S, PEAK, melody, read_folder, read_heard, reverberate, voice

RATE = 16_000.0
MAKERS = pytest.mark.parametrize("make", [voice, melody])


def band_share(sound, low_hz, high_hz):
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency_hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    return power[(frequency_hz >= low_hz) & (frequency_hz < high_hz)].sum() / power.sum()


def block_power(sound, block_s):
    block = round(block_s * RATE)
    return np.square(sound[: len(sound) // block * block].reshape(-1, block)).mean(axis=1)


def tone(duration_s, rate=RATE, frequency_hz=440.0):
    return 0.4 * np.sin(2 * np.pi * frequency_hz * np.arange(round(duration_s * rate)) / rate)


@MAKERS
@pytest.mark.parametrize("rate", [8_000.0, 16_000.0, 44_100.0, 96_000.0])
def test_length_type_and_peak(make, rate, rng):
    sound = make(0.7, sample_rate=rate, rng=rng)
    assert len(sound) == round(0.7 * rate)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() == pytest.approx(PEAK)


@MAKERS
def test_the_generator_decides_every_sample(make):
    one, same, other = (make(1.0, sample_rate=RATE, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@MAKERS
@pytest.mark.parametrize("seed", range(4))
def test_energy_reaches_7_khz(make, seed):
    """Locating needs bandwidth: no band up to 7 kHz may be empty (below -30 dB of the whole)."""
    sound = make(3.0, sample_rate=RATE, rng=np.random.default_rng(seed))
    assert band_share(sound, 3000, 8000) > 0.01
    assert band_share(sound, 5000, 7000) > 1e-3


@pytest.mark.parametrize("seed", range(4))
def test_a_voice_pauses_and_goes_on(seed):
    power = block_power(voice(4.0, sample_rate=RATE, rng=np.random.default_rng(seed)), 0.02)
    is_quiet = power < 1e-4 * power.max()
    assert 0.005 < is_quiet.mean() < 0.4
    assert not is_quiet[: np.flatnonzero(~is_quiet)[-1]].all()


def test_a_voice_has_a_pitch_and_consonants(rng):
    """Voiced blocks have their power below 1 kHz, hissing ones above 2.5 kHz: both occur."""
    block = round(0.03 * RATE)
    sound = voice(3.0, sample_rate=RATE, rng=rng)
    blocks = [b for b in sound[: len(sound) // block * block].reshape(-1, block) if np.square(b).mean() > 1e-5]
    low = np.array([band_share(b, 0, 1000) for b in blocks])
    high = np.array([band_share(b, 2500, 8000) for b in blocks])
    assert (low > 0.8).mean() > 0.2
    assert (high > 0.8).mean() > 0.05


def test_a_melody_has_attacks_and_decays(rng):
    """Between attacks a plucked note fades: more blocks fall than rise, and the rises are steeper."""
    level_db = 10 * np.log10(block_power(melody(4.0, sample_rate=RATE, rng=rng), 0.03))
    steps = np.diff(level_db)
    assert (steps < 0).sum() > (steps > 0).sum()
    assert steps.max() > 2 * -np.median(steps[steps < 0])


def test_a_folder_is_read_deeply_in_order_and_only_its_audio(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b02.flac", "b10.wav", "deep/x.ogg", "a.WAV"):
        (tmp_path / name).touch()
    for name in ("index.csv", "notes.txt"):
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in read_folder(tmp_path)]
    assert names == ["a.WAV", "b02.flac", "b10.wav", "deep/x.ogg"]


def test_a_folder_without_audio_says_what_is_wanted(tmp_path):
    (tmp_path / "index.csv").touch()
    with pytest.raises(AudioFileError, match=r"no audio file.*\.wav"):
        read_folder(tmp_path)


def test_silence_is_taken_out(tmp_path, rng):
    """1 s of sound in 10 s of near-silence: what is left is loud throughout."""
    sound = 1e-4 * rng.standard_normal(round(10 * RATE))
    sound[round(6 * RATE) : round(7 * RATE)] += tone(1.0)
    soundfile.write(tmp_path / "mostly_silent.wav", sound, round(RATE))
    heard = read_heard(tmp_path / "mostly_silent.wav", sample_rate=RATE)
    assert len(heard) == pytest.approx(RATE, rel=0.2)
    power = block_power(heard[800:-800], GATE_BLOCK_S)
    assert power.min() > 0.5 * power.max()


def test_the_gate_is_20_db_below_the_loudest(tmp_path, rng):
    """A part at -14 dB stays, one at -26 dB goes: 2 s of 3 are left."""
    parts = [tone(1.0), 0.2 * tone(1.0), 0.05 * tone(1.0)]
    soundfile.write(tmp_path / "three_levels.wav", np.concatenate(parts), round(RATE))
    power = block_power(read_heard(tmp_path / "three_levels.wav", sample_rate=RATE), GATE_BLOCK_S)
    ratio = power / power.max()
    assert (ratio > 0.9).sum() == pytest.approx(10, abs=1)
    assert ((ratio > 0.03) & (ratio < 0.05)).sum() == pytest.approx(10, abs=1)
    assert (ratio < 0.01).sum() == 0


def test_a_recording_is_mono_and_resampled(tmp_path, rng):
    left = tone(1.0, rate=44_100, frequency_hz=1000)
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, left], axis=1), 44_100)
    heard = read_heard(tmp_path / "stereo.wav", sample_rate=RATE)
    assert heard.shape == (16_000,)
    assert band_share(heard, 990, 1010) > 0.99


def test_channels_are_averaged(tmp_path, rng):
    """Opposite channels cancel: mono is their mean, not one of them."""
    soundfile.write(tmp_path / "opposite.wav", np.stack([tone(1.0), -tone(1.0)], axis=1), round(RATE), subtype="FLOAT")
    with pytest.raises(AudioFileError, match="nothing to hear"):
        read_heard(tmp_path / "opposite.wav", sample_rate=RATE)


@pytest.mark.parametrize("samples", [320, 1599, 1601])
def test_a_sound_shorter_than_a_block_is_a_sound(tmp_path, samples):
    """Effects last 20 ms and more; what is longer than one block loses less than another."""
    soundfile.write(tmp_path / "knock.wav", tone(0.2)[:samples], round(RATE))
    heard = read_heard(tmp_path / "knock.wav", sample_rate=RATE)
    assert len(heard) == min(samples, round(GATE_BLOCK_S * RATE))
    assert heard == pytest.approx(tone(0.2)[: len(heard)], abs=1e-4)


@pytest.mark.parametrize(
    ("samples", "seconds"), [(np.zeros(16_000), "1 s"), (np.zeros(800), "0.05 s"), (np.zeros(0), "0 s")]
)
def test_silent_and_empty_files_are_refused(tmp_path, rng, samples, seconds):
    soundfile.write(tmp_path / "useless.wav", samples, round(RATE))
    with pytest.raises(AudioFileError, match=rf"useless.wav holds {seconds} and nothing to hear.*too short"):
        read_heard(tmp_path / "useless.wav", sample_rate=RATE)


def test_an_unreadable_file_is_named(tmp_path, rng):
    (tmp_path / "text.wav").write_text("this is no audio")
    with pytest.raises(AudioFileError, match=r"cannot read .*text\.wav"):
        read_heard(tmp_path / "text.wav", sample_rate=RATE)


def test_reverberate_is_convolution_cut_to_the_sound(rng):
    """Against the definition, sample by sample; and a click at 3 samples is a delay of 3."""
    sound, responses = rng.standard_normal(50), rng.standard_normal((2, 20))
    heard = reverberate(sound, responses)
    literal = np.array([[h[: n + 1] @ sound[n::-1][: len(h)] for n in range(50)] for h in responses])
    assert heard == pytest.approx(literal)
    delayed = reverberate(sound, np.eye(20)[3:4])
    assert delayed[0, 3:] == pytest.approx(sound[:-3])
    assert delayed[0, :3] == pytest.approx(0, abs=1e-12)
