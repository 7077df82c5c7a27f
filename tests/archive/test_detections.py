"""Events of tables, on the line of time of an archive."""

import numpy as np
import pytest

from helpers.season import NAMES, RATE, Told, asked, write_list, write_season
from soundfix.archive.detections import detections, event_pieces
from soundfix.archive.inventory import LeftOut, take_inventory
from soundfix.archive.pieces import TimeLine
from soundfix.archive.season import run
from soundfix.engines.local import HERE
from soundfix.errors import EventFileError
from soundfix.files.microphones import read_microphones

QUIET = np.zeros((len(NAMES), 2 * 20 * RATE), np.float32)
FIRST, SECOND = "20220620_055950Z.wav", "20220620_060010Z.wav"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write_season(folder / "recordings", "{recorder}/{at:%Y%m%d_%H%M%S}Z.wav", audio=QUIET)
    microphones = read_microphones(write_list(folder))
    inventory = take_inventory(folder / "recordings", microphones, {})
    return inventory, TimeLine(inventory, microphones)


def found_in(archive, path):
    inventory, line = archive
    return detections(path, line, inventory)


def opensoundscape(tmp_path, *rows):
    path = tmp_path / "det.csv"
    path.write_text("\n".join(["file,start_time,end_time,owl", *rows]) + "\n")
    return path


def test_rows_are_placed_by_their_files_and_joined_by_the_clock(archive, tmp_path):
    """The same second of two files is two events; the same moment in two files is one."""
    path = opensoundscape(
        tmp_path, f"S01/{FIRST},3,6,1", f"/data/card/S02/{FIRST},3,6,1", f"S02\\{SECOND},3,6,1", f"S03/{SECOND},3,6,0"
    )
    found = found_in(archive, path)
    assert [(event.start_s, event.end_s, event.label, event.stations, event.rows) for event in found.events] == [
        (3, 6, "owl", ("S01", "S02"), (0, 1)),
        (23, 26, "owl", ("S02",), (2,)),
    ]
    assert found.refs == ("det.csv, row 1", "det.csv, row 2", "det.csv, row 3")
    assert found.left_out == ()


def test_a_table_beside_each_recording(archive, tmp_path):
    """Named as their files are; the names of the second file are those of every recorder, and belong to none."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "S01.txt").write_text("1.0\t2.0\towl\n")
    with pytest.raises(EventFileError, match="no event is in a file of the archive"):
        found_in(archive, folder)
    own = tmp_path / "own"
    write_season(own / "recordings", audio=QUIET)
    microphones = read_microphones(write_list(own))
    inventory = take_inventory(own / "recordings", microphones, {})
    (folder / "S04_20220620_060010Z.selections.txt").write_text("1.0\t2.5\towl\n")
    (folder / "s05_20220620_060010z.BirdNET.results.csv").write_text("Start (s),End (s),Common name\n1.1,2.4,owl\n")
    (folder / "notes.md").write_text("no table")
    found = detections(folder, TimeLine(inventory, microphones), inventory)
    assert [(event.start_s, event.end_s, event.stations) for event in found.events] == [(21.0, 22.5, ("S04", "S05"))]
    assert found.refs == (
        "S04_20220620_060010Z.selections.txt, row 1",
        "s05_20220620_060010z.BirdNET.results.csv, row 1",
    )
    assert found.left_out == (LeftOut("S01.txt", "1 events of files that are not in the archive"),)


def test_a_name_that_two_files_have_is_none(archive, tmp_path):
    with pytest.raises(EventFileError, match="no event is in a file"):
        found_in(archive, opensoundscape(tmp_path, f"{FIRST},3,6,1"))


def test_a_copy_in_another_format_is_the_same_recording(tmp_path):
    write_season(tmp_path / "recordings", audio=QUIET)
    microphones = read_microphones(write_list(tmp_path))
    inventory = take_inventory(tmp_path / "recordings", microphones, {})
    table = opensoundscape(tmp_path, f"copies/S04_{SECOND[:-4]}.flac,3,6,1")
    assert [each.stations for each in detections(table, TimeLine(inventory, microphones), inventory).events] == [
        ("S04",)
    ]


def test_no_piece_begins_before_the_archive(archive, tmp_path):
    inventory, line = archive
    found = detections(opensoundscape(tmp_path, f"S01/{FIRST},1,2,1"), line, inventory)
    (piece,), _ = event_pieces(found, line, margin_s=5.0)
    assert piece.starts_at == line.origin
    assert piece.events[0].start_s == 1.0


def test_pieces_hold_their_events_and_sound_round_them(archive, tmp_path):
    """Two before six, one after; and one after everything has ended."""
    path = opensoundscape(
        tmp_path, f"S01/{FIRST},3,3.5,1", f"S02/{FIRST},6,7,1", f"S02/{SECOND},3,4,1", f"S03/{SECOND},30,31,1"
    )
    inventory, line = archive
    pieces, late = event_pieces(detections(path, line, inventory), line, margin_s=2.0)
    assert late == [LeftOut("det.csv, row 4", "too few recorders have sound then")]
    first, second = pieces
    assert first.duration_s == 8.0
    assert [(event.start_s, event.end_s, event.rows) for event in first.events] == [(2, 2.5, (0,)), (5, 6, (1,))]
    assert first.refs == ("det.csv, row 1", "det.csv, row 2")
    assert second.duration_s == 5.0
    assert [(event.start_s, event.rows) for event in second.events] == [(2, (0,))]
    assert second.refs == ("det.csv, row 3",)
    assert second.starts_at.isoformat() == "2022-06-20T06:00:11+00:00"


def test_events_are_located_and_say_their_rows(tmp_path):
    write_season(tmp_path / "recordings")
    table = opensoundscape(tmp_path, "S01_20220620_055950Z.wav,4,4.5,1", "S02_20220620_060010Z.wav,5,5.5,1")
    request = asked(tmp_path, events=table)
    report = run(request, HERE, told := Told())
    assert report.counts == {"ok": 2}
    crossing_s = request.listed().width_m / 343.2
    assert sum(told.hours) * 3600 == pytest.approx(6 * 2 * (0.5 + 2 * (2.0 + crossing_s)), abs=0.1)
    lines = (request.out / "answers.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == ["owl", "owl"]
    assert '"det.csv, row 1"' in lines[1]
    assert '"det.csv, row 2"' in lines[2]
    assert lines[1].startswith("2022-06-20T05:59:54.000000+00:00,0.5,")


def test_no_tables_in_a_folder(archive, tmp_path):
    with pytest.raises(EventFileError, match="holds no tables"):
        found_in(archive, tmp_path)
