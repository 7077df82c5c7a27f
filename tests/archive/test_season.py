"""A season from files to tables: what is found, where, and that nothing is done twice or lost."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas
import pytest

from helpers import TESTS
from helpers.disks import taken
from helpers.season import BEGINS, CHIRP_S, CHIRPS, EAST_M, NAMES, NORTH_M, Told, asked, write_season
from soundfix.archive.season import run
from soundfix.engines.local import HERE, Local
from soundfix.errors import AudioFileError, EngineError, MissingPackageError, OutputError


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A request that was run once, and its report."""
    folder = tmp_path_factory.mktemp("season")
    write_season(folder / "recordings")
    request, told = asked(folder), Told()
    return request, run(request, HERE, told), told


def table(request):
    return pandas.read_parquet(request.out / "answers.parquet")


def errors_m(answers):
    """Of the answers nearest in time to each chirp, in the plane."""
    found = []
    for start_s, (x, y, _) in CHIRPS:
        after = (answers.clock - pandas.Timestamp(BEGINS)).dt.total_seconds() - start_s
        near = answers[(after <= CHIRP_S) & (after + answers.duration_s > 0) & answers.x_m.notna()]
        found.append(np.hypot(near.x_m - EAST_M - x, near.y_m - NORTH_M - y).min())
    return np.array(found)


def test_every_sound_is_where_it_was_and_nothing_else_is_located(done):
    request, report, _ = done
    answers = table(request)
    assert (errors_m(answers) < 0.2).all()
    assert len(answers) <= 2 * len(CHIRPS)
    assert report.counts["passed_over"] > 60


def test_the_tables_and_the_map_say_the_same(done):
    request, _, _ = done
    answers, sheet = table(request), pandas.read_csv(request.out / "answers.csv")
    assert list(sheet.columns) == list(answers.columns)
    assert np.allclose(sheet.x_m, answers.x_m, equal_nan=True)
    assert (pandas.to_datetime(sheet.clock, utc=True) == answers.clock).all()
    places = json.loads((request.out / "answers.geojson").read_text())["features"]
    points = [each for each in places if each["geometry"]["type"] == "Point"]
    assert len(points) == answers.x_m.notna().sum()
    longitude, latitude = points[0]["geometry"]["coordinates"]
    assert (longitude, latitude) == (answers.longitude[0], answers.latitude[0])
    assert 9.0 < longitude < 9.001
    assert pandas.Timestamp(points[0]["properties"]["clock"]) == answers.clock[0]
    assert "start_s" not in points[0]["properties"]


def test_the_report_says_how_much_there_was(done):
    request, report, told = done
    said = json.loads((request.out / "report.json").read_text())
    assert said["hours"] == pytest.approx(6 * 40 / 3600, abs=1e-3)
    assert said["pieces"] == 2
    assert told.begins == (pytest.approx(6 * 40 / 3600), 0.0)
    assert sum(told.hours) == pytest.approx(6 * 40 / 3600)
    assert told.files == 12
    assert said["recorders"]["S01"] == {"files": 2, "hours": 0.011}
    assert said["starts_at"] == BEGINS.isoformat()
    assert said["this_run"]["hours"] == said["hours"]
    assert said["this_run"]["seconds"] > 0
    assert any("hours a second" in line for line in report.lines())


def test_without_a_coordinate_system_there_is_no_map(done, tmp_path):
    request, _, _ = done
    run(replace(request, out=tmp_path / "out", crs=None), HERE, Told())
    assert not (tmp_path / "out" / "answers.geojson").exists()
    assert table(replace(request, out=tmp_path / "out")).longitude.isna().all()


def same(one, other):
    pandas.testing.assert_frame_equal(table(one), table(other), rtol=1e-9, atol=1e-9)


def test_two_processes_say_the_same(done, tmp_path):
    request, _, _ = done
    other = replace(request, out=tmp_path / "out")
    run(other, Local(2), Told())
    same(request, other)


