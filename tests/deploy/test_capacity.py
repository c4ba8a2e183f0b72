"""What many visitors and many studies need, as `deploy/README.md` says, follows from measured figures."""

from __future__ import annotations

import json
import math

from tests.deploy.measured import PATH
from tests.test_readme_speed import plain
from tests.ui.site.running import ROOT

VISITORS, SECONDS = 1_000, 30
STUDIES, SLICES, NODES = 100_000, 60, 10
LOAD = 0.5
"""Share of the processors in use: the other half is for the minutes when all ask at once."""

REPLICA_CPUS = 2


def sentences(rows: dict[str, dict]) -> list[str]:
    """Return what the page must say."""
    rate = VISITORS / SECONDS
    pages, networks = (
        rate * rows[f"users_50/{process}_cpu"]["value"] / 1000 for process in ("server", "engine")
    )
    processes = math.ceil(pages / LOAD)
    replicas = math.ceil(networks / LOAD / REPLICA_CPUS)
    empty, full = rows["users_50/server"]["against"], rows["users_50/server"]["value"]
    visitor, replica = (full - empty) / 50, rows["users_50/engine"]["value"]
    held = (VISITORS * visitor + processes * empty + replicas * replica) / 1000
    hours = STUDIES * SLICES * rows["stage/all"]["value"] / 1000 / 3600
    return [
        f"{VISITORS:,} visitors, each with a new slice every {SECONDS} s",
        f"| slices a second | {rate:.0f} |",
        f"| processors for pages, {rows['users_50/server_cpu']['value']:.0f} ms a slice | {pages:.1f} |",
        f"| processors for networks, {rows['users_50/engine_cpu']['value']:.0f} ms a slice "
        f"| {networks:.1f} |",
        f"| at half load | {processes} web processes, {replicas} replicas of {REPLICA_CPUS} "
        f"processors: {processes + REPLICA_CPUS * replicas} processors |",
        f"| memory: {empty:.0f} MB a web process, {visitor:.1f} MB a visitor, {replica:.0f} MB a replica "
        f"| {held:.1f} GB and the visitors' uploads |",
        f"{STUDIES:,} studies of {SLICES} slices",
        f"{rows['stage/all']['value']:.0f} ms a slice on two processors",
        f"{hours:.0f} machine hours",
        f"{NODES} such nodes take {hours / NODES:.0f} hours",
    ]


def proxied() -> str:
    """Return what the page says of two processes behind nginx."""
    found = json.loads(PATH.read_text(encoding="utf-8"))["two processes behind nginx, 50 visitors"]
    alone = {row["name"]: row["value"] for row in _bench()}
    assert found["errors"] == 0
    return (
        "50 visitors who asked for new slices without a pause met no error, and 95 of 100 answers came "
        f"within {found['p95 s']:.1f} s, {found['slices per second']:.1f} slices a second "
        f"(one process: {alone['users_50/p95'] / 1000:.1f} s and "
        f"{alone['users_50/slices_per_second']:.1f})"
    )


def _bench() -> list[dict]:
    return json.loads((ROOT / "assets/metrics/bench.json").read_text(encoding="utf-8"))["rows"]


def test_figures_of_several_processes_are_measured():
    assert proxied() in plain((ROOT / "deploy/README.md").read_text(encoding="utf-8"))


def test_capacity_follows_from_the_benchmark():
    page = plain((ROOT / "deploy/README.md").read_text(encoding="utf-8"))
    for sentence in sentences({row["name"]: row for row in _bench()}):
        assert sentence in page, sentence
