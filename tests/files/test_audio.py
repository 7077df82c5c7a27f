"""Recordings: every format, streamed = one-shot, and damaged files become one readable sentence."""

import struct
from datetime import datetime

import numpy as np
import pytest
import soundfile
import soxr

from helpers.recordings import RATE, heard, saved, with_bytes
from soundfix.errors import AudioFileError, SceneError
from soundfix.files import audio
from soundfix.files.audio import Channel, open_recording

FORMATS = [
    ("wav", "WAV", "PCM_U8", 2**-7),
    ("wav", "WAV", "PCM_16", 2**-15),
    ("wav", "WAV", "PCM_24", 2**-23),
    ("wav", "WAV", "PCM_32", 2**-23),
    ("wav", "WAV", "FLOAT", 0),
    ("wav", "WAV", "DOUBLE", 0),
    ("wav", "WAVEX", "PCM_16", 2**-15),
    ("flac", "FLAC", "PCM_S8", 2**-7),
    ("flac", "FLAC", "PCM_16", 2**-15),
    ("flac", "FLAC", "PCM_24", 2**-23),
    ("w64", "W64", "PCM_24", 2**-23),
    ("w64", "W64", "FLOAT", 0),
    ("wav", "RF64", "PCM_16", 2**-15),
    ("rf64", "RF64", "FLOAT", 0),
    ("aiff", "AIFF", "PCM_16", 2**-15),
    ("caf", "CAF", "PCM_16", 2**-15),
]


@pytest.mark.parametrize(("suffix", "container", "subtype", "step"), FORMATS)
def test_every_format_gives_its_samples(tmp_path, sound, suffix, container, subtype, step):
    path = saved(tmp_path / f"take.{suffix}", sound, format=container, subtype=subtype)
    recording = open_recording([path])
    assert recording.channels == (Channel(file=path, number=1), Channel(file=path, number=2))
    assert recording.duration_s == 0.5
    assert recording.notes == ()
    np.testing.assert_allclose(heard(recording), sound.T, rtol=0, atol=step)


