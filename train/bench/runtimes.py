"""Benchmark of runtimes: the site's networks on the same slices, in each runtime that can run them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from statistics import median
from time import perf_counter, sleep
from typing import Any

import numpy as np

from btmodels import paths, processes, registry
from btmodels.inference import worker
from btmodels.io.image import decode
from train.bench.stages import files

PAUSE = 0.02
"""Seconds before each call: threads of another runtime spin for a while before they sleep."""


def runtime_rows(repeats: int) -> Iterator[dict[str, Any]]:
    """Yield milliseconds per slice by network and runtime, the runtimes of a network interleaved.

    Args:
        repeats: Number of slices.
    """
    os.environ.update(processes.environment())
    images = [decode(file.read_bytes(), file.name).pixels for file in files(repeats)]
    for alias in ("default", "default-classifier"):
        name = registry.get(alias).name
        yield from rows_of(name, interleaved(ways_of(name), images))


def ways_of(name: str) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return functions that run a network on a slice: as the site does, and with each installed runtime.

    Args:
        name: Registry name.

    Returns:
        Functions from pixels, uint8, (rows, cols, 3), to a map in 255ths or a verdict.
    """
    from btmodels.inference.graph import GraphPredictor
    from btmodels.inference.predict import Predictor
    from train.bench.networks import answer_of, compiled

    asked = {"site": worker.get_predictor(name, paths.ASSETS)}
    asked["onnxruntime"] = GraphPredictor(name, runtime="onnxruntime")
    if find_spec("openvino"):
        for way, half in (("openvino_float32", False), ("openvino_bfloat16", True)):
            asked[way] = GraphPredictor(name, runtime="openvino", half=half)
    asked["keras"] = keras = Predictor(name)
    found = {
        way: lambda pixels, predictor=predictor: compiled(predictor, pixels)
        for way, predictor in asked.items()
    }
    found["predict"] = lambda pixels: answer_of(
        keras, pixels, lambda batch: keras.model.predict(batch, verbose=0)
    )
    return found


def interleaved(
    ways: dict[str, Callable[[Any], Any]], inputs: Sequence[Any]
) -> dict[str, list[float]]:
    """Return the seconds of each way for each input. The ways take turns, each first equally often."""
    names = list(ways)
    for name in names:
        ways[name](inputs[0])
    times: dict[str, list[float]] = {name: [] for name in names}
    for number, each in enumerate(inputs):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            sleep(PAUSE)
            begin = perf_counter()
            ways[name](each)
            times[name].append(perf_counter() - begin)
    return times


def rows_of(network: str, times: dict[str, list[float]]) -> Iterator[dict[str, Any]]:
    """Yield medians in milliseconds, each against that of the site's way."""
    ours = 1000 * median(times["site"])
    for way, seconds in times.items():
        yield {
            "name": f"runtime/{network}/{way}",
            "value": 1000 * median(seconds),
            "unit": "ms",
            "against": None if way == "site" else ours,
        }
