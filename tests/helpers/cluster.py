"""A Ray cluster of two nodes on this machine, an actor on each."""

import os
from contextlib import contextmanager

import pytest

from helpers import TESTS


@contextmanager
def two_nodes():
    """Its address."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as context:
        context.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]))
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        try:
            yield cluster.address
        finally:
            ray.shutdown()
            cluster.shutdown()
