"""Measure the site's speed on this machine.

Each time is compared with another one of the same run: machines and their load differ, ratios less.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

import loky

from btmodels import registry
from btmodels.errors import BrainTumorError
from train.visitor import Site

VIEWER = "bidi_component"
"""What Streamlit calls the element that shows a slice."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--assets", type=Path, default=registry.ASSETS, help="where the result goes"
    )
    parser.add_argument("--reruns", type=int, default=50, help="of each kind; defaults to 50")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=ROWS,
        metavar="NAME",
        help=f"measure just these of {', '.join(ROWS)}, and write nothing",
    )


def main(args: argparse.Namespace) -> int:
    """Print the rows as they come, and write them all."""
    # Only what every clone has is measured.
    os.environ.pop("BT_DATA_DIR", None)
    os.environ.pop("BT_ENGINE", None)
    try:
        for name in ("default", "default-classifier"):
            registry.verify_weights(name)
    except BrainTumorError as error:
        print(f"Nothing to measure: {error}", file=sys.stderr)
        return 1
    print(machine())
    print(f"{'':<12}{'value':>12}{'against':>12}{'ratio':>8}{'aim':>10}")
    rows = []
    for name in args.only or ROWS:
        measure, aim = ROWS[name]
        value, against = measure(args.reruns)
        rows.append(
            {
                "name": name,
                "value": round(value, 2),
                "unit": "ms",
                "against": round(against, 2),
                "ratio": round(value / against, 3),
            }
        )
        print(
            f"{name:<12}{value:>9.1f} ms{against:>9.1f} ms{value / against:>8.2f}{aim:>10}",
            flush=True,
        )
    if not args.only:
        path = args.assets / "metrics" / "bench.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"command": "python -m train bench", "machine": machine(), "rows": rows}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


def rerun(repeats: int) -> tuple[float, float]:
    """Analyze run again with its slices already analyzed, against the same without networks."""
    with Site() as on, Site(BT_ENGINE="off") as off:
        sessions = on.visit(), off.visit()
        for session in sessions:
            # The first visit analyzes all slices; the second finds everything in its place.
            session.run("analyze")
            session.run("analyze")
        times: tuple[list[float], list[float]] = [], []
        for i in range(repeats):
            for which in (0, 1) if i % 2 else (1, 0):
                times[which].append(sessions[which].run("analyze"))
    return 1000 * median(times[0]), 1000 * median(times[1])


def first_page(repeats: int) -> tuple[float, float]:
    """From the server's start to a slice on the Overview, against a second and a half."""
    return _first(1), 1500.0


def first_mask(repeats: int) -> tuple[float, float]:
    """From the server's start to that slice's mask, against five seconds."""
    return _first(2), 5000.0


def _first(viewer: int) -> float:
    # The viewer is sent at once with the slice, and again when the networks have come to it.
    with Site() as site:
        kinds = site.visit().watch("")
        for _ in range(viewer):
            next(kind for kind in kinds if kind == VIEWER)
        return 1000 * (perf_counter() - site.started)


def analyze(repeats: int) -> tuple[float, float]:
    """One new slice from file to overlay by the engine, against the same by ``model.predict``."""
    from train import bench_networks

    return bench_networks.analyze(repeats)


def engine(repeats: int) -> tuple[float, float]:
    """One slice by the engine, against the bare compiled networks in this process."""
    from train import bench_networks

    return bench_networks.engine(repeats)


def machine() -> str:
    """Describe what is measured on."""
    cores = loky.cpu_count()
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "streamlit"))
    return f"{_processor()}, {cores} cores, Python {platform.python_version()}, {packages}"


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


ROWS: dict[str, tuple[Callable[[int], tuple[float, float]], str]] = {
    "rerun": (rerun, "<= 1.2"),
    "first_page": (first_page, "<= 1"),
    "first_mask": (first_mask, "<= 1"),
    "analyze": (analyze, "<= 0.4"),
    "engine": (engine, "<= 1.1"),
}
