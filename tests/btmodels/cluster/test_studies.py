"""Two nodes on this machine give the rows and masks of one process, with one of them killed meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from btmodels import paths
from btmodels.errors import EngineError

ray = pytest.importorskip("ray", reason="needs requirements-cluster.txt")

from ray.cluster_utils import Cluster  # noqa: E402

from btmodels.cluster.studies import analyze_groups  # noqa: E402

STUDIES = sorted((paths.ASSETS / "samples" / "kaggle_3m").glob("SYNT_*"))
ROOT = Path(__file__).resolve().parents[3]


def analyze(out: Path, *more: str) -> subprocess.Popen:
    words = [sys.executable, "-m", "btmodels", "analyze", *map(str, STUDIES), "--json"]
    return subprocess.Popen(
        [*words, "--out", str(out), *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"RAY_ADDRESS": ""},
    )


def test_a_killed_node_loses_no_slice_and_changes_no_mask(cluster, tmp_path):
    alone, _ = analyze(tmp_path / "alone").communicate(timeout=300)
    run = analyze(tmp_path / "spread", "--ray", cluster.address)
    wait_until_both_work(cluster)
    cluster.remove_node(cluster.second, allow_graceful=False)
    spread, errors = run.communicate(timeout=300)
    assert run.returncode == 0, errors
    expected = json.loads(alone.replace("/alone/", "/spread/"))
    assert json.loads(spread) == expected and len(expected) > 100
    masks = sorted(
        each.relative_to(tmp_path / "alone") for each in (tmp_path / "alone").rglob("*.tif")
    )
    assert len(masks) == len(expected)
    for mask in masks:
        there = (tmp_path / "spread" / mask).read_bytes()
        assert there == (tmp_path / "alone" / mask).read_bytes()


def test_a_lost_head_costs_a_second_command_and_no_slice(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "5")
    out = tmp_path / "masks"
    with head() as cluster:
        run = analyze(out, "--ray", cluster.address)
        until = time.monotonic() + 200
        while not any(out.rglob("*.tif")):
            assert run.poll() is None and time.monotonic() < until
            time.sleep(0.1)
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 1 and "give the command again" in errors, errors
    with head() as cluster:
        again = analyze(out, "--ray", cluster.address)
        spread, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    alone, _ = analyze(tmp_path / "alone").communicate(timeout=300)
    assert json.loads(spread) == json.loads(alone.replace("/alone/", "/masks/"))


@contextmanager
def head() -> Iterator[Cluster]:
    """A cluster of one node, ended without a farewell."""
    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "object_store_memory": 200 * 2**20,
            "include_dashboard": False,
        },
    )
    yield made
    made.head_node.kill_all_processes(check_alive=False, allow_graceful=False)


def wait_until_both_work(cluster) -> None:
    """Wait until each node's processor is taken by an actor."""
    ray.init(cluster.address, ignore_reinit_error=True, log_to_driver=False)
    until = time.monotonic() + 120
    while ray.available_resources().get("CPU", 0) > 0:
        assert time.monotonic() < until, "One node stayed idle."
        time.sleep(0.2)
    ray.shutdown()


def test_without_a_cluster_the_command_says_so():
    with pytest.raises(EngineError, match="no Ray cluster at 127.0.0.1:1"):
        list(analyze_groups([()], None, ("", ""), paths.ASSETS, "127.0.0.1:1"))
