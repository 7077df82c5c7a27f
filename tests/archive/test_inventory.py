"""Whose file is whose, when it began, and what is left out."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import soundfile

from helpers.season import BEGINS, NAMES, RATE, write_list, write_season
from soundfix.archive.inventory import WHOLE_ARRAY, take_inventory
from soundfix.errors import AudioFileError, MicrophoneFileError
from soundfix.files.microphones import read_microphones
from soundfix.files.start_tables import Correction
from soundfix.files.start_times import StartTime
from soundfix.microphones import Microphones

QUIET = np.zeros((len(NAMES), 2 * 20 * RATE), np.float32)


def taken(tmp_path, name, *, starts=None, microphones=None):
    write_season(tmp_path / "recordings", name, audio=QUIET)
    return take_inventory(tmp_path / "recordings", microphones or read_microphones(write_list(tmp_path)), starts or {})


@pytest.mark.parametrize(
    "name",
    [
        "{recorder}_{at:%Y%m%d_%H%M%S}.wav",
        "{recorder}_0+1_{at:%Y%m%d_%H%M%S}.wav",
        "{recorder}/{at:%Y%m%d_%H%M%S}.WAV",
        "card {number}/{recorder}/Data/{at:%Y%m%d_%H%M%S}.wav",
        "{at:%Y-%m-%d}/{recorder}_{at:%Y-%m-%dT%H%M%S}Z.wav",
        "{recorder}/x_{at:%Y%m%d_%H%M%S}.wav",
    ],
)
def test_files_are_found_by_names_and_folders(tmp_path, name):
    found = taken(tmp_path, name)
    assert found.left_out == ()
    assert sorted((each.recorder, each.start.at.replace(tzinfo=UTC)) for each in found.recorded) == sorted(
        (recorder, BEGINS + timedelta(seconds=20 * number)) for recorder in NAMES for number in range(2)
    )
    assert found.recorders == {recorder: {0: m} for m, recorder in enumerate(NAMES)}


def guano(path, text):
    """A chunk with this text at the end of a WAV file."""
    body = text.encode() + b"\0" * (len(text) % 2)
    whole = bytearray(path.read_bytes() + b"guan" + len(body).to_bytes(4, "little") + body)
    whole[4:8] = (len(whole) - 8).to_bytes(4, "little")
    path.write_bytes(bytes(whole))


def test_files_are_found_by_the_serial_number_in_their_header(tmp_path):
    write_season(tmp_path / "recordings", "{at:%Y%m%d_%H%M%S}-{recorder}x.wav", audio=QUIET)
    for path in (tmp_path / "recordings").iterdir():
        guano(path, f"GUANO|Version: 1.0\nSerial: {path.stem[-4:-1]}\n")
    found = take_inventory(tmp_path / "recordings", read_microphones(write_list(tmp_path)), {})
    assert {(each.file.path.stem[-4:-1], each.recorder) for each in found.recorded} == {(name, name) for name in NAMES}


def test_files_are_found_by_the_serial_number_in_audiomoths_comment(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    with soundfile.SoundFile(folder / "20220620_060000.WAV", "w", RATE, 1) as file:
        file.comment = "Recorded at 06:00:00 20/06/2022 (UTC) by AudioMoth 24F319055FDF2205 at medium gain"
        file.write(np.zeros(RATE, np.float32))
    microphones = Microphones(positions=np.eye(2, 3), names=("24F319055FDF2205", "24F3190361CBEA97"))
    found = take_inventory(folder, microphones, {})
    assert [each.recorder for each in found.recorded] == ["24F319055FDF2205"]


def test_recorders_whose_names_are_alike_are_refused(tmp_path):
    microphones = Microphones(positions=np.eye(2, 3), names=("S1", "S01"))
    with pytest.raises(MicrophoneFileError, match="S1 and S01 are alike"):
        take_inventory(write_season(tmp_path / "recordings", audio=QUIET), microphones, {})


def test_a_list_may_name_files_and_channels(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for recorder in ("A", "B"):
        soundfile.write(folder / f"{recorder}_20220620_060000.wav", np.zeros((RATE, 2), np.float32), RATE)
    microphones = Microphones(
        positions=np.arange(12.0).reshape(4, 3) ** 2, names=("a1", "a2", "b1", "b2"), files=("A", "A", "B", "B"),
        channels=(2, 1, 1, 2),
    )  # fmt: skip
    assert take_inventory(folder, microphones, {}).recorders == {"A": {1: 0, 0: 1}, "B": {0: 2, 1: 3}}


def test_files_with_all_channels_are_of_the_whole_array(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    soundfile.write(folder / "take_20220620_060000.wav", np.zeros((RATE, 7), np.float32), RATE)
    found = take_inventory(folder, read_microphones(write_list(tmp_path)), {})
    assert found.recorders == {WHOLE_ARRAY: {m: m for m in range(6)}}
    assert [each.recorder for each in found.recorded] == [WHOLE_ARRAY]


def test_what_is_left_out_says_why(tmp_path):
    folder = tmp_path / "recordings"
    write_season(folder, audio=QUIET)
    (folder / "S01_20220620_070000.wav").write_bytes(b"nothing")
    soundfile.write(folder / "S02_20220620_070000.wav", np.zeros((RATE, 2), np.float32), RATE)
    soundfile.write(folder / "S03.wav", np.zeros(RATE, np.float32), RATE)
    soundfile.write(folder / "owl_20220620_070000.wav", np.zeros(RATE, np.float32), RATE)
    calls = []
    found = take_inventory(folder, read_microphones(write_list(tmp_path)), {}, lambda: calls.append(1))
    assert len(found.recorded) == 12
    assert len(calls) == 16
    why = dict(found.left_out)
    assert "S01_20220620_070000.wav" in why["S01_20220620_070000.wav"]
    assert why["S02_20220620_070000.wav"] == "it has 2 channels, others of its recorder 1"
    assert why["S03.wav"].startswith("neither its name nor its header tells when it began")
    assert why["owl_20220620_070000.wav"] == "it has the name of no recorder in the list"


def test_a_channel_that_is_not_there(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for recorder, channels in (("A", 2), ("B", 1)):
        soundfile.write(folder / f"{recorder}_20220620_060000.wav", np.zeros((RATE, channels), np.float32), RATE)
    microphones = Microphones(
        positions=np.eye(4, 3), names=("a1", "a2", "b1", "b2"), files=("A", "A", "B", "B"), channels=(1, 2, 1, 2)
    )
    found = take_inventory(folder, microphones, {})
    assert [(each.what, each.why) for each in found.left_out] == [
        ("B_20220620_060000.wav", "it has 1 channels, and the list names more")
    ]


def test_starts_of_a_table_are_believed(tmp_path):
    """One file by its path, one by its name; by a time, and by an offset."""
    at = datetime(2022, 6, 20, 6, 30, 0, 125_000, tzinfo=UTC)
    starts = {
        "s01/20220620_055950z.wav": Correction(StartTime(at, True)),
        "20220620_060010z.wav": Correction(None, -1.25),
    }
    found = taken(tmp_path, "{recorder}/{at:%Y%m%d_%H%M%S}Z.wav", starts=starts)
    begins = {each.file.path.relative_to(tmp_path / "recordings").as_posix(): each.start.at for each in found.recorded}
    assert begins["S01/20220620_055950Z.wav"] == at
    assert begins["S02/20220620_055950Z.wav"] == BEGINS
    assert begins["S02/20220620_060010Z.wav"] == BEGINS + timedelta(seconds=18.75)


@pytest.mark.parametrize("named", ["Z", ""])
@pytest.mark.parametrize("listed", [UTC, None])
def test_times_of_files_and_table_are_in_the_zone_that_one_of_them_tells(tmp_path, named, listed):
    at = datetime(2022, 6, 20, 6, 30, 0, 125_000, tzinfo=listed)
    starts = {"s01_20220620_055950" + named.lower() + ".wav": Correction(StartTime(at, True))}
    found = taken(tmp_path, "{recorder}_{at:%Y%m%d_%H%M%S}" + named + ".wav", starts=starts)
    begins = {each.file.path.name: each.start.at for each in found.recorded}
    zone = UTC if named or listed else None
    assert begins[f"S01_20220620_055950{named}.wav"] == at.replace(tzinfo=zone)
    assert begins[f"S02_20220620_055950{named}.wav"] == BEGINS.replace(tzinfo=zone)


def test_files_that_tell_no_time_begin_when_a_table_says(tmp_path):
    at = datetime(2022, 6, 20, 6, 30, tzinfo=UTC)
    starts = {f"{name}-{k}.wav".casefold(): Correction(StartTime(at, True)) for name in NAMES for k in range(2)}
    found = taken(tmp_path, "{recorder}/{recorder}-{number}.wav", starts=starts)
    assert {each.start.at for each in found.recorded} == {at}
    assert found.left_out == ()


def test_nothing_that_fits(tmp_path):
    with pytest.raises(
        MicrophoneFileError, match=r"no file is of a recorder in the list: files are owl_.* rows S01, S02"
    ):
        taken(tmp_path, "owl_{recorder}_{at:%Y%m%d_%H%M%S}.wav")
    with pytest.raises(AudioFileError, match="holds no audio files"):
        take_inventory(tmp_path / "nowhere", read_microphones(write_list(tmp_path)), {})
