"""Profiles of the site's slowest operations."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from time import process_time

from btmodels import registry
from train.bench.client import Site
from train.bench.rows import Row, milliseconds, row
from train.bench.start import next_mask_parts

RERUNS = 30
"""Reruns of each kind."""


def profile_rows() -> Iterator[Row]:
    """Yield the parts of the networks' start-up, of the next mask and of a rerun (see
    `train.bench.command`)."""
    # In a fresh process, since a runtime is loaded only once per process.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        for name, seconds in fresh.submit(start_seconds).result().items():
            yield milliseconds(f"profile/start/{name}", seconds)
    for name, waited in next_mask_parts().items():
        yield row(f"profile/next_mask/{name}", waited, "ms")
    with Site() as on, Site(BT_ENGINE="off") as off:
        with_networks, without = rerun_figures(on), rerun_figures(off)
    for name, unit in (("elements", ""), ("server", "ms")):
        yield row(f"profile/rerun/{name}", with_networks[name], unit, float(without[name]))


def start_seconds() -> dict[str, float]:
    """Start as the engine's worker does; return the CPU seconds of each part.

    ``runtime`` is loading the runtime. For each network, ``load`` is verifying, filling and compiling its
    graph, and ``first`` is its first run.
    """
    gc.disable()  # as the worker does
    spent, begin = {}, process_time()

    def mark(name: str) -> None:
        nonlocal begin
        now = process_time()
        spent[name], begin = now - begin, now

    from btmodels.inference import graph

    graph.GraphPredictor("sequential")
    mark("runtime")
    for name in (registry.get(alias).name for alias in ("default", "default-classifier")):
        predictor = graph.GraphPredictor(name)
        mark(f"{name}/load")
        predictor.warm()
        mark(f"{name}/first")
    return spent


def rerun_figures(site: Site) -> dict[str, float]:
    """Rerun Analyze repeatedly with everything cached.

    Returns:
        ``elements`` that reach the browser per run, and the CPU milliseconds per run of the ``server``.
    """
    session = site.visit()
    for _ in range(2):  # the first run analyzes all slices, the second finds them cached
        session.run("analyze")
    site.rest()
    begin = site.processor()["server"]
    counts = [len(list(session.watch("analyze"))) for _ in range(RERUNS)]
    seconds = site.processor()["server"] - begin
    return {"elements": counts[-1], "server": 1000 * seconds / RERUNS}
