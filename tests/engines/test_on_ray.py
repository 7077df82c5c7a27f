"""A Ray cluster of two nodes on this machine: the same results, whoever dies."""

import os
import sys
from functools import partial

import pytest

from helpers import TESTS
from helpers.crews import cannot_be_made, deadly, failing, squares
from soundfix.engines.named import engine_named
from soundfix.errors import EngineError, MissingPackageError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def address():
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as context:
        context.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]))
        yield from started(ray, Cluster)


def started(ray, Cluster):
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


def test_every_task_is_done_once_on_both_nodes(address):
    found = list(engine_named("ray", 2, address).map(squares, list(range(20))))
    assert sorted((number, said) for number, (said, _) in found) == [(k, k**2) for k in range(20)]
    assert len({process for _, (_, process) in found}) == 2


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


def test_that_ray_is_missing_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"ray is not installed.*soundfix\[cluster\]"):
        engine_named("ray", 1)
