"""Measured responses: delays and levels kept through resampling, geometry of SOFA by hand, clips by seed."""

import sys

import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import butter, sosfiltfilt

from soundfix.datasets.dataset import Dataset
from soundfix.datasets.measured import Measured, read_npz, read_rooms, read_sofa
from soundfix.errors import ConfigError, DatasetError, MissingPackageError
from soundfix.simulation.soundbank import BuiltInSounds, read_bank

POSITIONS = np.array([[0.0, 0, 1], [4, 0, 1.5], [4, 3, 1], [0, 3, 2]])
SOURCES = np.array([[1.0, 1, 1], [3, 2, 1.5]])
SPEED = 345.844
DELAYS = np.array([[60, 90, 120, 150], [33, 63, 240, 12]])  # taps at 48 kHz: 20, 30, ... samples at 16 kHz


def deltas(delays=DELAYS, *, taps=600):
    """A direct sound for every microphone, each 0.8 of the one before."""
    responses = np.zeros((*delays.shape, taps))
    np.put_along_axis(responses, delays[..., None], (0.8 ** np.arange(delays.shape[1]))[:, None], axis=-1)
    return responses


def save(path, **changes):
    arrays = {"rir": deltas(), "mic_positions": POSITIONS, "source_position": SOURCES, "fs": 48_000, "c": SPEED}
    np.savez(path, **{name: array for name, array in (arrays | changes).items() if array is not None})
    return path


@pytest.fixture
def room(tmp_path):
    return read_npz(save(tmp_path / "lab.npz"))


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


# SOFA


def write_sofa(path, convention, **values):
    """With sofar; its variables of text are left out, for its writer trips over them with some versions of netCDF4."""
    sofa = pytest.importorskip("sofar").Sofa(convention)
    for name in ("ReceiverDescriptions", "EmitterDescriptions", "MeasurementDate"):
        if hasattr(sofa, name):
            sofa.delete(name)
    for name, value in values.items():
        setattr(sofa, name, value)
    pytest.importorskip("sofar").write_sofa(str(path), sofa)
    return path


GENERAL = {
    "Data_IR": deltas(), "Data_SamplingRate": 48_000, "Data_Delay": np.zeros((1, 4)), "ReceiverPosition": POSITIONS,
    "ListenerPosition": np.zeros((1, 3)), "SourcePosition": SOURCES, "SourcePosition_Type": "cartesian",
    "SourcePosition_Units": "metre",
}  # fmt: skip


def test_sofa_with_receivers_in_the_room(tmp_path, room):
    (read,) = read_sofa(write_sofa(tmp_path / "g.sofa", "GeneralFIR", **GENERAL), speed_of_sound_m_s=340.0)
    assert read.name == "g"
    assert read.microphones.positions == pytest.approx(POSITIONS)
    assert read.sources == pytest.approx(SOURCES)
    assert np.array_equal(read.responses, room.responses)
    assert read.speed_of_sound_m_s == 340.0
    scene = Measured(rooms=(read,), count=1, clip_s=0.1)[0]
    assert scene.truth.sources[0] in SOURCES


def test_sofa_with_receivers_about_a_listener_who_looks_somewhere(tmp_path):
    """He stands at (2, 1, 1.5) and looks along y: his left is -x. Receivers are spherical: left; ahead, 30° up."""
    path = write_sofa(
        tmp_path / "h.sofa", "SingleRoomSRIR", Data_IR=deltas()[:, :2], Data_Delay=np.zeros((1, 2)),
        ReceiverPosition=np.array([[90.0, 0, 0.1], [0, 30, 0.2]]), ReceiverView=np.array([[1.0, 0, 0]] * 2),
        ReceiverUp=np.array([[0.0, 0, 1]] * 2), ListenerPosition=np.array([[2.0, 1, 1.5]] * 2),
        ListenerView=np.array([[0.0, 1, 0]]), SourcePosition=SOURCES, RoomTemperature=293.15,
    )  # fmt: skip
    with pytest.importorskip("netCDF4").Dataset(path, "a") as file:
        file.createVariable("RoomDescription", "S1", ("I",))[:] = b"a"
    (read,) = read_sofa(path, speed_of_sound_m_s=300.0)
    assert read.microphones.positions == pytest.approx(np.array([[1.9, 1, 1.5], [2, 1 + 0.2 * np.sqrt(0.75), 1.6]]))
    assert read.speed_of_sound_m_s == pytest.approx(343.2, abs=0.1)
    assert read.sources == pytest.approx(SOURCES)


