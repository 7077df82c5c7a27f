"""An archive on one line of time, and cut."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from helpers.season import BEGINS, NAMES, RATE, sound, write_list, write_season
from soundfix.archive.inventory import Inventory, Recorded, take_inventory
from soundfix.archive.pieces import PIECE_S, TimeLine
from soundfix.events import SoundEvent
from soundfix.files.decoding import AudioFile
from soundfix.files.headers import Header
from soundfix.files.microphones import read_microphones
from soundfix.files.start_times import StartTime
from soundfix.microphones import Microphones

NOON = datetime(2022, 6, 20, 12, 0, 0, tzinfo=UTC)
FOUR = Microphones(positions=np.eye(4, 3) * 30, names=("A", "B", "C", "D"))


def line_of(files):
    """files: (recorder, seconds after noon, seconds long)."""
    recorded = tuple(
        Recorded(
            AudioFile(
                path=Path(f"{name}{k}.wav"), channels=1, sample_rate=8000, frames=round(8000 * length_s), header=Header()
            ),
            name,
            StartTime(NOON + timedelta(seconds=start_s)),
        )
        for k, (name, start_s, length_s) in enumerate(files)
    )  # fmt: skip
    return TimeLine(
        Inventory(recorded=recorded, recorders={n: {0: m} for m, n in enumerate(FOUR.names)}, left_out=()), FOUR
    )


def first(pieces):
    return pieces[0]


def spans(line):
    return [((piece.starts_at - NOON).total_seconds(), piece.duration_s) for piece in line.cut()]


def test_pieces_begin_at_round_times():
    line = line_of([(name, -100, 900) for name in "ABCD"])
    assert spans(line) == [(-100, 100), (0, PIECE_S), (300, PIECE_S), (600, 200)]
    assert [line.round_of(time_s) for time_s in (0.0, 99.9, 100.0, 400.0)] == [143, 143, 144, 145]


def test_nothing_is_cut_where_too_few_have_sound():
    line = line_of([("A", 0, 100), ("B", 0, 100), ("C", 10, 50), ("D", 200, 100)])
    assert spans(line) == [(10, 50)]
    lost = {each.what: each.why for each in line.lonely()}
    assert lost.keys() == {"A", "B", "D"}
    assert lost["D"].startswith("for 1:40 fewer than 3 microphones have sound")
    assert lost["A"].startswith("for 0:50 ")


def test_a_scrap_is_no_piece():
    assert spans(line_of([(name, 0, 300.05) for name in "ABCD"])) == [(0, 300)]


def test_a_recorder_of_two_channels_counts_twice():
    line = line_of([("A", 0, 100), ("B", 0, 100)])
    assert spans(line) == []
    twice = replace(line._inventory, recorders={"A": {0: 0, 1: 1}, "B": {0: 2}})
    assert spans(TimeLine(twice, FOUR)) == [(0, 100)]


def test_who_is_not_there_has_no_channel():
    piece = first(line_of([("B", 0, 50), ("C", 0, 50), ("D", 0, 50), ("A", 900, 50)]).cut())
    assert piece.order == (None, 0, 1, 2)
    assert piece.audio_s == 150


def test_the_sound_of_a_piece_is_that_of_its_files(tmp_path):
    """From the middle of a first file into the second, over the border."""
    write_season(tmp_path / "recordings")
    microphones = read_microphones(write_list(tmp_path))
    line = TimeLine(take_inventory(tmp_path / "recordings", microphones, {}), microphones)
    piece = line.piece(12.5, 27.25)
    take = piece.take(microphones)
    whole = np.concatenate(list(take.blocks(1.0)), axis=1)
    assert take.starts_at == BEGINS + timedelta(seconds=12.5)
    assert whole.shape == (len(NAMES), round(14.75 * RATE))
    assert np.allclose(whole, sound()[:, round(12.5 * RATE) : round(27.25 * RATE)], atol=1e-4)
    assert piece.audio_s == pytest.approx(6 * 14.75)


def test_a_file_after_another_is_heard_from_where_it_begins():
    """A was cut a second late, so that its first file reaches into its second."""
    piece = first(line_of([("A", 0, 61), ("A", 60, 60), ("B", 0, 120), ("C", 0, 120)]).cut())
    assert piece.heard(0) == [(0.0, 120.0)]
    assert [(part.start_s, part.until_s) for part in piece.recorders[0].parts] == [(0, 60), (60, 120)]


def test_a_key_is_of_time_and_contents():
    line = line_of([(name, 0, 100) for name in "ABCD"])
    one = first(line.cut())
    assert one.key.startswith("20220620T120000-")
    assert one.key == first(line_of([(name, 0, 100) for name in "ABCD"]).cut()).key
    others = [
        first(line_of([(name, 0, 101) for name in "ABCD"]).cut()),
        first(line_of([*((name, 0, 100) for name in "ABC"), ("D", 1, 100)]).cut()),
        line.keyed(replace(one, events=(SoundEvent(start_s=1.0, end_s=2.0),))),
        line.keyed(replace(one, events=(SoundEvent(start_s=1.0, end_s=2.0, label="owl"),))),
        line.keyed(replace(one, refs=("det.csv, row 1",))),
        line.keyed(replace(one, order=(3, 1, 2, 0))),
        line.keyed(replace(one, duration_s=99.0)),
    ]
    assert len({one.key, *(other.key for other in others)}) == 1 + len(others)


def test_cards_that_were_exchanged_make_other_pieces_and_copies_do_not(tmp_path):
    """Files of the same name, length and time, of two recorders."""
    season = write_season(tmp_path / "recordings", "{recorder}/{at:%Y%m%d_%H%M%S}Z.wav")
    listed = read_microphones(write_list(tmp_path))

    def keys(folder):
        return [piece.key for piece in TimeLine(take_inventory(folder, listed, {}), listed).cut()]

    before = keys(season)
    shutil.copytree(season, tmp_path / "elsewhere" / "copy")
    assert keys(tmp_path / "elsewhere" / "copy") == before
    for old, new in (("S01", "x"), ("S02", "S01"), ("x", "S02")):
        (season / old).rename(season / new)
    assert not set(keys(season)) & set(before)
