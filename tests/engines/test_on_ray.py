"""A Ray cluster of two nodes on this machine: the same results, whoever dies."""

import sys
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pandas
import pytest

from helpers.cluster import two_nodes
from helpers.crews import cannot_be_made, deadly, failing, meeting, squares, unsendable
from helpers.evaluation import ASKED
from helpers.season import Told, asked, write_season
from helpers.sets import write
from soundfix.archive.season import run
from soundfix.engines import on_ray
from soundfix.engines.local import HERE
from soundfix.engines.named import engine_named
from soundfix.errors import EngineError, MissingPackageError
from soundfix.evaluation.run import evaluate

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def address():
    with two_nodes() as found:
        yield found


def test_every_task_is_done_once_on_both_nodes(address, tmp_path):
    found = list(engine_named("ray", 2, address).map(partial(meeting, str(tmp_path)), list(range(20))))
    assert sorted((number, said) for number, (said, _) in found) == [(k, k**2) for k in range(20)]
    assert len({process for _, (_, process) in found}) == 2


def test_many_tasks_are_handed_over_in_rounds(address, monkeypatch):
    monkeypatch.setattr(on_ray, "A_ROUND", 8)
    found = list(engine_named("ray", 2, address).map(squares, list(range(20))))
    assert sorted((number, said) for number, (said, _) in found) == [(k, k**2) for k in range(20)]
    assert {number for number, _ in found[:8]} == set(range(8))


def test_nothing_is_used_that_ray_is_to_lose(address):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert len(list(engine_named("ray", 2, address).map(squares, [1, 2]))) == 2
    assert [str(each.message) for each in seen if each.filename == on_ray.__file__] == []


def test_nothing_to_do(address):
    assert list(engine_named("ray", 2, address).map(squares, [])) == []


def test_an_actor_that_dies_loses_nothing(address, tmp_path):
    found = dict(engine_named("ray", 2, address).map(partial(deadly, str(tmp_path), 1), list(range(8))))
    assert found == {k: k for k in range(8)}
    assert len(list(tmp_path.glob("3-*"))) == 2


def test_a_task_that_ends_every_actor_is_told_and_the_others_are_done(address, tmp_path):
    found = dict(engine_named("ray", 2, address).map(partial(deadly, str(tmp_path), 99), list(range(8))))
    assert isinstance(found[3], EngineError)
    assert {k: said for k, said in found.items() if k != 3} == {k: k for k in range(8) if k != 3}


def test_what_a_worker_raises_is_raised_here(address):
    with pytest.raises(KeyError, match="is a mistake"):
        list(engine_named("ray", 2, address).map(failing, [1, 2]))
    with pytest.raises(ValueError, match="no such weights"):
        list(engine_named("ray", 2, address).map(cannot_be_made, [1, 2]))
    with pytest.raises(MissingPackageError, match=r"^rosbags is not installed"):
        list(engine_named("ray", 2, address).map(unsendable, ["missing"]))
    with pytest.raises(Exception, match="pickle"):
        list(engine_named("ray", 2, address).map(unsendable, ["result"]))


def test_scenes_windows_and_seasons_are_the_same_as_of_one_process(address, tmp_path):
    """What is simulated bit for bit, the rest to 1e-9."""
    engine = engine_named("ray", 2, address)
    write(tmp_path / "one")
    write(tmp_path / "ray", engine=engine)
    assert {path.name: path.read_bytes() for path in (tmp_path / "ray").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()
    }

    plan = ASKED.plan()
    one, others = evaluate(plan, tmp_path / "rows"), evaluate(replace(plan, engine=engine), tmp_path / "others")
    assert len(one) == len(others) > 0
    for row, other in zip(one, others, strict=True):
        assert np.allclose(row.said_m, other.said_m, rtol=0, atol=1e-9)

    write_season(tmp_path / "recordings")
    run(asked(tmp_path), HERE, Told())
    run(asked(tmp_path, out=tmp_path / "by-ray"), engine, Told())
    tables = [pandas.read_parquet(tmp_path / name / "answers.parquet") for name in ("out", "by-ray")]
    pandas.testing.assert_frame_equal(*tables, rtol=0, atol=1e-9)


def test_that_ray_is_missing_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"ray is not installed.*soundfix\[cluster\]"):
        engine_named("ray", 1)