def test_what_was_stopped_goes_on(done, tmp_path):
    request, _, _ = done
    other, told = replace(request, out=tmp_path / "out"), Told(stop_after=1)
    assert run(other, HERE, told).pieces == 1
    told = Told()
    run(other, HERE, told)
    assert len(told.hours) == 1
    assert told.begins[1] == pytest.approx(6 * 10 / 3600)
    same(request, other)


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from helpers.season import Told, asked
from soundfix.archive.season import run
from soundfix.engines.local import HERE
run(asked(Path({folder!r})), HERE, Told())
"""


def test_a_killed_run_goes_on_and_does_nothing_twice(done, tmp_path):
    request, _, _ = done
    write_season(tmp_path / "recordings")
    code = KILLED.format(tests=str(TESTS), folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    while not list(tmp_path.glob("out/parts/*.json")):
        time.sleep(0.02)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    first = list(tmp_path.glob("out/parts/*.json"))
    kept = first[0].stat().st_mtime_ns
    told = Told()
    run(asked(tmp_path), HERE, told)
    assert len(told.hours) == 2 - len(first)
    assert first[0].stat().st_mtime_ns == kept
    same(request, asked(tmp_path))


def test_recordings_that_came_later_are_added(done, tmp_path):
    """The last file of everybody is not there yet in the first run."""
    request, _, _ = done
    write_season(tmp_path / "recordings")
    late = sorted((tmp_path / "recordings").glob("*_060010Z.wav"))
    assert len(late) == len(NAMES)
    (tmp_path / "later").mkdir()
    for path in late:
        path.rename(tmp_path / "later" / path.name)
    run(asked(tmp_path), HERE, Told())
    for path in late:
        (tmp_path / "later" / path.name).rename(path)
    told = Told()
    run(asked(tmp_path), HERE, told)
    same(request, asked(tmp_path))
    assert told.begins[1] == pytest.approx(6 * 10 / 3600)  # that before six was whole already


def test_other_settings_are_not_mixed_in(done):
    request, _, _ = done
    for other in (
        replace(request, asked=replace(request.asked, window_s=2.0)),
        replace(request, position_sigma_m=0.5),
        replace(request, crs="EPSG:32633"),
    ):
        with pytest.raises(OutputError, match="holds another run: its"):
            run(other, HERE, Told())


def test_weights_are_settings_by_what_they_hold(done, tmp_path):
    def settings(name, contents):
        path = tmp_path / name
        path.write_bytes(contents)
        return replace(done[0], asked=replace(done[0].asked, checkpoint=path)).settings()

    assert settings("mine", b"one") == settings("moved", b"one") != settings("mine", b"two")


def test_every_window_is_located_where_that_is_asked(done, tmp_path):
    request, _, _ = done
    other = replace(request, out=tmp_path / "out", asked=replace(request.asked, every=True, window_s=2.0))
    report = run(other, HERE, Told())
    assert report.counts["passed_over"] == 0
    assert sum(report.counts.values()) == 20


def test_a_piece_that_cannot_be_located_is_told_and_tried_again(done, tmp_path, monkeypatch):
    request, _, _ = done
    other = replace(request, out=tmp_path / "out")

    def broken(*_):
        raise AudioFileError("the disk had a bad day")

    with monkeypatch.context() as context:
        context.setattr("soundfix.archive.work._request", broken)
        report = run(other, HERE, Told())
    assert [each.why for each in report.troubles] == ["the disk had a bad day"] * 2
    assert report.pieces == 0
    assert any("not located" in line for line in report.lines())
    assert not run(other, HERE, Told()).troubles
    same(request, other)


class Deaf:
    """An engine whose processes all end."""

    def map(self, make, tasks):
        return ((number, EngineError("they all ended")) for number in range(len(tasks)))


def test_a_piece_that_ends_every_process_is_trouble_of_its_own(done, tmp_path):
    request, _, _ = done
    report = run(replace(request, out=tmp_path / "out"), Deaf(), Told())
    assert [each.why for each in report.troubles] == ["they all ended"] * 2


def test_two_runs_in_one_folder_take_turns(done, monkeypatch):
    request, _, _ = done
    with taken(request.out, monkeypatch):
        run(request, HERE, Told())


def test_an_archive_without_sound(tmp_path):
    (tmp_path / "recordings").mkdir()
    with pytest.raises(AudioFileError, match="holds no audio files"):
        run(asked(tmp_path), HERE, Told())


def test_that_pyarrow_is_missing_is_said_before_the_work(done, tmp_path, monkeypatch):
    request, _, _ = done
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match=r"pyarrow is not installed.*soundfix\[archive\]"):
        run(replace(request, out=tmp_path / "out"), HERE, Told())
    assert not (tmp_path / "out").exists()