def test_ogg_gives_about_its_samples(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    path = saved(tmp_path / "take.ogg", tone, format="OGG", subtype="VORBIS")
    np.testing.assert_allclose(heard(open_recording([path]))[0], tone, rtol=0, atol=0.05)


@pytest.mark.parametrize(("rate", "wanted"), [(48000, 16000.0), (44100, 16000.0), (8000, 16000.0), (22050, 15999.5)])
def test_streamed_resampling_equals_one_shot(tmp_path, rng, monkeypatch, rate, wanted):
    monkeypatch.setattr(audio, "LARGEST_READ_FRAMES", 777)
    sound = rng.normal(size=(30_011, 3)).astype(np.float32)
    recording = open_recording([saved(tmp_path / "take.wav", sound, rate)], sample_rate=wanted)
    one_shot = soxr.resample(sound, rate, wanted).T
    assert recording.duration_s == pytest.approx(one_shot.shape[1] / wanted)
    np.testing.assert_allclose(heard(recording), one_shot, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("rates", "kept"), [((8000,), 8000), ((8000, 11_025), 11_025), ((8000, 48_000), RATE)])
def test_a_lower_rate_than_16_khz_is_kept_the_highest_of_several(tmp_path, sound, rates, kept):
    recording = open_recording([saved(tmp_path / f"{rate}.wav", sound, rate) for rate in rates])
    assert recording.sample_rate == kept
    if len(rates) == 1:
        np.testing.assert_array_equal(heard(recording), sound.T)


def test_files_become_channels_in_the_order_given(tmp_path, sound):
    mono, stereo = saved(tmp_path / "b.wav", sound[:, 0] / 2), saved(tmp_path / "a.wav", sound)
    recording = open_recording([mono, str(stereo)])
    assert [(channel.file.name, channel.number) for channel in recording.channels] == [
        ("b.wav", 1),
        ("a.wav", 1),
        ("a.wav", 2),
    ]
    np.testing.assert_array_equal(heard(recording), [sound[:, 0] / 2, *sound.T])


def test_a_folder_is_its_audio_files_in_natural_order(tmp_path, sound):
    for name in ("Track 10.wav", "Track 2.WAV", "track 1.flac", "._Track 2.wav"):
        saved(tmp_path / name, sound, subtype="PCM_16")
    (tmp_path / "notes.txt").write_text("windy")
    assert [file.path.name for file in open_recording([tmp_path]).files] == [
        "track 1.flac",
        "Track 2.WAV",
        "Track 10.wav",
    ]


@pytest.mark.parametrize(
    ("given", "heard_in"),
    [
        (["m1.wav", "m10.wav", "m2.wav"], ["m1.wav", "m2.wav", "m10.wav"]),
        (["a.wav", "B10.wav", "B2.wav"], ["a.wav", "B2.wav", "B10.wav"]),  # as a shell sorts in most languages
        (["m10.wav", "m1.wav", "m2.wav"], ["m10.wav", "m1.wav", "m2.wav"]),  # by hand
    ],
)
def test_files_as_a_shell_lists_them_come_in_natural_order(tmp_path, sound, given, heard_in):
    recording = open_recording([saved(tmp_path / name, sound) for name in given])
    assert [file.path.name for file in recording.files] == heard_in


def test_the_recording_lasts_as_long_as_the_longest_file_and_the_others_are_missing(tmp_path, sound):
    short, long = saved(tmp_path / "short.wav", sound[:4000]), saved(tmp_path / "long.wav", sound)
    recording = open_recording([long, short])
    assert recording.duration_s == 0.5
    assert (recording.notes, recording.starts_at) == ((), None)
    whole = heard(recording)
    np.testing.assert_array_equal(whole[:2], sound.T)
    np.testing.assert_array_equal(whole[2:, :4000], sound[:4000].T)
    assert np.isnan(whole[2:, 4000:]).all()


@pytest.mark.parametrize(("lengths", "samples"), [((8000, 8000, 8700), 8000), ((8000, 8000, 8000, 24_001), 24_001)])
def test_a_little_more_of_a_few_is_left_out(tmp_path, rng, lengths, samples):
    """Recorders that were stopped together: no window in which most are missing."""
    paths = [saved(tmp_path / f"{m}.wav", rng.normal(size=length)) for m, length in enumerate(lengths)]
    recording = open_recording(paths)
    assert recording.samples == samples
    assert heard(recording).shape == (len(lengths), samples)


@pytest.fixture
def duty(tmp_path, rng, monkeypatch):
    """Two recorders that listen for 0.5 s every 2 s, three times; the second one has lost its second file."""
    monkeypatch.setattr(audio, "FEWEST", 1)
    sounds = rng.normal(size=(3, 2, 8000)).astype(np.float32)
    for k in range(3):
        for m in range(2 if k != 1 else 1):
            (tmp_path / f"m{m}").mkdir(exist_ok=True)
            saved(tmp_path / f"m{m}" / f"20220620_14300{2 * k}.wav", sounds[k, m])
    return tmp_path, sounds


def test_files_in_a_row_stand_where_their_times_say(duty):
    folder, sounds = duty
    recording = open_recording([folder])
    assert recording.starts_at == datetime(2022, 6, 20, 14, 30)
    assert recording.duration_s == 4.5
    whole = heard(recording)
    for k in range(3):
        np.testing.assert_array_equal(whole[0, 32_000 * k : 32_000 * k + 8000], sounds[k, 0])
    assert np.isnan(whole[0, 8000:32_000]).all()
    assert np.isnan(whole[1, 8000:64_000]).all()
    np.testing.assert_array_equal(whole[1, 64_000:], sounds[2, 1])


def test_when_nobody_listens_there_is_no_window(duty):
    folder, sounds = duty
    recording = open_recording([folder])
    windows = list(recording.windows(0.25, 0.25))
    assert [start_s for start_s, _ in windows] == [0.0, 0.25, 2.0, 2.25, 4.0, 4.25]
    assert recording.count_windows(0.25, 0.25) == 6
    np.testing.assert_array_equal(windows[3][1][0], sounds[1, 0, 4000:])
    np.testing.assert_array_equal(windows[5][1], sounds[2, :, 4000:])


def test_what_is_skipped_is_not_decoded(duty, monkeypatch):
    opened, honest = [], audio.Reader

    def reader(file, *args, **kwargs):
        opened.append(file.path.name)
        return honest(file, *args, **kwargs)

    monkeypatch.setattr(audio, "Reader", reader)
    starts = [start for start, _ in open_recording([duty[0] / "m0"]).windows(0.1, 4.0)]
    assert starts == [0.0, 4.0]
    assert opened == ["20220620_143000.wav", "20220620_143004.wav"]


def test_a_hop_within_a_file_reads_on_at_the_right_place(tmp_path, rng):
    sound = rng.normal(size=(24_000, 1)).astype(np.float32)
    recording = open_recording([saved(tmp_path / "take.wav", sound)])
    for start, window in recording.windows(0.1, 0.7):
        np.testing.assert_array_equal(window, sound.T[:, round(start * RATE) : round((start + 0.1) * RATE)])


def test_differing_rates_are_each_resampled_and_said(tmp_path, sound):
    slow, fast = saved(tmp_path / "slow.wav", sound), saved(tmp_path / "fast.wav", np.repeat(sound, 2, axis=0), 32000)
    recording = open_recording([slow, fast])
    assert recording.notes == (
        "The files have different sample rates (16000 Hz: slow.wav; 32000 Hz: fast.wav); "
        "each was resampled to 16000 Hz.",
    )
    np.testing.assert_array_equal(heard(recording)[:2], sound.T)
    assert heard(recording).shape == (4, 8000)


def test_a_recording_can_be_read_twice(take):
    recording = open_recording([take])
    np.testing.assert_array_equal(heard(recording), heard(recording, 0.03))


def test_wild_samples_pass_through_where_nothing_is_resampled(tmp_path, sound):
    wild = sound.astype(np.float64)
    wild[[5, 6, 7], 0] = np.nan, -np.inf, 1e308
    heard_wild = heard(open_recording([saved(tmp_path / "take.wav", wild, subtype="DOUBLE")]))
    np.testing.assert_array_equal(heard_wild[0, 5:8], np.float32([np.nan, -np.inf, np.inf]))
    np.testing.assert_array_equal(heard_wild[1], sound[:, 1])


@pytest.mark.parametrize("rate", [48000, 8000, 44100])
def test_a_resampled_nan_stays_where_it_was(tmp_path, rng, monkeypatch, rate):
    monkeypatch.setattr(audio, "LARGEST_READ_FRAMES", 600)
    sound = rng.normal(size=(9000, 2)).astype(np.float32)
    wild = sound.copy()
    places = [0, 599, 600, 4321, 8999]
    wild[places, 0] = np.nan, np.inf, 3e38, -np.inf, np.nan
    sound[places, 0] = 0
    result = heard(open_recording([saved(tmp_path / "take.wav", wild, rate)], sample_rate=float(RATE)))
    ratio = RATE / rate
    expected = np.zeros(result.shape[1], bool)
    if ratio > 1:
        expected[np.isin(np.floor(np.arange(len(expected)) / ratio + 0.5).clip(max=8999), places)] = True
        expected[-1] = result.shape[1] - 1 < 8999.5 * ratio
    else:
        marked = np.floor(np.array(places) * ratio + 0.5).astype(int)
        expected[marked[marked < len(expected)]] = True
    np.testing.assert_array_equal(np.isnan(result[0]), expected)
    clean = soxr.resample(sound, rate, RATE).T
    np.testing.assert_allclose(result[0, ~expected], clean[0, ~expected], rtol=0, atol=1e-6)
    np.testing.assert_allclose(result[1], clean[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("window_s", "hop_s", "spans"),
    [
        (0.2, 0.2, [(0, 0.2), (0.2, 0.4), (0.4, 0.5)]),  # exactly half a window is left
        (0.21, 0.21, [(0, 0.21), (0.21, 0.42)]),  # 0.08 s is left: less than half
        (0.2, 0.1, [(0, 0.2), (0.1, 0.3), (0.2, 0.4), (0.3, 0.5)]),
        (0.26, 0.2, [(0, 0.26), (0.2, 0.46)]),  # overlap does not count as left
        (0.3, 0.2, [(0, 0.3), (0.2, 0.5)]),
        (0.3, 0.25, [(0, 0.3), (0.25, 0.5)]),  # 0.2 s is left, and the window starts a hop on
        (0.1, 0.2, [(0, 0.1), (0.2, 0.3), (0.4, 0.5)]),  # hop longer than the window
        (0.1, 0.15, [(0, 0.1), (0.15, 0.25), (0.3, 0.4), (0.45, 0.5)]),
        (0.1, 0.155, [(0, 0.1), (0.155, 0.255), (0.31, 0.41)]),
        (0.1, 9.0, [(0, 0.1)]),
        (0.5, 0.5, [(0, 0.5)]),
        (2.0, 0.5, [(0, 0.5)]),  # shorter than one window
    ],
)
def test_windows_cover_what_the_docstring_says(take, sound, window_s, hop_s, spans):
    recording = open_recording([take])
    windows = list(recording.windows(window_s, hop_s))
    assert [start for start, _ in windows] == pytest.approx([start for start, _ in spans])
    for (_, window), (start, stop) in zip(windows, spans, strict=True):
        np.testing.assert_array_equal(window, sound.T[:, round(start * RATE) : round(stop * RATE)])
        assert window.dtype == np.float32
        assert not window.flags.writeable
    assert recording.count_windows(window_s, hop_s) == len(spans)


def test_window_starts_do_not_drift(tmp_path):
    path = saved(tmp_path / "take.wav", np.zeros((40_000, 1), np.float32))
    starts = [start for start, _ in open_recording([path]).windows(0.01, 0.01003)]
    np.testing.assert_allclose(starts, np.arange(len(starts)) * 0.01003, atol=0.5 / RATE)


@pytest.mark.parametrize(("window_s", "hop_s"), [(0.0, 1.0), (1.0, -1.0), (np.nan, 1.0), (1.0, np.inf), (1e-9, 1.0)])
def test_impossible_windows_are_refused(take, window_s, hop_s):
    with pytest.raises(SceneError, match=r"wanted at least one sample"):
        open_recording([take]).count_windows(window_s, hop_s)


def test_a_long_recording_costs_no_more_memory_than_a_window(tmp_path):
    import tracemalloc

    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8000, 2, "PCM_U8") as file:
        for _ in range(5):
            file.write(np.zeros((8000 * 60, 2), np.int16))
    recording = open_recording([path], sample_rate=8000.0)
    tracemalloc.start()
    assert sum(1 for _ in recording.windows(2.0, 2.0)) == 150
    assert tracemalloc.get_traced_memory()[1] < 3e6  # all of it would be 19 MB
    tracemalloc.stop()


def test_many_channels_share_the_read_ahead(tmp_path, monkeypatch):
    asked = []

    def reader(file, rate, *, frames_per_read):
        asked.append(frames_per_read)
        raise RuntimeError

    monkeypatch.setattr(audio, "Reader", reader)
    path = saved(tmp_path / "take.wav", np.zeros((10, 512), np.float32))
    recording = open_recording([path])
    with pytest.raises(RuntimeError):
        heard(recording)
    assert asked == [audio.READ_BUDGET_SAMPLES // 512]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("take.wav", None, r"no such file: .*take\.wav .*typo"),
        ("take.wav", b"", r"take\.wav is empty \(0 bytes\)"),
        (
            "take.wav",
            b"dear diary, it rained",
            r"take\.wav is not audio .* starts with b'dear diary, it r'.* is it text",
        ),
        ("take.raw", b"\0\1" * 999, r"take\.raw is not audio we can read \(No header\)"),
        ("take.flac", b"fLaC" + b"\0" * 50, r"take\.flac is not audio .* is it damaged"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioFileError, match=message):
        open_recording([tmp_path / name])


def test_a_folder_without_audio_is_refused(tmp_path):
    (tmp_path / "deeper").mkdir()
    with pytest.raises(AudioFileError, match=r"holds no audio files.*another folder"):
        open_recording([tmp_path])


@pytest.mark.parametrize("paths", [[], "take.wav"])
def test_something_else_than_a_list_is_refused(paths):
    with pytest.raises(AudioFileError, match="wanted a list of files"):
        open_recording(paths)


def test_a_device_is_refused():
    with pytest.raises(AudioFileError, match="no regular file"):
        open_recording(["/dev/null"])


def test_no_samples_are_refused(tmp_path):
    with pytest.raises(AudioFileError, match=r"take\.wav holds no samples"):
        open_recording([saved(tmp_path / "take.wav", np.zeros((0, 1), np.float32))])


def test_less_than_one_sample_is_refused(tmp_path):
    with pytest.raises(AudioFileError, match="less than one sample"):
        open_recording([saved(tmp_path / "take.wav", np.zeros((1, 1), np.float32), 96000)])


def test_an_absurd_rate_in_the_header_is_refused(take):
    with pytest.raises(AudioFileError, match=r"take\.wav claims 7 samples a second"):
        open_recording([with_bytes(take, 24, struct.pack("<I", 7))])


@pytest.mark.parametrize("sample_rate", [16.0, np.nan, 1e9])
def test_an_absurd_rate_is_refused(take, sample_rate):
    with pytest.raises(SceneError, match="kHz"):
        open_recording([take], sample_rate=sample_rate)


def test_a_file_listed_twice_is_refused_even_under_another_name(tmp_path, take):
    (tmp_path / "link.wav").symlink_to(take)
    for second in (take, tmp_path / "." / "take.wav", tmp_path / "link.wav"):
        with pytest.raises(AudioFileError, match="listed twice"):
            open_recording([take, second])


def test_files_are_closed_when_the_caller_stops_early(take, monkeypatch):
    closed = []
    monkeypatch.setattr(audio.Reader, "close", lambda self: closed.append(self))
    blocks = open_recording([take]).blocks(0.1)
    next(blocks)
    blocks.close()
    assert len(closed) == 1


def test_the_same_files_at_another_rate(tmp_path, sound):
    slow, fast = saved(tmp_path / "slow.wav", sound), saved(tmp_path / "fast.wav", np.repeat(sound, 2, axis=0), 32000)
    recording = open_recording([slow, fast])
    whole = recording.at(recording.native_rate)
    assert whole.sample_rate == recording.native_rate == 32_000.0
    assert whole.notes[0].endswith("each was resampled to 32000 Hz.")
    np.testing.assert_array_equal(heard(whole)[2:], np.repeat(sound, 2, axis=0).T)


def test_while_fewer_than_three_have_sound_there_is_no_window(tmp_path, rng):
    seconds = {"a": 5.0, "b": 1.0, "c": 2.0, "d": 3.0}
    for name, length_s in seconds.items():
        saved(tmp_path / f"{name}.wav", rng.normal(size=round(length_s * RATE)))
    recording = open_recording([tmp_path])
    assert (recording.duration_s, recording.anybody(), recording.enough()) == (5.0, [(0.0, 5.0)], [(0.0, 2.0)])
    assert [start for start, _ in recording.windows(0.5, 0.5)] == [0.0, 0.5, 1.0, 1.5]
    assert recording.notes == ("For 3.0 s fewer than 3 microphones have sound: nothing is located there.",)
    saved(tmp_path / "d.wav", rng.normal(size=(RATE * 3, 2)))
    assert open_recording([tmp_path]).enough() == [(0.0, 3.0)]
