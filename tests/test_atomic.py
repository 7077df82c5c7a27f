"""A file is whole or as it was before, whatever the system refuses."""

import errno
import os
import subprocess
import sys

import pytest

from helpers.disks import assert_untouched, refuse
from soundfix.atomic import atomic_path, part_path
from soundfix.errors import OutputError
from soundfix.report.exports import CsvWriter, JsonWriter


def test_a_path_is_replaced_only_at_the_end(old):
    with atomic_path(old) as part:
        assert part.parent == old.parent
        part.write_text("new")
        assert old.read_text() == "old"
    assert old.read_text() == "new"
    assert list(old.parent.iterdir()) == [old]


def test_it_is_on_the_disk_before_it_takes_the_place(old, monkeypatch):
    calls, replace = [], os.replace
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append("replace"), replace(*paths)))
    with atomic_path(old) as part:
        part.write_text("new")
    assert calls[:2] == ["fsync", "replace"]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_a_failure_inside_leaves_the_old_file(old, error):
    def run():
        with atomic_path(old) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        run()
    assert_untouched(old)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "writing in this folder is not allowed"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_the_system_refuses_is_said_and_the_old_file_stays(old, monkeypatch, code, cause, step):
    monkeypatch.setattr(os, step, refuse(code))
    message = rf"cannot write .*answer\.out: {cause}; the old file is untouched"
    with pytest.raises(OutputError, match=message), atomic_path(old) as part:
        part.write_text("new")
    assert_untouched(old)


def test_without_an_old_file_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(OutputError, match="no half-written file was left"), atomic_path(tmp_path / "new") as part:
        part.write_text("new")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_said_before_any_work(tmp_path):
    for attempt in (lambda path: atomic_path(path).__enter__(), CsvWriter, lambda path: JsonWriter(path, "srp", "0")):
        with pytest.raises(OutputError, match=r"there is no folder .*nowhere"):
            attempt(tmp_path / "nowhere" / "answer.json")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OutputError, match="no regular file"), atomic_path(tmp_path):
        pass


def test_a_link_stays_a_link(old, tmp_path):
    (tmp_path / "link").symlink_to(old)
    with atomic_path(tmp_path / "link") as part:
        part.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert old.read_text() == "new"


def test_what_killed_programs_left_beside_it_goes_and_nothing_else(tmp_path):
    """A dead process's part goes; that of a running one, and of another machine, stays."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    own = part_path(tmp_path / "answer.out")
    left, running, elsewhere = (
        own.with_name(own.name.replace(*change))
        for change in (
            (f"-{os.getpid()}-", f"-{dead.pid}-"),
            (f"-{os.getpid()}-", f"-{os.getppid()}-"),
            (own.name.split("-")[1], "another"),
        )
    )
    elsewhere = elsewhere.with_name(elsewhere.name.replace(f"-{os.getpid()}-", f"-{dead.pid}-"))
    for part in (left, running, elsewhere):
        part.touch()
    with atomic_path(tmp_path / "answer.out") as part:
        part.write_text("new")
    assert {path.name for path in tmp_path.iterdir()} == {"answer.out", running.name, elsewhere.name}
