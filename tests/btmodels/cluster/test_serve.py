"""The networks behind Ray Serve: the masks of one process, also while a replica is replaced."""

from __future__ import annotations

import socket

import numpy as np
import psutil
import pytest

from btmodels.cluster.connect import connect
from btmodels.dataset import cohort
from btmodels.inference.engine import Engine

pytest.importorskip("ray", reason="needs requirements-cluster.txt")


@pytest.fixture
def address(cluster, monkeypatch):
    monkeypatch.setenv("BT_SERVE_CPUS", "1")
    ray = connect(cluster.address)
    from ray import serve

    from btmodels.cluster.serve import app

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(app, name="networks", route_prefix="/")
    yield f"ray://127.0.0.1:{port}"
    serve.shutdown()
    ray.shutdown()


def test_a_killed_replica_costs_a_retry_and_no_slice(address, monkeypatch):
    patient = cohort.read_cohort(cohort.samples_root())[0]
    images = [each.pixels for each in cohort.read_slices(patient)[0]]
    here = Engine()
    monkeypatch.setenv("BT_ENGINE", address)
    there = Engine()
    try:
        expected = here.predict(images)
        pending = [there.submit([image]) for image in images]
        assert [p.kill() for p in psutil.process_iter(["cmdline"]) if is_replica(p)]
        found = [each for answer in pending for each in answer.result(timeout=120)]
    finally:
        here.close()
        there.close()
    assert [e.tumor_probability for e in found] == [e.tumor_probability for e in expected]
    assert all(
        np.array_equal(a.probability_map, b.probability_map)
        for a, b in zip(found, expected, strict=True)
    )


def is_replica(process: psutil.Process) -> bool:
    return "ServeReplica" in " ".join(process.info["cmdline"] or [])
