"""The benchmark of runtimes: the same networks, the same slice, the same threads, other programs."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

import loky
import numpy as np

from btmodels import paths, processes, registry
from btmodels.inference import worker
from btmodels.io.image import decode
from train.bench.stages import files

NAMES = ("default", "default-classifier", "unet")
"""Networks of the registry: those of the site, and the one that has a copy in PyTorch."""

EXTRAS = {"onnx": ("onnx", "onnxruntime", "tf2onnx"), "torch": ("torch",)}
"""Packages that a runtime needs; requirements-bench.txt has them."""

PAUSE = 0.02
"""Seconds before each call: threads of another runtime spin for a while before they sleep."""

Ask = Callable[[np.ndarray], np.ndarray]
"""From normalized slices, float32, (n, rows, cols, 3), to logits."""


def missing(runtime: str) -> list[str]:
    """Return the packages that are not installed and that a runtime needs."""
    return [package for package in EXTRAS[runtime] if find_spec(package) is None]


def runtime_rows(repeats: int, say: Callable[[str], None] = print) -> Iterator[dict[str, Any]]:
    """Yield milliseconds a slice and network by runtime, all of a network interleaved.

    Args:
        repeats: Slices.
        say: Gets a sentence for each runtime that is left out.
    """
    os.environ.update(processes.environment())
    for runtime in EXTRAS:
        if absent := missing(runtime):
            say(
                f"Rows of {runtime} are left out: {', '.join(absent)} not installed "
                "(pip install -r requirements-bench.txt)."
            )
    images = [decode(file.read_bytes(), file.name).pixels for file in files(repeats)]
    for name in NAMES:
        network = registry.get(name).name
        times = interleaved(ways_of(network), images)
        yield from rows_of(network, times)


def ways_of(name: str) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return ways to ask a network about a slice: as the site does, and by each runtime there is.

    The site computes in bfloat16 where the machine has units for it; all other ways compute in float32, in
    which the site's is asked once more.

    Args:
        name: Of the registry.

    Returns:
        Functions from uint8, (rows, cols, 3), to a map in 255ths or a verdict.
    """
    from btmodels.inference.predict import Predictor
    from train.bench.networks import answer_of, compiled

    served = worker.get_predictor(name, paths.ASSETS)
    predictor = Predictor(name, paths.ASSETS, policy="float32")
    model = predictor.model
    asked: dict[str, Ask] = {"predict": lambda batch: model.predict(batch, verbose=0)}
    if not missing("onnx"):
        asked["onnx"] = onnx(model)
    if predictor.spec.name == "unet" and not missing("torch"):
        asked["torch"] = pytorch(model)
    found = {
        "compiled": lambda pixels: compiled(served, pixels),
        "float32": lambda pixels: compiled(predictor, pixels),
    }
    for name, ask in asked.items():
        found[name] = lambda pixels, ask=ask: answer_of(predictor, pixels, ask)
    return found


def onnx(model: Any) -> Ask:
    """Return a Keras model as ONNX Runtime runs it."""
    import keras
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = loky.cpu_count()
    spec = keras.InputSpec(shape=(None, *model.input.shape[1:]), dtype="float32", name="slice")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the converter, about numpy
        path = Path(folder, "network.onnx")
        model.export(path, format="onnx", verbose=False, input_signature=[spec])
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=onnxruntime.get_available_providers()
        )
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})[0]


def pytorch(model: Any) -> Ask:
    """Return a Keras U-Net as PyTorch runs it, on its GPU where it has one."""
    import torch

    from train.bench.torch_unet import copy_of

    torch.set_num_threads(loky.cpu_count())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    copy = copy_of(model).to(device, memory_format=torch.channels_last)

    def ask(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            # The same bytes seen as (n, 3, rows, cols): channels stay last in memory.
            found = copy(torch.from_numpy(batch).to(device).permute(0, 3, 1, 2))
        return found.permute(0, 2, 3, 1).cpu().numpy()

    return ask


def interleaved(
    ways: dict[str, Callable[[Any], Any]], inputs: Sequence[Any]
) -> dict[str, list[float]]:
    """Return the seconds of each way for each input, asked in turn and each first equally often."""
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
    """Yield medians in milliseconds, each against that of the way in which the site asks."""
    ours = 1000 * median(times["compiled"])
    for way, seconds in times.items():
        yield {
            "name": f"runtime/{network}/{way}",
            "value": 1000 * median(seconds),
            "unit": "ms",
            "against": None if way == "compiled" else ours,
        }
