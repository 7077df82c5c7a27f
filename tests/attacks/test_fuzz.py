"""What `make fuzz` must notice itself, with readers that do it."""

import os
import re
import signal
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest

from attacks import slices
from attacks.fuzz import LEDGER, MADE, following, note, ran, run, table, tried
from attacks.mutations import CHANGES, LONG, mutated
from attacks.readers import Reader
from attacks.slices import Slice, Tally, content, total
from soundfix.errors import SceneError

WHOLE = b"x,y\n0,0\n4,0\n4,3\n"


def refuse(path: Path) -> None:
    raise SceneError(f"{path} is refused")


def foreign(path: Path) -> None:
    raise KeyError("somebody else's")


def without_memory(path: Path) -> None:
    try:
        np.ones((1 << 40,))
    except MemoryError as error:
        raise SceneError("too large") from error


def filled(path: Path) -> None:
    np.ones(3 << 26)  # 1.5 GiB


def busy(path: Path) -> None:
    """Where no handler of Python's is asked."""
    sum(range(1 << 60))


def dead(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def slice_of(read, tmp_path, *, lasts_s=0.2, first=3, tells=lambda content: []) -> Tally:
    reader = Reader(".csv", lambda: WHOLE, read, tells)
    return Slice(reader, WHOLE, "one", 5, first, lasts_s, tmp_path / "fuzz").ended()


def test_who_refuses_and_who_reads_is_counted(tmp_path):
    refused, read = slice_of(refuse, tmp_path), slice_of(Path.read_bytes, tmp_path, tells=lambda _: [np.ones(2)])
    assert refused.next - refused.first == refused.refused > 20
    assert read.next - read.first > 20
    assert read.refused == read.failed == refused.failed == 0


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (foreign, "KeyError"),
        (without_memory, "asks for too much memory"),
        (filled, r"takes 1\d{3} MiB"),  # less than 1536 where others' memory went meanwhile
        (dead, r"ends its process \(-9\)"),
    ],
)
def test_what_fails_is_kept_with_its_number(read, said, tmp_path, capfd):
    tally = slice_of(read, tmp_path)
    assert tally.failed >= 1
    assert tally.next - tally.first == tally.failed
    assert (tmp_path / "fuzz" / "one-5-3.csv").read_bytes() == content(WHOLE, 5, "one", 3)
    assert re.search(f"one, seed 5, number 3: {said}", capfd.readouterr().out)


def test_numbers_that_are_not_finite_fail(tmp_path):
    assert slice_of(Path.read_bytes, tmp_path, tells=lambda _: [np.array([1.0, np.inf])]).failed > 0


@pytest.mark.parametrize(("read", "limit"), [(busy, "DEADLINE_S"), (lambda path: time.sleep(60), "LONGEST_WAIT_S")])
def test_what_hangs_is_ended_and_the_next_slice_goes_on_behind_it(read, limit, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(slices, limit, 0.3)
    tally = slice_of(read, tmp_path)
    assert (tally.failed, tally.next) == (1, 4)
    assert "hangs" in capfd.readouterr().out


def test_readers_share_the_time_and_what_was_tried_is_kept(tmp_path):
    readers = {
        "quick": Reader(".csv", lambda: WHOLE, Path.read_bytes),
        "slow": Reader(".csv", lambda: WHOLE, lambda path: sum(range(10**6))),
    }
    (tmp_path / "fuzz").mkdir()
    slices = run(readers, 1, 1.5, 2, tmp_path / "fuzz")
    tallies = {name: total(each) for name, each in slices.items()}
    assert tallies["quick"].next > 10 * tallies["slow"].next > 0
    assert abs(len(slices["quick"]) - len(slices["slow"])) <= 1 + len(slices["slow"])
    kept = ran(tmp_path / "fuzz")
    assert tried(kept) == tallies["quick"].next + tallies["slow"].next
    assert following(kept, 1)["quick"] == tallies["quick"].next
    assert following(kept, 2)["quick"] == 0


def test_the_same_seed_goes_on_where_it_ended(tmp_path):
    note(tmp_path, "one", 1, Tally(0, 50, 4, 1, 0.5, 20.0, 1.0))
    slices = run({"one": Reader(".csv", lambda: WHOLE, Path.read_bytes)}, 1, 0.2, 1, tmp_path)
    assert slices["one"][0].first == 50


def test_the_ledger_tells_the_seed_and_what_made_the_files(tmp_path):
    note(tmp_path, "raven", 7, Tally(10, 30, 4, 1, 0.5, 20.0, 1.0))
    assert (tmp_path / LEDGER).exists()
    (told,) = ran(tmp_path)
    assert (told["reader"], told["seed"], told["made"], told["first"], told["next"]) == ("raven", 7, MADE, 10, 30)
    assert "| raven | 20 | 4 | 15 | 1 | 500 | 20 |" in table({"raven": [Tally(10, 30, 4, 1, 0.5, 20.0, 1.0)]})


def test_the_same_number_makes_the_same_file_and_every_change_changes():
    assert content(WHOLE, 1, "a", 2) == content(WHOLE, 1, "a", 2)
    assert len({content(WHOLE, seed, name, 2) for seed in range(9) for name in "abc"}) > 20
    for change in CHANGES:
        assert any(change(WHOLE, Random(k)) != WHOLE for k in range(20)), change
    assert any(len(mutated(WHOLE, Random(k))) >= LONG - 9 for k in range(1000))
