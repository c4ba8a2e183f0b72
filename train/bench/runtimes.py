"""Benchmark of runtimes: the site's networks on the same slices, in each runtime that can run them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from statistics import median

import numpy as np

from btmodels import paths, processes, registry
from btmodels.inference import worker
from btmodels.io.image import decode
from train.bench.rows import Row, interleaved, milliseconds
from train.bench.stages import files

PAUSE = 0.02
"""Seconds before each call: threads of another runtime spin for a while before they sleep."""


def runtime_rows(repeats: int) -> Iterator[Row]:
    """Yield milliseconds per slice by network and runtime, the runtimes of a network interleaved.

    Args:
        repeats: Number of slices.
    """
    os.environ.update(processes.environment())
    images = [decode(file.read_bytes(), file.name).pixels for file in files(repeats)]
    for alias in ("default", "default-classifier"):
        name = registry.get(alias).name
        yield from rows_of(name, interleaved(ways_of(name), images, PAUSE))


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


def rows_of(network: str, times: dict[str, list[float]]) -> Iterator[Row]:
    """Yield medians in milliseconds, each against that of the site's way."""
    ours = 1000 * median(times["site"])
    for way, seconds in times.items():
        yield milliseconds(
            f"runtime/{network}/{way}", median(seconds), None if way == "site" else ours
        )
