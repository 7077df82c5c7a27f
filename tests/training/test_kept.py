"""Rows that are kept: made once, whole or not there, made again where they cannot be read."""

import pytest
import torch

from soundfix.training import kept
from soundfix.training.kept import Kept


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(kept, "SHARD", 4)


class Maker:
    """Counts what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, number):
        self.asked.append(number)
        return {"value": torch.full((3,), number).half(), "name": torch.tensor(number)}


def test_without_a_folder_every_row_is_made_when_it_is_asked_for():
    rows = Kept(make := Maker(), 5, None)
    rows.fill()
    assert [int(rows[n]["name"]) for n in (4, 4, 0)] == [4, 4, 0]
    assert make.asked == [4, 4, 0]
    assert len(rows) == 5


def test_rows_are_made_once(tmp_path):
    Kept(Maker(), 10, tmp_path).fill()
    again = Kept(make := Maker(), 10, tmp_path)
    again.fill()
    for number in range(10):
        assert torch.equal(again[number]["value"], torch.full((3,), number).half())
    assert make.asked == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{k:06d}.safetensors" for k in range(3)]


def test_it_goes_on_where_it_was_interrupted(tmp_path):
    Kept(Maker(), 10, tmp_path).write(1)
    told = []
    rows = Kept(make := Maker(), 10, tmp_path)
    rows.fill(progress=lambda done, of: told.append((done, of)))
    assert make.asked == [0, 1, 2, 3, 8, 9]
    assert told == [(2, 3), (3, 3)]


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_what_cannot_be_read_is_made_again(tmp_path, damage):
    Kept(Maker(), 8, tmp_path).fill()
    path = tmp_path / "000001.safetensors"
    path.write_bytes(path.read_bytes()[:-5] if damage is None else damage)
    rows = Kept(make := Maker(), 8, tmp_path)
    assert int(rows[6]["name"]) == 6
    assert make.asked == [4, 5, 6, 7]


def test_several_processes_keep_the_same(tmp_path):
    Kept(Maker(), 10, tmp_path / "one").fill()
    Kept(Maker(), 10, tmp_path / "two").fill(workers=2)
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
