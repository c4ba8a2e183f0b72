"""Benchmark of the networks: the engine, the bare compiled networks, ``model.predict``; and the size
and speed of each network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from btmodels import paths, processes, registry
from btmodels.inference import worker
from btmodels.inference.engine import Engine
from btmodels.io.image import decode
from btmodels.measurement.measure import measure
from btmodels.slices import Prediction
from btmodels.transforms.postprocess import sigmoid
from btmodels.transforms.preprocess import normalize, quantize, restore
from btmodels.visualize.overlay import overlay_png
from train.bench.rows import Row, interleaved, megabytes, row
from train.bench.stages import files

if TYPE_CHECKING:
    from btmodels.inference.predict import Predictor
    from btmodels.inference.predictor import SlicePredictor

Ask = Callable[[np.ndarray], Prediction]


class Networks:
    """The site's two networks, run in three ways."""

    def __init__(self) -> None:
        os.environ.update(processes.environment())
        names = [registry.get(name).name for name in ("default-classifier", "default")]
        self.classifier, self.segmenter = (
            worker.get_keras_predictor(name, paths.ASSETS) for name in names
        )
        self._engine = Engine()

    def by_engine(self, pixels: np.ndarray) -> Prediction:
        """Run them as the site does."""
        return self._engine.predict([pixels])[0]

    def compiled(self, pixels: np.ndarray) -> Prediction:
        """Run them in this process, as the engine's Keras worker does."""
        return Prediction(
            float(compiled(self.classifier, pixels)), compiled(self.segmenter, pixels)
        )

    def by_predict(self, pixels: np.ndarray) -> Prediction:
        """Run them in this process with `keras.Model.predict`."""
        return Prediction(
            float(_by_predict(self.classifier, pixels)), _by_predict(self.segmenter, pixels)
        )

    def close(self) -> None:
        """End the engine's worker."""
        self._engine.close()


def analyze(repeats: int) -> tuple[float, float]:
    """Return milliseconds per slice from file to overlay, with the engine and with ``model.predict``."""
    networks = Networks()

    def whole(ask: Ask) -> Callable[[Path], None]:
        def run(file: Path) -> None:
            found = decode(file.read_bytes(), file.name)
            records = networks.segmenter.record, networks.classifier.record
            names = [record.name for record in records]
            overlay_png(measure(found, ask(found.pixels), *records, *names))

        return run

    try:
        return _compare(whole(networks.by_engine), whole(networks.by_predict), files(repeats))
    finally:
        networks.close()


def engine(repeats: int) -> tuple[float, float]:
    """Return milliseconds per slice with the engine, and with the networks compiled by Keras."""
    networks = Networks()
    images = [decode(file.read_bytes(), file.name).pixels for file in files(repeats)]
    try:
        return _compare(networks.by_engine, networks.compiled, images)
    finally:
        networks.close()


def rate_rows(slices: int) -> Iterator[Row]:
    """Yield slices per second of the engine, one after the other and all at once, against the target.

    Args:
        slices: Number of slices.
    """
    images = [decode(file.read_bytes(), file.name).pixels for file in files(slices)]
    engine = Engine()
    try:
        engine.predict(images[:1])
        begin = perf_counter()
        for image in images:
            engine.predict([image])
        alone = slices / (perf_counter() - begin)
        begin = perf_counter()
        engine.predict(images)
        together = slices / (perf_counter() - begin)
    finally:
        engine.close()
    yield row("rate/alone", alone, "/s", 40.0)
    yield row("rate/together", together, "/s", 45.0)


def network_rows(names: Sequence[str], repeats: int, assets: Path = paths.ASSETS) -> Iterator[Row]:
    """Yield the size and speed of each network, four rows each (see `train.bench.command`).

    Args:
        names: Registry names.
        repeats: Slices per network.
        assets: Folder with the weights.

    Raises:
        WeightsError: A network's weights are missing or altered.
    """
    os.environ.update(processes.environment())
    from btmodels.networks.multiply_adds import (
        multiply_adds,  # loads TensorFlow, which reads the environment
    )

    images = [decode(file.read_bytes(), file.name).pixels for file in files(repeats)]
    for name in names:
        predictor = worker.get_keras_predictor(name, assets)
        served = worker.get_predictor(name, assets)
        ways = partial(compiled, served), partial(_by_predict, predictor)
        value, against = _compare(*ways, images)
        yield row(f"network/{name}/parameters", predictor.model.count_params())
        yield row(f"network/{name}/multiply_adds", multiply_adds(predictor.model))
        yield megabytes(f"network/{name}/megabytes", registry.weights_size(name, assets))
        yield row(f"network/{name}/slice_ms", value, "ms", against)


def _compare(one: Callable, other: Callable, inputs: Sequence) -> tuple[float, float]:
    times = interleaved({"one": one, "other": other}, inputs)
    return 1000 * median(times["one"]), 1000 * median(times["other"])


def compiled(predictor: SlicePredictor, pixels: np.ndarray) -> np.ndarray:
    """Run a network on a slice as the engine's worker does; return a verdict, or a map in 255ths."""
    ask = predictor.segment if predictor.spec.task == "segment" else predictor.classify
    return ask([pixels])[0]


def _by_predict(predictor: Predictor, pixels: np.ndarray) -> np.ndarray:
    return answer_of(predictor, pixels, lambda views: predictor.model.predict(views, verbose=0))


def answer_of(
    predictor: Predictor, pixels: np.ndarray, ask: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return the same result as `compiled`, from logits computed by ``ask``.

    Args:
        predictor: Supplies spec and record.
        pixels: uint8, (rows, cols, 3).
        ask: Maps normalized views of the slice, float32, (n, rows, cols, 3), to logits.
    """
    image = normalize(pixels, predictor.spec.input_shape[:2])
    views = [image, image[:, ::-1]] if predictor.record.flips else [image]
    logits = ask(np.stack(views))
    found = sigmoid(logits / predictor.record.temperature)
    if predictor.spec.task == "classify":
        return found.mean()
    maps = [each[:, ::-1] if i else each for i, each in enumerate(found[..., 0])]
    return quantize(restore(np.mean(maps, axis=0), *pixels.shape[:2]))
