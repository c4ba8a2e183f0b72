"""A cluster of two nodes on this machine, where Ray is installed."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one processor each, so that each holds one actor."""
    pytest.importorskip("ray", reason="needs requirements-cluster.txt")
    from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "object_store_memory": 200 * 2**20}
    made = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    made.second = made.add_node(**small)
    yield made
    made.shutdown()
