"""Files that appear whole, rows that are read meanwhile, and standard output: what is there, when, and what is left."""

import errno
import io
import os

import pytest

from helpers.disks import assert_untouched, refuse
from soundfix.errors import OutputError
from soundfix.report.outputs import RowFile, StandardOutput, WholeFile, check_targets, rows, whole


def test_a_whole_file_appears_at_the_end(old):
    file = WholeFile(old)
    file.open()
    file.write("new")
    assert old.read_text() == "old"
    file.finish(is_good=True, ending="!")
    assert old.read_text() == "new!"


def test_a_whole_file_of_a_run_that_fails_never_does(old):
    file = WholeFile(old)
    file.open()
    file.write("new")
    file.finish(is_good=False, ending="!")
    assert_untouched(old)


def test_rows_are_read_while_others_are_to_come(old):
    file = RowFile(old, "head\n")
    file.open()
    assert old.read_text() == "old"  # a run that cannot begin costs nothing
    for count in range(3):
        file.write("row\n")
        assert old.read_text() == "head\n" + "row\n" * (count + 1)
    file.finish(is_good=False)
    assert old.read_text() == "head\n" + "row\n" * 3
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize(("is_good", "left"), [(True, "head\n"), (False, "old")])
def test_without_a_row_only_a_good_run_is_written(old, is_good, left):
    file = RowFile(old, "head\n")
    file.open()
    file.finish(is_good=is_good)
    assert old.read_text() == left
    assert list(old.parent.iterdir()) == [old]


class HalfDisk(io.FileIO):
    """Takes so many bytes more, then raises."""

    left, failure = 3, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(self, data):
        if self.left == 0:
            raise self.failure
        part = bytes(data)[: self.left]
        self.left -= len(part)
        return super().write(part)


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_never_half_a_row(old, failure):
    """The disk is full, or somebody presses Ctrl-C, in the middle of one; the next is written after the last whole one."""
    file = RowFile(old)
    file.open()
    file.write("one\n")
    disk, real = HalfDisk(old, "r+"), file._file
    disk.failure = failure
    disk.seek(4)
    file._file = disk
    is_full = isinstance(failure, OSError)
    message = "the disk is full; the rows of before are in it" if is_full else None
    with pytest.raises(OutputError if is_full else KeyboardInterrupt, match=message):
        file.write("two\n")
    assert old.read_text() == "one\n"
    disk.left = 100
    file.write("three\n")
    file.finish(is_good=True)
    real.close()
    assert old.read_text() == "one\nthree\n"


def test_a_short_write_goes_on(old):
    class Slow(HalfDisk):
        def write(self, data):
            return io.FileIO.write(self, bytes(data)[:2])

    file = RowFile(old)
    file.open()
    file.write("one\n")
    real, file._file = file._file, Slow(old, "r+")
    file._file.seek(4)
    file.write("three\n")
    file.finish(is_good=True)
    real.close()
    assert old.read_text() == "one\nthree\n"


def test_a_row_that_cannot_take_its_place_leaves_the_old_file(old, monkeypatch):
    file = RowFile(old)
    file.open()
    monkeypatch.setattr(os, "replace", refuse(errno.EROFS))
    with pytest.raises(OutputError, match="the disk is read-only; the old file is untouched"):
        file.write("row\n")
    file.finish(is_good=False)
    assert_untouched(old)


@pytest.mark.parametrize("output", [WholeFile, RowFile])
def test_a_folder_that_refuses_is_said_before_the_work(old, output, monkeypatch):
    monkeypatch.setattr("pathlib.Path.open", refuse(errno.EROFS))
    with pytest.raises(OutputError, match="the disk is read-only; the old file is untouched"):
        output(old).open()


def test_a_dash_is_standard_output(tmp_path, capsys):
    assert isinstance(whole(tmp_path / "-"), WholeFile)
    for output, ending in ((whole("-"), "]"), (rows("-", "head\n"), "")):
        output.open()
        output.write("row \udcff\n")
        assert capsys.readouterr().out in ("row \\udcff\n", "head\nrow \\udcff\n")
        output.finish(is_good=True, ending=ending)
        assert capsys.readouterr().out == ending
        output.finish(is_good=False, ending="no")
        assert capsys.readouterr().out == ""


def test_a_closed_pipe_is_told_apart_and_is_no_error_at_the_end(monkeypatch):
    reader, pipe = os.pipe()
    os.close(reader)
    with os.fdopen(pipe, "w") as nobody_reads, open(os.devnull, "w") as nowhere:
        output = StandardOutput()
        monkeypatch.setattr(output, "_file", nobody_reads)
        with pytest.raises(BrokenPipeError):
            output.write("row\n")
        output.finish(is_good=True, ending="]")
        os.dup2(nowhere.fileno(), pipe)  # closing flushes


def test_a_full_disk_behind_standard_output(monkeypatch, capsys):
    output = StandardOutput()
    monkeypatch.setattr(output, "_file", type("Full", (), {"flush": refuse(errno.ENOSPC)})())
    with pytest.raises(OutputError, match="cannot write standard output: the disk is full"):
        output.write("row\n")


def test_two_outputs_are_not_one(tmp_path):
    check_targets(["-", tmp_path / "a", tmp_path / "b"], [tmp_path / "c"])
    for outputs in (["-", "-"], [tmp_path / "a", tmp_path / "a"], [tmp_path / "c"]):
        with pytest.raises(OutputError, match="named for two outputs"):
            check_targets(outputs, [tmp_path / "c"])
