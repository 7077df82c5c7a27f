"""Who has no sound, when, and why: in words."""

import numpy as np
import pytest

from helpers.recordings import RATE, cut_to, saved, with_bytes
from soundfix.files.audio import open_recording
from soundfix.files.silences import Silence, clock, silences


@pytest.fixture
def written(tmp_path, rng):
    """Files of noise in three channels, so that one is enough, by their names and lengths in s."""

    def write(**lengths):
        for name, seconds in lengths.items():
            saved(tmp_path / f"{name}.wav", rng.normal(0, 0.1, (round(seconds * RATE), 3)), subtype="PCM_16")
        return tmp_path

    return write


def told(folder, names="abcdefgh"):
    recording = open_recording([folder])
    recorders = recording.recorders
    return list(silences(recording, recorders, names[: len(recorders)]))


def test_who_ends_early_begins_late_or_says_nothing(written):
    folder = written(
        a_20220620_120000=8.0,
        b_20220620_120000=2.5,
        c_20220620_120002=6.0,
        d_20220620_120000=1.0,
        e_20220620_120000=8.0,
    )
    cut_to(folder / "d_20220620_120000.wav", 0)
    path = folder / "e_20220620_120000.wav"
    cut_to(path, path.stat().st_size // 2)
    assert told(folder)[:2] == [
        Silence("b", 2.5, 8.0, "no sound after 0:02.5 (b_20220620_120000.wav ends there)"),
        Silence("c", 0.0, 2.0, "no sound before 0:02 (c_20220620_120002.wav begins there)"),
    ]
    nothing, cut = told(folder)[2:]
    assert (nothing.start_s, nothing.end_s) == (0.0, 8.0)
    assert nothing.text.startswith(f"no sound at all: {folder}/d_20220620_120000.wav is empty")
    assert cut.text == "no sound after 0:04 (e_20220620_120000.wav is cut short there)"


def test_a_microphone_without_a_recorder(written):
    recording = open_recording([written(a=1.0)])
    assert list(silences(recording, [recording.recorders[0], None], "ab")) == [
        Silence("b", 0.0, 1.0, "no sound at all: it has no file")
    ]


def test_a_hole_is_told_and_many_on_one_line(written):
    rows = {f"a_20220620_1200{second:02d}": 2.0 for second in (0, 5, 10, 15, 20)}
    folder = written(b_20220620_120000=22.0, **rows)
    (line,) = told(folder)
    assert line == Silence(
        "a",
        2.0,
        20.0,
        "no sound in 4 stretches, 12.0 s together; from 0:02 to 0:05 (a_20220620_120000.wav ends there), ...",
    )
    for second in (10, 15):
        (folder / f"a_20220620_1200{second}.wav").unlink()
    assert [each.text for each in told(folder)] == [
        "no sound from 0:02 to 0:05 (a_20220620_120000.wav ends there)",
        "no sound from 0:07 to 0:20 (a_20220620_120005.wav ends there)",
    ]


def test_when_nobody_has_sound_nobody_is_missing(written):
    both = {f"{name}_20220620_1200{second}": 2.0 for name in "ab" for second in ("00", "10")}
    assert told(written(**both)) == []
    assert [each.microphone for each in told(written(b_20220620_120020=2.0))] == ["a"]


def test_a_fraction_of_a_window_is_not_told(written):
    assert told(written(a=1.0, b=0.8)) == []
    assert [each.microphone for each in told(written(a=1.0, b=0.7))] == ["b"]


def test_damage_is_told_when_it_has_been_met(written, rng):
    folder = written(b=4.0)
    path = saved(folder / "a.flac", rng.normal(0, 0.1, (4 * RATE, 3)), subtype="PCM_16")
    with_bytes(path, path.stat().st_size // 2, b"\xff" * 500)
    recording = open_recording([folder])
    assert list(silences(recording, recording.recorders, "ab")) == []
    assert sum(np.isnan(block[0]).all() for block in recording.blocks(1.0)) == 2
    (line,) = silences(recording, recording.recorders, "ab")
    assert line.microphone == "a"
    assert line.text.startswith("no sound after 0:0")
    assert line.text.endswith("(a.flac is damaged there)")


def test_times_are_short():
    assert [clock(s) for s in (0.0, 2.46, 59.96, 60.0, 754.5, 3600.0)] == [
        "0:00", "0:02.5", "1:00", "1:00", "12:34.5", "1:00:00"
    ]  # fmt: skip
