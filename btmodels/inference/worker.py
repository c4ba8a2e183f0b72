"""What runs in the engine's worker process, the only one that loads TensorFlow.

Importing this module is cheap: the web process names these functions, the worker runs them. They work
as well in a process of their own, which is how the command line gives the same masks as the site.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import loky
import numpy as np

from btmodels import registry
from btmodels.errors import WeightsError
from btmodels.processes import quiet
from btmodels.slices import Prediction

if TYPE_CHECKING:
    from btmodels.inference.predict import Predictor

_predictors: dict[tuple[str, Path], Predictor] = {}
_prepared: WeakSet[Predictor] = WeakSet()


@dataclass(frozen=True)
class WorkerInfo:
    """How a worker is after warming up.

    Attributes:
        pid: Its process.
        device: What the networks run on, for people.
        problems: Network name to (SHA-256 of its weights, why they could not be loaded).
    """

    pid: int
    device: str
    problems: dict[str, tuple[str, str]]


@dataclass(frozen=True, eq=False)
class BatchResult:
    """What the networks say.

    Attributes:
        pid: Process that they answered in.
        predictions: In the order of the slices.
        batch_size: Slices that are best sent at once from now on: one until full batches are prepared.
    """

    pid: int
    predictions: list[Prediction]
    batch_size: int


def load(names: Sequence[str], assets: Path) -> WorkerInfo:
    """Load and run each of the networks once. One whose weights are not to be had is left out."""
    problems = {}

    def load_one(name: str) -> None:
        try:
            get_predictor(name, assets).warm()
        except WeightsError as error:
            problems[name] = _recorded_sha256(name, assets), str(error)

    with _no_garbage(), quiet():
        # Before the threads, which would both wait for it; while one compiles the other one builds.
        import btmodels.inference.predict  # noqa: F401

        with ThreadPoolExecutor(max(len(names), 1)) as threads:
            list(threads.map(load_one, names))
        return WorkerInfo(os.getpid(), device(), problems)


def predict(
    images: Sequence[np.ndarray], segmenter: str, classifier: str, assets: Path
) -> BatchResult:
    """Ask both networks about each slice.

    Args:
        images: uint8, (rows, cols, 3) each, 0 to 255.
        segmenter, classifier: Registry names.
        assets: Folder that holds ``weights/``.

    Raises:
        WeightsError: The weights of either are missing, altered or of another network.
    """
    # Both before either is asked: with one of them altered there is no answer at all.
    locate, judge = get_predictor(segmenter, assets), get_predictor(classifier, assets)
    # Side by side: neither keeps two cores busy with a slice or two.
    verdicts = _beside().submit(judge.classify, images)
    maps = locate.segment(images)
    pairs = zip(verdicts.result(), maps, strict=True)
    found = [Prediction(float(verdict), levels) for verdict, levels in pairs]
    return BatchResult(os.getpid(), found, _batch_size(locate, judge))


@cache
def _beside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "classifier")


def warm_full_batch() -> int:
    """Begin to run the networks held for as many slices as they take at once; each of them once.

    The site is warm once it can answer for one slice. A first full batch takes a second longer than those
    after it, and whoever asked just then would wait for it: so it is run aside, while slices that come
    meanwhile are answered one at a time, and go on to be where the attempt fails.

    Returns:
        Slices that are best sent at once, as in `BatchResult`.
    """
    for predictor in _predictors.values():
        if predictor not in _prepared:
            _prepared.add(predictor)
            _aside().submit(predictor.warm, predictor.batch)
    return _batch_size(*_predictors.values())


def _batch_size(*held: Predictor) -> int:
    return min(each.batch if each.is_warm(each.batch) else 1 for each in held) if held else 1


@cache
def _aside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "preparing")


def get_predictor(name: str, assets: Path) -> Predictor:
    """Return the network ``name``, loaded from the very weights that lie there now.

    Raises:
        WeightsError: They are missing, altered or of another network.
    """
    record = registry.verify_weights(name, assets)
    held = _predictors.get((name, assets))
    if held is None or held.record != record:
        _predictors.pop((name, assets), None)
        with quiet():
            from btmodels.inference.predict import Predictor

            held = _predictors[name, assets] = Predictor(name, assets)
    return held


def device() -> str:
    """Say what TensorFlow computes on."""
    import tensorflow as tf

    from btmodels.inference.precision import fastest_policy

    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        return f"GPU, {details.get('device_name', 'unnamed')}"
    cores = loky.cpu_count()
    numbers = ", bfloat16" if fastest_policy() == "mixed_bfloat16" else ""
    return f"CPU, {cores} core{'s' * (cores > 1)}{numbers}"


def _recorded_sha256(name: str, assets: Path) -> str:
    try:
        return registry.load_record(name, assets).sha256
    except WeightsError:
        return ""


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Load inside what will never be garbage; looking for it there takes a tenth of the start."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
