"""The benchmark's profiles: where the time goes of what the site takes longest for."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from time import process_time
from typing import Any

from btmodels import paths, processes, registry
from btmodels.inference import worker
from train.bench.client import Site

RERUNS = 30
"""Of each kind."""


def profile_rows() -> Iterator[dict[str, Any]]:
    """Yield the parts of the networks' start, and what a rerun draws and costs: see
    `train.bench.command`."""
    # A process of its own, for only once is TensorFlow loaded.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        for name, seconds in fresh.submit(start_seconds).result().items():
            yield {"name": f"profile/start/{name}", "value": 1000 * seconds, "unit": "ms"}
    with Site() as on, Site(BT_ENGINE="off") as off:
        with_networks, without = rerun_figures(on), rerun_figures(off)
    for name, unit in (("elements", ""), ("server", "ms")):
        yield {
            "name": f"profile/rerun/{name}",
            "value": with_networks[name],
            "unit": unit,
            "against": float(without[name]),
        }


def start_seconds() -> dict[str, float]:
    """Start as the engine's worker does; return the seconds of one processor that each part took.

    ``tensorflow`` is loading it; of each network ``load`` is building and filling it, ``first`` its
    first run, for which TensorFlow traces and compiles.
    """
    os.environ.update(processes.environment())
    gc.disable()  # as the worker does
    spent, begin = {}, process_time()

    def mark(name: str) -> None:
        nonlocal begin
        now = process_time()
        spent[name], begin = now - begin, now

    with processes.quiet():
        import btmodels.inference.predict  # noqa: F401

        mark("tensorflow")
        for name in (registry.get(alias).name for alias in ("default", "default-classifier")):
            predictor = worker.get_predictor(name, paths.ASSETS)
            mark(f"{name}/load")
            predictor.warm()
            mark(f"{name}/first")
    return spent


def rerun_figures(site: Site) -> dict[str, float]:
    """Run Analyze again and again with everything in its place.

    Returns:
        ``elements`` of a run that reach the browser, and the milliseconds of one processor that the
        ``server`` took for it.
    """
    session = site.visit()
    for _ in range(2):  # all slices analyzed, then all kept
        session.run("analyze")
    site.rest()
    begin = site.processor()["server"]
    counts = [len(list(session.watch("analyze"))) for _ in range(RERUNS)]
    seconds = site.processor()["server"] - begin
    return {"elements": counts[-1], "server": 1000 * seconds / RERUNS}
