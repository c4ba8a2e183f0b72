"""Functions that run in the engine's worker processes.

Importing this module is cheap: the web process refers to these functions, a worker runs them. They also
work without an engine, which is how the command line gives the same masks as the site.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakSet

import loky
import numpy as np

from btmodels import registry
from btmodels.errors import GraphError, WeightsError
from btmodels.processes import quiet, release_memory
from btmodels.slices import Prediction

if TYPE_CHECKING:
    from btmodels.inference.predict import Predictor
    from btmodels.inference.predictor import SlicePredictor

Runtime = Literal["graph", "keras", "any"]
"""What a process computes with: "graph" never loads TensorFlow, "any" only for networks without a graph."""

_runtime: Runtime = "any"
_predictors: dict[tuple[str, Path, str], SlicePredictor] = {}
_prepared: WeakSet[SlicePredictor] = WeakSet()


def by_graphs(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that only uses `get_predictor`, so that a worker without Keras can run it."""
    function.by_graphs = True
    return function


@dataclass(frozen=True)
class WorkerInfo:
    """State of a worker after warming up.

    Attributes:
        pid: Its process ID; None for a cluster.
        device: What the networks run on, for display.
        problems: Network name to (SHA-256 of its weights, reason why they could not be loaded).
    """

    pid: int | None
    device: str
    problems: dict[str, tuple[str, str]]


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Predictions for a batch of slices.

    Attributes:
        pid: ID of the process that computed them.
        predictions: In the order of the slices.
        batch_size: Best number of slices per call from now on: one until full batches are prepared.
    """

    pid: int
    predictions: list[Prediction]
    batch_size: int


def load(names: Sequence[str], assets: Path, runtime: Runtime = "any") -> WorkerInfo:
    """Load and run each network once. Networks whose weights or graph cannot be loaded are left out.

    Args:
        names: Registry names.
        assets: Folder that holds ``weights/``.
        runtime: What this process computes with from now on.
    """
    global _runtime
    _runtime = runtime
    problems = {}

    def load_one(name: str) -> None:
        try:
            get_predictor(name, assets).warm()
        except WeightsError as error:
            problems[name] = _recorded_sha256(name, assets), str(error)
        except GraphError:
            pass  # the graph is missing or altered: the Keras worker answers for this network

    with _no_garbage(), quiet():
        if runtime == "keras":
            # Import before the threads start, as they would all wait for it.
            import btmodels.inference.predict  # noqa: F401

        with ThreadPoolExecutor(max(len(names), 1)) as threads:
            list(threads.map(load_one, names))
        found = WorkerInfo(os.getpid(), device(), problems)
    release_memory()  # loading takes several times the memory that stays in use
    return found


def predict(
    images: Sequence[np.ndarray], segmenter: str, classifier: str, assets: Path
) -> BatchResult:
    """Run both networks on each slice.

    Args:
        images: uint8, (rows, cols, 3) each, 0 to 255.
        segmenter, classifier: Registry names.
        assets: Folder that holds ``weights/``.

    Raises:
        WeightsError: The weights of either are missing, altered or belong to another network.
    """
    # Load both before running either: if one is altered, there is no answer at all.
    marks, answers = get_predictor(segmenter, assets), get_predictor(classifier, assets)
    # Run both in parallel: for a few slices, neither keeps two cores busy.
    verdicts = _thread("classifier").submit(answers.classify, images)
    maps = marks.segment(images)
    pairs = zip(verdicts.result(), maps, strict=True)
    found = [Prediction(float(verdict), probability_map) for verdict, probability_map in pairs]
    return BatchResult(os.getpid(), found, _batch_size(marks, answers))


@cache
def _thread(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, name)


def warm_full_batch() -> int:
    """Begin to run each loaded network once with a full batch, in the background.

    The site is warm once it can answer for one slice. The first full batch takes a second longer than later
    ones, and a visitor would wait for it. Until it is done, or if it fails, slices are answered one by one.

    Returns:
        Best number of slices per call, as in `BatchResult`.
    """
    for predictor in _predictors.values():
        if not predictor.is_warm(predictor.batch) and predictor not in _prepared:
            _prepared.add(predictor)
            _thread("preparing").submit(predictor.warm, predictor.batch)
    release_memory()
    return _batch_size(*_predictors.values())


def _batch_size(*held: SlicePredictor) -> int:
    return min(each.batch if each.is_warm(each.batch) else 1 for each in held) if held else 1


def get_predictor(name: str, assets: Path) -> SlicePredictor:
    """Return the network ``name`` with its current weights; reload it if they have changed.

    Raises:
        WeightsError: They are missing, altered or belong to another network.
        GraphError: This process only runs graphs, and the network's is missing or altered.
    """
    if _runtime == "keras":
        return get_keras_predictor(name, assets)
    try:
        record = registry.verify_graph(name, assets)
    except GraphError:
        if _runtime == "graph":
            raise
        return get_keras_predictor(name, assets)
    from btmodels.inference.graph import GraphPredictor

    return _held((name, assets, "graph"), record, lambda: GraphPredictor(name, assets))


def get_keras_predictor(name: str, assets: Path) -> Predictor:
    """Like `get_predictor`, but always with Keras, for functions that need the model itself."""
    record = registry.verify_weights(name, assets)

    def build() -> Predictor:
        with quiet():
            from btmodels.inference.predict import Predictor

            return Predictor(name, assets)

    return _held((name, assets, "keras"), record, build)


def _held(
    key: tuple[str, Path, str], record: registry.Record, build: Callable[[], SlicePredictor]
) -> Any:
    held = _predictors.get(key)
    if held is None or held.record != record:
        _predictors.pop(key, None)
        held = _predictors[key] = build()
    return held


def device() -> str:
    """Return the device and runtime of this process in words."""
    cores = loky.cpu_count()
    words = f"CPU, {cores} core{'s' * (cores > 1)}"
    if _runtime != "keras":
        from btmodels.inference.graph import TITLES, fastest_runtime

        numbers = {each.numbers for each in _predictors.values()}
        half = ", verdicts in bfloat16" * ("bfloat16" in numbers)
        return f"{words}, {TITLES[fastest_runtime()]}{half}"
    from btmodels.inference.precision import fastest_policy, gpu_name

    if gpu := gpu_name():
        return f"GPU, {gpu}"
    half = ", verdicts in bfloat16" * (fastest_policy() == "mixed_bfloat16")
    return f"{words}, Keras{half}"


def _recorded_sha256(name: str, assets: Path) -> str:
    try:
        return registry.load_record(name, assets).sha256
    except WeightsError:
        return ""


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Disable garbage collection while loading objects that stay; it would take a tenth of the start."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