def test_sofa_with_one_receiver_carried_about(tmp_path, room):
    """Four places of the listener for each of two sources: one array, two sources. A place measured twice is one."""
    order = [0, 1, 2, 3, 0, 1, 2, 3, 3]
    path = write_sofa(
        tmp_path / "m.sofa", "GeneralFIR", **(GENERAL | {
            "Data_IR": np.concatenate([deltas().reshape(8, 1, -1), deltas()[1:, :1]]), "Data_Delay": np.zeros((1, 1)),
            "ReceiverPosition": np.zeros((1, 3)), "ListenerPosition": POSITIONS[order],
            "SourcePosition": SOURCES[[0, 0, 0, 0, 1, 1, 1, 1, 1]],
        })
    )  # fmt: skip
    (read,) = read_sofa(path)
    assert read.microphones.positions == pytest.approx(POSITIONS)
    assert np.array_equal(read.responses, room.responses)


def test_sofa_with_sources_heard_by_different_arrays_is_two_rooms(tmp_path):
    path = write_sofa(
        tmp_path / "t.sofa", "GeneralFIR", **(GENERAL | {"ListenerPosition": np.array([[0.0, 0, 0], [1, 0, 0]])})
    )
    first, second = read_rooms([path])
    assert first.sources == pytest.approx(SOURCES[:1])
    assert second.microphones.positions == pytest.approx(POSITIONS + np.array([1, 0, 0]))
    assert second.responses.shape == (1, 4, 200)


def test_sofa_with_sources_in_spherical_coordinates(tmp_path):
    values = GENERAL | {"SourcePosition": np.array([[90.0, 0, 2], [180, 45, np.sqrt(2)]]),
                        "SourcePosition_Type": "spherical", "SourcePosition_Units": "degree, degree, metre",
                        }  # fmt: skip
    (read,) = read_sofa(write_sofa(tmp_path / "s.sofa", "GeneralFIR", **values))
    assert read.sources == pytest.approx(np.array([[0, 2, 0], [-1, 0, 1]]), abs=1e-9)


def test_delays_of_sofa_are_added_fractions_too(tmp_path, room):
    """30 taps are 10 samples at 16 kHz; half a sample later, the sound of a low tone is half a sample later."""
    values = GENERAL | {"Data_Delay": np.array([[0.0, 30, 0, 1.5]])}
    (read,) = read_sofa(write_sofa(tmp_path / "d.sofa", "GeneralFIR", **values))
    later = read.responses[0]
    assert later[1, 10:190] == pytest.approx(room.responses[0, 1, :180], abs=2e-3)
    turns = [np.angle(np.fft.rfft(rows[3], 400)[40]) for rows in (later, room.responses[0])]
    assert (turns[1] - turns[0]) % (2 * np.pi) / (2 * np.pi * 0.1) == pytest.approx(0.5, abs=0.01)


def test_sofa_files_that_cannot_be(tmp_path):
    netCDF4 = pytest.importorskip("netCDF4")
    for name, content in (("text", b"garbage" * 100), ("empty", b"")):
        (tmp_path / f"{name}.sofa").write_bytes(content)
        with pytest.raises(DatasetError, match=rf"cannot read .*{name}.sofa as SOFA"):
            read_sofa(tmp_path / f"{name}.sofa")
    with pytest.raises(DatasetError, match=r"cannot read .*gone.sofa as SOFA"):
        read_sofa(tmp_path / "gone.sofa")
    with pytest.raises(DatasetError, match=r"data of type TF"):
        read_sofa(write_sofa(tmp_path / "tf.sofa", "GeneralTF"))
    silent = GENERAL | {"Data_IR": deltas() * 0}
    with pytest.raises(DatasetError, match=r"microphone 1 to source 1 is silent"):
        read_sofa(write_sofa(tmp_path / "silent.sofa", "GeneralFIR", **silent))
    path = write_sofa(tmp_path / "units.sofa", "GeneralFIR", **GENERAL)
    with netCDF4.Dataset(path, "a") as file:
        file["SourcePosition"].Units = "millimetre"
    with pytest.raises(DatasetError, match=r"SourcePosition is cartesian in 'millimetre', wanted"):
        read_sofa(path)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(DatasetError, match=r"cannot read .*units.sofa as SOFA"):
        read_sofa(path)


def test_without_sofar_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sofar", None)
    with pytest.raises(MissingPackageError, match=r"sofar is not installed; .*soundfix\[interop\]"):
        read_sofa(tmp_path / "a.sofa")
