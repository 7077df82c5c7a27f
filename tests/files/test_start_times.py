"""When a file begins: by its name, by its header, and which of them is believed."""

import struct
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
import soundfile

from helpers.recordings import RATE, saved
from soundfix.files.decoding import open_audio_file
from soundfix.files.start_times import StartTime, Told, believed, parse_time, time_in_header, time_in_name, told_by

NOON = datetime(2022, 6, 20, 12)
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("stem", "at", "is_fine", "recorder"),
    [
        ("20220620_143000", datetime(2022, 6, 20, 14, 30), False, ""),
        ("20220620_143000T", datetime(2022, 6, 20, 14, 30), False, ""),
        ("Ex-1_0+1_20200617$090000", datetime(2020, 6, 17, 9), False, "Ex-1"),
        ("SMA00351_20210611_020000", datetime(2021, 6, 11, 2), False, "SMA00351"),
        ("2022-06-20_14-30-00.250", datetime(2022, 6, 20, 14, 30, 0, 250_000), True, ""),
        ("20220620T120000+0200_north", datetime(2022, 6, 20, 12, tzinfo=EAST), False, "north"),
        ("S4A1_20220620T120000Z", datetime(2022, 6, 20, 12, tzinfo=UTC), False, "S4A1"),
        ("pole 20220620 120000 mic 3", NOON, False, "pole_mic 3"),
    ],
)
def test_names_tell_the_time_and_the_recorder(stem, at, is_fine, recorder):
    assert time_in_name(stem) == (StartTime(at, is_fine), recorder)


@pytest.mark.parametrize(
    "stem",
    ["mic1", "LOCA_2021_09_24_652_3", "20221320_143000", "20220620_1430005", "120220620_143000", "20220620_246000"],
)
def test_other_numbers_are_no_time(stem):
    assert time_in_name(stem) == (None, stem)


def opened(path, *, chunk=b"", comment=""):
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        if comment:
            file.comment = comment
        file.write(np.zeros(100))
    if chunk:
        path.write_bytes(path.read_bytes() + chunk[:4] + struct.pack("<I", len(chunk) - 4) + chunk[4:])
    return open_audio_file(path)


def bext(date, time, samples):
    return b"bext" + b"\0" * 320 + date + time + struct.pack("<Q", samples) + b"\0" * 256


@pytest.mark.parametrize(
    ("how", "found"),
    [
        (
            {"chunk": b"guanGUANO|Version: 1.0\nTimestamp: 2022-06-20T12:00:00.125+02:00\nMake: x"},
            StartTime(NOON.replace(microsecond=125_000, tzinfo=EAST), True),
        ),
        ({"chunk": b"guanTimestamp: 2022-06-20 12:00:00\r\n"}, StartTime(NOON)),
        ({"comment": "Recorded at 12:00:00 20/06/2022 (UTC) by AudioMoth 24F319"}, StartTime(NOON.replace(tzinfo=UTC))),
        ({"comment": "Recorded at 12:00:00 20/06/2022 (UTC+2) by AudioMoth"}, StartTime(NOON.replace(tzinfo=EAST))),
        (
            {"comment": "Recorded at 12:00:00.500 20/06/2022 (UTC-3:30) by AudioMoth"},
            StartTime(NOON.replace(microsecond=500_000, tzinfo=timezone(-timedelta(hours=3, minutes=30))), True),
        ),
        ({"comment": "Recorded at 12:00:00 20/06/2022 by AudioMoth 0FE0"}, StartTime(NOON)),
        ({"comment": '{"recording_start_time": "2022-06-20T12:00:00+00:00"}'}, StartTime(NOON.replace(tzinfo=UTC))),
        (
            {"chunk": bext(b"2022-06-20", b"12:00:00", 12 * 3600 * RATE + RATE // 4)},
            StartTime(NOON.replace(microsecond=250_000), True),
        ),
        ({"chunk": bext(b"2022:06:20", b"12-00-00", 77)}, StartTime(NOON)),  # a time code of its own
        ({"chunk": bext(b"\0" * 10, b"\0" * 8, 0)}, None),
        ({"chunk": b"guanTimestamp: yesterday"}, None),
        ({"comment": "Recorded at 12:00:00 31/06/2022 (UTC) by AudioMoth"}, None),
        ({"comment": "a fine day"}, None),
        ({}, None),
    ],
)
def test_headers_tell_the_time(tmp_path, how, found):
    assert time_in_header(opened(tmp_path / "take.wav", **how)) == found


def test_a_file_without_chunks_has_only_its_name(tmp_path):
    path = saved(tmp_path / "20220620_120000.flac", np.zeros(10), subtype="PCM_16")
    assert told_by(open_audio_file(path)) == Told(by_name=StartTime(NOON))


def told(by_name=None, by_header=None, *, is_fine=False):
    return Told(by_name=by_name and StartTime(by_name), by_header=by_header and StartTime(by_header, is_fine))


def seconds(count):
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("header", "is_contradicted"),
    [
        (NOON, False),
        (NOON + seconds(0.9), False),
        (NOON + seconds(1), True),
        (NOON.replace(tzinfo=EAST), False),
        ((NOON - timedelta(hours=2)).replace(tzinfo=UTC), True),
        ((NOON + timedelta(hours=2)).replace(tzinfo=EAST), False),  # the name is in UTC
        (None, False),
    ],
)
def test_name_and_header_agree_to_the_second_or_do_not(header, is_contradicted):
    assert told(NOON, header).is_contradicted == is_contradicted


def test_names_come_before_headers_that_disagree():
    files = [told(NOON, NOON + seconds(0.5), is_fine=True), told(NOON, NOON + seconds(7), is_fine=True)]
    assert believed(files) == [StartTime(NOON)] * 2


def test_finer_headers_that_agree_come_first():
    files = [told(NOON, NOON + seconds(k / 4), is_fine=True) for k in range(3)]
    assert [time.at - NOON for time in believed(files)] == [seconds(k / 4) for k in range(3)]
    assert believed([*files, told(NOON, NOON)]) == [StartTime(NOON)] * 4


def test_headers_do_where_a_name_is_missing():
    files = [told(None, NOON), told(NOON, NOON + seconds(3))]
    assert believed(files) == [StartTime(NOON), StartTime(NOON + seconds(3))]
    assert believed([told(), told(None, NOON), told(NOON + seconds(2))]) == [
        None,
        StartTime(NOON),
        StartTime(NOON + seconds(2)),
    ]


def test_times_that_agree_to_the_second_shift_nothing():
    """One name has a fraction, the other may have lost it."""
    files = [Told(by_name=StartTime(NOON + seconds(0.7), True)), told(NOON)]
    assert [time.at for time in believed(files)] == [NOON, NOON]


def test_the_zone_of_a_header_is_that_of_its_name():
    (local,) = believed([told(NOON, NOON.replace(tzinfo=EAST))])
    assert local.at == NOON.replace(tzinfo=EAST)
    (utc,) = believed([told(NOON, (NOON + timedelta(hours=2)).replace(tzinfo=EAST))])
    assert utc.at == NOON.replace(tzinfo=UTC)


def test_zones_are_compared_where_all_have_one():
    files = [told(NOON.replace(tzinfo=EAST)), told((NOON - timedelta(hours=2)).replace(tzinfo=UTC))]
    first, second = believed(files)
    assert (first.at, second.at.tzinfo) == (second.at, EAST)
    assert [time.at for time in believed([*files, told(NOON)])] == [NOON, NOON - timedelta(hours=2), NOON]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0999-12-31"])
def test_no_time_that_a_zone_moves_out_of_the_calendar(text):
    assert parse_time(text) is None
