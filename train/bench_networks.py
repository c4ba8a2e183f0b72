"""The networks' part of the benchmark: the engine, the bare compiled networks, ``model.predict``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from btmodels import cohort, registry, worker
from btmodels.decode import decode
from btmodels.engine import Engine
from btmodels.measure import measure
from btmodels.overlay import overlay_png
from btmodels.preprocess import normalize, restore, to_levels
from btmodels.slices import Prediction

Ask = Callable[[np.ndarray], Prediction]


class Networks:
    """The site's two networks, asked in three ways."""

    def __init__(self) -> None:
        os.environ.update(worker.environment())
        names = [registry.get(name).name for name in ("default-classifier", "default")]
        self.judge, self.locate = (worker.predictor_of(name, registry.ASSETS) for name in names)
        self._engine = Engine()

    def by_engine(self, pixels: np.ndarray) -> Prediction:
        """As the site asks."""
        return self._engine.predict([pixels])[0]

    def compiled(self, pixels: np.ndarray) -> Prediction:
        """In this process, as the engine's worker asks."""
        verdict, levels = self.judge.classify([pixels])[0], self.locate.segment([pixels])[0]
        return Prediction(float(verdict), levels)

    def by_predict(self, pixels: np.ndarray) -> Prediction:
        """In this process, by Keras's own method."""
        verdict = _by_predict(self.judge, pixels)[:, 0].mean()
        maps = _by_predict(self.locate, pixels)[..., 0]
        maps = np.stack([each[:, ::-1] if i else each for i, each in enumerate(maps)])
        return Prediction(float(verdict), to_levels(restore(maps.mean(axis=0), *pixels.shape[:2])))

    def close(self) -> None:
        """End the engine's worker."""
        self._engine.close()


def analyze(repeats: int) -> tuple[float, float]:
    """Return milliseconds a slice from file to overlay, by the engine and by ``model.predict``."""
    networks = Networks()

    def whole(ask: Ask) -> Callable[[Path], None]:
        def run(file: Path) -> None:
            found = decode(file.read_bytes(), file.name)
            records = networks.locate.record, networks.judge.record
            names = [record.name for record in records]
            overlay_png(measure(found, ask(found.pixels), *records, *names))

        return run

    try:
        return _compare(whole(networks.by_engine), whole(networks.by_predict), _files(repeats))
    finally:
        networks.close()


def engine(repeats: int) -> tuple[float, float]:
    """Return milliseconds a slice by the engine and by the bare compiled networks."""
    networks = Networks()
    images = [decode(file.read_bytes(), file.name).pixels for file in _files(repeats)]
    try:
        return _compare(networks.by_engine, networks.compiled, images)
    finally:
        networks.close()


def _compare(one: Callable, other: Callable, inputs: Sequence) -> tuple[float, float]:
    for run in (one, other):
        run(inputs[0])
    times: tuple[list[float], list[float]] = [], []
    for i, each in enumerate(inputs):
        for which in (0, 1) if i % 2 else (1, 0):
            begin = perf_counter()
            (one, other)[which](each)
            times[which].append(perf_counter() - begin)
    return 1000 * median(times[0]), 1000 * median(times[1])


def _by_predict(predictor, pixels: np.ndarray) -> np.ndarray:
    image = normalize(pixels, predictor.spec.input_shape[:2])
    views = [image, image[:, ::-1]] if predictor.record.flips else [image]
    logits = predictor.model.predict(np.stack(views), verbose=0)
    return 1 / (1 + np.exp(-logits / predictor.record.temperature))


def _files(count: int) -> list[Path]:
    patients = cohort.read_cohort(cohort.samples_root())
    files = [file.image for patient in patients for file in patient.files]
    return list(islice(cycle(files), count))
