"""Measured responses: delays and levels kept through resampling, geometry of SOFA by hand, clips by seed."""

import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import butter, sosfiltfilt

from helpers.responses import DELAYS, POSITIONS, SOURCES, SPEED, deltas, save
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.measured import Measured, read_npz, read_rooms
from soundfix.errors import ConfigError, DatasetError
from soundfix.simulation.soundbank import BuiltInSounds, read_bank


def lag(later, earlier, most=300):
    """By how many samples, from the largest correlation."""
    lags = np.arange(-most, most + 1)
    middle = earlier[most:-most]
    return lags[np.argmax([middle @ later[most + n : len(later) - most + n] for n in lags])]


def test_a_room_keeps_its_geometry_and_speed(room):
    assert room.name == "lab"
    assert np.array_equal(room.microphones.positions, POSITIONS)
    assert np.array_equal(room.sources, SOURCES)
    assert room.speed_of_sound_m_s == SPEED
    assert room.responses.shape == (2, 4, 200)


def test_a_response_at_16_khz_does_what_it_does_at_48(room, rng):
    """Convolve, then resample, is resample, then convolve: delay and level alike, as far as both rates reach."""
    dry = sosfiltfilt(butter(8, 6000, fs=48_000, output="sos"), rng.standard_normal(12_000))
    slow = soxr.resample(np.convolve(dry, deltas()[0, 2])[: len(dry)], 48_000, 16_000)
    quick = np.convolve(soxr.resample(dry, 48_000, 16_000), room.responses[0, 2])[: len(slow)]
    assert np.abs(slow - quick)[300:-300].max() < 0.01 * np.abs(slow).max()


def test_a_clip_has_the_delays_and_levels_of_its_responses(room):
    data = Measured(rooms=(room,), count=4, seed=3, clip_s=0.5, sound_shares={"voice": 1.0})
    assert isinstance(data, Dataset)
    assert len(data) == 4
    scene = data[2]
    assert (scene.audio.shape, scene.audio.dtype, scene.sample_rate) == ((4, 8000), np.float32, 16_000)
    assert np.abs(scene.audio).max() == pytest.approx(0.5)
    assert (scene.speed, scene.truth.snr_db) == (SPEED, None)
    source = int(np.flatnonzero((scene.truth.sources[0] == SOURCES).all(axis=1))[0])
    heard = [lag(scene.audio[m], scene.audio[0]) for m in range(4)]
    assert heard == ((DELAYS[source] - DELAYS[source, 0]) // 3).tolist()
    rms = np.sqrt(np.mean(scene.audio**2, axis=1))
    assert rms / rms[0] == pytest.approx(0.8 ** np.arange(4), rel=0.1)


def test_clips_depend_on_seed_and_number_alone(room):
    one, again, other = (Measured(rooms=(room,), count=8, seed=seed, clip_s=0.1, snr_db=10.0) for seed in (1, 1, 2))
    again[7]
    assert np.array_equal(one[5].audio, again[5].audio)
    assert not np.array_equal(one[5].audio, one[6].audio)
    assert not np.array_equal(one[5].audio, other[5].audio)
    assert {tuple(one[k].truth.sources[0]) for k in range(8)} == set(map(tuple, SOURCES))
    with pytest.raises(IndexError):
        one[8]


def test_a_clip_begins_in_the_middle_of_the_reverberation(tmp_path):
    """A late response alone: without a lead-in, the clip would begin with silence."""
    path = save(tmp_path / "late.npz", rir=deltas(np.full((2, 4), 9000), taps=9600))
    audio = Measured(rooms=(read_npz(path),), count=1, clip_s=0.5)[0].audio
    assert np.sqrt(np.mean(audio[:, :1600] ** 2)) > 0.02


def test_several_sources_add_up(room):
    """Both are there, and the sound of both is the sum of each, at one common scale."""
    data = Measured(rooms=(room,), count=1, source_count=2, clip_s=0.5)
    scene = data[0]
    assert np.array_equal(scene.truth.sources, SOURCES)
    rng = np.random.default_rng([0, 0])
    rng.integers(1)
    rng.choice(2, 2, replace=False)
    dry = [BuiltInSounds().draw((8000 + 200) / 16_000, rng) for _ in range(2)]
    sums = [
        np.sum([np.convolve(d, r[m])[200:8200] for d, r in zip(dry, room.responses, strict=True)], axis=0)
        for m in range(4)
    ]
    assert scene.audio == pytest.approx(0.5 * np.array(sums) / np.abs(sums).max(), abs=1e-6)


def test_noise_is_as_loud_as_asked(room):
    """The two differ by noise alone, up to their common scale."""
    clean, noisy = (Measured(rooms=(room,), count=1, snr_db=snr_db)[0] for snr_db in (None, 6.0))
    scale = np.sum(clean.audio * noisy.audio) / np.sum(clean.audio**2)
    noise = noisy.audio - scale * clean.audio
    assert 10 * np.log10(np.mean((scale * clean.audio) ** 2) / np.mean(noise**2)) == pytest.approx(6.0, abs=0.3)
    assert noisy.truth.snr_db == 6.0


def test_the_reverberation_time_is_measured(tmp_path, rng):
    time_s = np.arange(24_000) / 48_000
    rir = rng.standard_normal((2, 4, len(time_s))) * 10 ** (-3 * time_s / 0.4)
    truth = Measured(rooms=(read_npz(save(tmp_path / "a.npz", rir=rir)),), count=1, clip_s=0.1)[0].truth
    assert truth.rt60_s == pytest.approx(0.4, rel=0.05)


def test_recordings_are_played(room, tmp_path):
    """A tone in, a tone out."""
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * np.arange(44_100) / 44_100), 44_100)
    data = Measured(rooms=(room,), count=1, clip_s=0.5, sounds=read_bank([tmp_path]))
    spectrum = np.abs(np.fft.rfft(data[0].audio[0] * np.hanning(8000)))
    assert spectrum.argmax() * 2 == 1000


