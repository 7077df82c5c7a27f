"""Evaluating: conditions are nested, windows the same for all, a run goes on where it was, tables say what rows say."""

import errno
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from helpers.disks import refuse, taken
from helpers.evaluation import ASKED
from soundfix.errors import ConfigError, OutputError
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.rows import RowFile
from soundfix.evaluation.run import Method, Plan, evaluate
from soundfix.methods.srp_phat import SrpPhat
from soundfix.networks.checkpoint import PACKAGED


def test_more_microphones_than_there_are(tmp_path):
    plan = Plan(dataset="luvira-twin", methods=(Method(name="srp-phat"),), grid=Grid(microphones=(11, 12)))
    with pytest.raises(ConfigError, match="12 microphones were asked for, and luvira-twin has 11"):
        evaluate(plan, tmp_path)


def test_a_method_takes_its_beats_along(tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr("soundfix.evaluation.run.load", lambda name, **options: given.update(options) or SrpPhat())
    (tmp_path / "beats.pt").write_bytes(b"beats")
    method = Method(name="three-stream-paper", checkpoint=tmp_path / "net", beats=tmp_path / "beats.pt")
    method.load()
    assert given == {"checkpoint": tmp_path / "net", "beats": tmp_path / "beats.pt"}


def without_times(rows):
    """As text: a share of nothing is NaN, which is not equal to itself."""
    return [str(replace(row, seconds=0.0)) for row in rows]


def test_interrupted_and_gone_on_with_is_the_same(tmp_path, whole):
    done = []

    def stop_after_two(count):
        done.append(count)
        if sum(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(ASKED.plan(), tmp_path, progress=stop_after_two)
    with (tmp_path / "windows.jsonl").open("a") as file:
        file.write('{"clip": 2, "labels"')
    counts = []
    rows = evaluate(ASKED.plan(), tmp_path, progress=counts.append)
    assert counts == [2, 1]
    assert without_times(rows) == without_times(whole[1])
    assert without_times(RowFile(tmp_path / "windows.jsonl").read()) == without_times(rows)


def test_two_runs_in_one_folder_take_turns(tmp_path, monkeypatch):
    with taken(tmp_path, monkeypatch):
        evaluate(ASKED.plan(), tmp_path)


def test_a_full_disk_is_said_and_what_is_done_is_kept(tmp_path, whole, monkeypatch):
    full = ASKED.plan()

    def fill_after_one(_count):
        monkeypatch.setattr(Path, "open", refuse(errno.ENOSPC))

    with pytest.raises(OutputError, match="the disk is full; clips that are done are kept"):
        evaluate(full, tmp_path, progress=lambda count: fill_after_one(count) if count else None)
    monkeypatch.undo()
    counts = []
    assert without_times(evaluate(full, tmp_path, progress=counts.append)) == without_times(whole[1])
    assert counts[0] == 1


def test_two_workers_say_the_same_as_one(tmp_path, whole):
    rows = evaluate(replace(ASKED, workers=2).plan(), tmp_path)
    assert without_times(rows) == without_times(whole[1])


def test_another_evaluation_in_the_folder_is_refused(whole):
    with pytest.raises(OutputError, match="holds another evaluation: its methods is"):
        evaluate(replace(ASKED, methods="multilat").plan(), whole[0])


def test_a_manifest_names_the_packaged_weights_too():
    assert Method(name="three-stream").describe()["checkpoint"] == sha256(PACKAGED.read_bytes()).hexdigest()
    assert Method(name="srp-phat").describe()["checkpoint"] is None
