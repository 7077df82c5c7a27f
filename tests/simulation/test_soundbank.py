"""Sounds in memory: nobody in two parts, silence gone, kinds as often as asked."""

import csv
import shutil

import numpy as np
import pytest
import soundfile

from soundfix.errors import AudioFileError, ConfigError
from soundfix.simulation.soundbank import PARTS, BuiltInSounds, DrySound, SoundBank, part_of, read_bank

RATE = 16_000


def tone(frequency_hz, seconds=1.0, rate=RATE):
    return 0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate)) / rate)


def pitch_hz(sound):
    return np.abs(np.fft.rfft(sound)).argmax() * RATE / len(sound)


def recording(kind, speaker, value=1000, seconds=1.0):
    samples = np.full(round(seconds * RATE), value, dtype=np.int16)
    return DrySound(kind, speaker, f"{speaker}.wav", samples)


@pytest.fixture
def folder(tmp_path):
    """Twelve speakers with two recordings each, and six pieces of music without a speaker, each its own pitch."""
    rows = []
    for number in range(24):
        rows.append({"file": f"talk/{number}.wav", "kind": "speech", "speaker": f"speaker{number // 2}"})
    rows += [{"file": f"music/{number}.flac", "kind": "music", "speaker": ""} for number in range(6)]
    for number, row in enumerate(rows):
        path = tmp_path / "dry" / row["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(200 + 100 * number, 0.5), RATE)
    with (tmp_path / "dry" / "index.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, ["file", "licence", "kind", "speaker"])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path / "dry"


def test_nobody_is_in_two_parts(folder):
    parts = {part: {(r.kind, r.speaker) for r in read_bank([folder], part=part).recordings} for part in PARTS}
    everybody = {(r.kind, r.speaker) for r in read_bank([folder]).recordings}
    assert set.union(*parts.values()) == everybody
    assert sum(map(len, parts.values())) == len(everybody) == 18


def test_all_recordings_of_a_speaker_stay_together(folder):
    for part in PARTS:
        files = [r.file for r in read_bank([folder], part=part).recordings if r.kind == "speech"]
        numbers = sorted(int(file.removeprefix("talk/").removesuffix(".wav")) for file in files)
        assert numbers == sorted({2 * (n // 2) for n in numbers} | {2 * (n // 2) + 1 for n in numbers})


def test_who_is_in_two_folders_is_in_one_part(folder, tmp_path):
    """The part is the name's, not the folder's, and stays what it is from release to release."""
    shutil.copytree(folder, tmp_path / "copy")
    both, one = (read_bank(folders, part="train") for folders in ([folder, tmp_path / "copy"], [folder]))
    assert {r.speaker for r in both.recordings} == {r.speaker for r in one.recordings}
    assert len(both.recordings) == 2 * len(one.recordings)
    assert [part_of(name) for name in ("alice", "ivan", "grace")] == ["train", "valid", "test"]


def test_parts_are_as_large_as_said():
    drawn = [part_of(str(number)) for number in range(20_000)]
    shares = [drawn.count(part) / 20_000 for part in ("train", "valid", "test")]
    assert shares == pytest.approx([0.75, 0.10, 0.15], abs=0.01)


def test_without_an_index_every_file_is_its_own_speaker(folder):
    (folder / "index.csv").unlink()
    bank = read_bank([folder])
    assert bank.kinds == ("sound",)
    assert len({r.speaker for r in bank.recordings}) == len(bank.recordings) == 30
    assert {r.speaker for r in bank.recordings} >= {"talk/0.wav", "music/5.flac"}


def test_recordings_are_brought_to_16_khz_mono_without_silence(tmp_path):
    sound = np.concatenate([tone(1000, 1.0, 48_000), np.zeros(96_000), tone(1000, 1.0, 48_000)])
    soundfile.write(tmp_path / "a.wav", np.stack([sound, sound], axis=1), 48_000)
    [only] = read_bank([tmp_path]).recordings
    assert only.samples.dtype == np.int16
    assert len(only.samples) == pytest.approx(2 * RATE, rel=0.01)
    assert pitch_hz(only.samples[: RATE // 2]) == pytest.approx(1000, abs=2)
    assert np.abs(only.samples.astype(int)).max() == 32_767
    assert not only.samples.flags.writeable


def test_a_draw_is_a_stretch_of_a_recording(folder, rng):
    bank = read_bank([folder])
    sound = bank.draw(0.2, rng)
    assert sound.shape == (3200,)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() == pytest.approx(0.5, abs=1e-3)
    assert pitch_hz(sound) % 100 == pytest.approx(0, abs=1)


def test_short_recordings_are_repeated(rng):
    samples = np.arange(1, 101, dtype=np.int16)
    bank = SoundBank(recordings=(DrySound("speech", "a", "a.wav", samples),))
    sound = bank.draw(250 / RATE, rng)
    assert sound * 200 == pytest.approx(np.resize(samples, 250))


def test_every_start_is_possible(rng):
    ramp = SoundBank(recordings=(DrySound("speech", "a", "a.wav", np.arange(1, 5, dtype=np.int16)),))
    starts = {round(float(0.5 / ramp.draw(1 / RATE, rng)[0])) for _ in range(50)}
    firsts = {round(float(ramp.draw(3 / RATE, rng)[0]), 3) for _ in range(50)}
    assert starts == {1}
    assert firsts == {round(0.5 / 3, 3), 0.25}


def kinds_drawn(bank, rng, shares, count=400):
    """How often a draw was music, by the sign of the recordings."""
    return np.mean([bank.draw(0.01, rng, shares)[0] < 0 for _ in range(count)])


@pytest.mark.parametrize(
    ("shares", "wanted"), [(None, 0.5), ({}, 0.5), ({"speech": 3.0, "music": 1.0}, 0.25), ({"music": 0.1}, 1.0)]
)
def test_kinds_are_as_often_as_asked_however_many_recordings_there_are(rng, shares, wanted):
    talk = [recording("speech", f"s{number}", 1000) for number in range(20)]
    bank = SoundBank(recordings=(*talk, recording("music", "m", -1000)))
    assert bank.kinds == ("music", "speech")
    assert kinds_drawn(bank, rng, shares) == pytest.approx(wanted, abs=0.08)


def test_speakers_are_equally_likely_however_much_there_is_of_them(rng):
    many = [DrySound("speech", "talkative", f"{n}.wav", np.full(100, 1000, np.int16)) for n in range(30)]
    bank = SoundBank(recordings=(*many, recording("speech", "shy", -1000)))
    assert kinds_drawn(bank, rng, None) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("sounds", [BuiltInSounds(), SoundBank(recordings=(recording("speech", "a"),))])
def test_a_kind_that_is_not_there(rng, sounds):
    with pytest.raises(ConfigError, match="no sound of kind 'birds' here; there are"):
        sounds.draw(0.1, rng, {"birds": 1.0})


def test_the_description_is_that_of_the_samples(folder, tmp_path):
    """Wherever the folder is: its name, no path; another sample is another hash."""
    shutil.copytree(folder, tmp_path / "elsewhere" / "dry")
    here, there = (read_bank([path]).describe() for path in (folder, tmp_path / "elsewhere" / "dry"))
    assert here == there
    assert here["folders"] == ["dry"]
    assert here["speakers"] == {"music": 6, "speech": 12}
    assert str(tmp_path) not in str(here)
    soundfile.write(folder / "talk/0.wav", tone(210, 0.5), RATE)
    assert read_bank([folder]).describe()["sha256"] != there["sha256"]
    assert read_bank([folder], part="train").describe()["part"] == "train"


def test_reading_again_gives_the_same_bank(folder):
    one, same = (read_bank([folder]) for _ in range(2))
    draws = [bank.draw(0.1, np.random.default_rng(3)) for bank in (one, same)]
    assert np.array_equal(*draws)
    assert [r.file for r in one.recordings] == [r.file for r in same.recordings]


def test_folders_that_cannot_be(folder, tmp_path):
    with pytest.raises(AudioFileError, match="no audio file in"):
        read_bank([tmp_path / "nowhere"])
    with pytest.raises(ConfigError, match="no part is called 'exam'; there are train, valid, test"):
        read_bank([folder], part="exam")
    (folder / "talk/3.wav").unlink()
    with pytest.raises(AudioFileError, match=r"index.csv names talk/3.wav, which is not there"):
        read_bank([folder])
    (folder / "index.csv").write_text("name,kind\na.wav,speech\n")
    with pytest.raises(AudioFileError, match="wanted a column called file"):
        read_bank([folder])


def test_a_part_without_anybody(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(500), RATE)
    other = next(part for part in PARTS if part != part_of("a.wav"))
    with pytest.raises(AudioFileError, match=f"none of the 1 speakers in these folders belongs to part '{other}'"):
        read_bank([tmp_path], part=other)


def test_a_silent_or_broken_recording_is_named(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    with pytest.raises(AudioFileError, match=r"silent.wav holds 1 s and nothing to hear"):
        read_bank([tmp_path])
    (tmp_path / "silent.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioFileError, match=r"cannot read .*silent.wav"):
        read_bank([tmp_path])


@pytest.mark.parametrize("kind", ["voice", "melody", "bursts"])
def test_built_in_sounds(kind):
    one, same, other = (BuiltInSounds().draw(0.5, np.random.default_rng(seed), {kind: 1.0}) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.shape == (8000,)
    assert np.abs(one).max() == pytest.approx(0.5)
    assert BuiltInSounds().describe() == {"built_in": ["voice", "melody", "bursts"]}


def test_an_index_may_name_files_from_the_folder_above(tmp_path):
    folder = tmp_path / "effects"
    folder.mkdir()
    soundfile.write(folder / "door.wav", 0.3 * np.sin(np.arange(8000)), 16_000)
    (folder / "index.csv").write_text("file,kind\neffects/door.wav,door\n")
    assert read_bank([folder]).kinds == ("door",)