def test_one_source_and_quantities_that_the_file_does_not_tell(tmp_path):
    """As dEchorate's: (M, taps), and here without fs and c. What the file tells wins."""
    path = save(tmp_path / "a.npz", rir=deltas()[0], source_position=SOURCES[0], fs=None, c=None)
    room = read_npz(path, sample_rate_hz=48_000.0, speed_of_sound_m_s=340.0)
    assert (room.responses.shape, room.sources.tolist(), room.speed_of_sound_m_s) == ((1, 4, 200), [[1, 1, 1]], 340.0)
    assert read_npz(path, sample_rate_hz=48_000.0).speed_of_sound_m_s is None
    with pytest.raises(DatasetError, match=r"holds no fs, .*give sample_rate_hz"):
        read_npz(path)
    rooms = read_rooms([path, save(tmp_path / "b.npz")], sample_rate_hz=48_000.0, speed_of_sound_m_s=340.0)
    assert [(r.name, r.speed_of_sound_m_s) for r in rooms] == [("a", 340.0), ("b", SPEED)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rir": None}, "holds mic_positions, source_position, fs, c, wanted rir too"),
        ({"rir": deltas().transpose(1, 0, 2)}, r"shape \(4, 2, 600\), wanted \(2 sources, 4 microphones, taps\)"),
        ({"rir": deltas()[:, :, :0]}, "taps"),
        ({"rir": deltas() * np.nan}, "hold NaN"),
        ({"rir": deltas() * (np.arange(4) != 2)[:, None]}, "microphone 3 to source 1 is silent"),
        ({"rir": np.array(["a"])}, "shape"),
        ({"mic_positions": POSITIONS.T}, r"mic_positions \(3, 4\).*transposed"),
        ({"mic_positions": POSITIONS * np.nan}, "has no position"),
        ({"mic_positions": POSITIONS[[0, 1, 2, 0]]}, "bad.npz: microphones mic1 and mic4 stand on the same spot"),
        ({"fs": 48}, "48 samples a second, .*was it given in kHz"),
        ({"fs": -1}, "fs is -1, wanted one number above 0"),
        ({"c": np.array([1, 2])}, "c is .*wanted one number"),
    ],
)
def test_npz_files_that_cannot_be(tmp_path, changes, message):
    with pytest.raises(DatasetError, match=message):
        read_npz(save(tmp_path / "bad.npz", **changes))


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "pickle", "array", "gone"])
def test_npz_files_that_are_damaged(tmp_path, damage):
    path = save(tmp_path / "bad.npz")
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[300:20_000:7] = bytes(byte ^ 255 for byte in flipped[300:20_000:7])
    contents = {"cut": whole[:9000], "flipped": bytes(flipped), "text": b"x,y,z", "empty": b""}
    if damage in contents:
        path.write_bytes(contents[damage])
    elif damage == "pickle":
        np.savez(path, rir=np.array([{}], dtype=object))
    elif damage == "array":
        with path.open("wb") as file:
            np.save(file, deltas())
    else:
        path.unlink()
    with pytest.raises(DatasetError, match=r"cannot read .*bad.npz as .npz"):
        read_npz(path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"source_count": 3}, "source_count is 3, but lab has responses to 2 sources"),
        ({"source_count": 0}, "source_count is 0"),
        ({"count": 0}, "0 clips from 1 rooms"),
        ({"rooms": ()}, "1 clips from 0 rooms"),
        ({"clip_s": 0.0}, "clip_s is 0.0"),
    ],
)
def test_settings_that_cannot_be(room, given, message):
    with pytest.raises(ConfigError, match=message):
        Measured(**({"rooms": (room,), "count": 1} | given))
