"""The engine: worker processes that run the networks for all threads of the web process.

The web process must stay free of TensorFlow and Keras: with Keras loaded, Streamlit clears Keras's
session and collects all garbage after every run of every visitor. So the `Engine` sends arrays to a
worker process and gets arrays back.

There are two kinds of worker. Verdicts, masks and Grad-CAM come from one that runs exported graphs and
never loads TensorFlow: it answers half a second after its start. Lessons ask for activations, gradients
and ablated skips, which need Keras: that worker starts with the first request and ends after idle
minutes. It also answers if a network has no graph, and on a GPU.

With ``BT_ENGINE=ray://HOST:PORT`` a cluster answers for verdicts and masks (see `btmodels.cluster.serve`);
Grad-CAM and lessons stay with the workers here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from btmodels import paths, registry
from btmodels.errors import EngineError, GraphError, WeightsError
from btmodels.inference.cluster_client import SCHEME, ClusterClient
from btmodels.inference.dispatcher import Dispatcher
from btmodels.slices import Prediction

NEEDED = tuple(registry.get(name).name for name in ("default", "default-classifier"))
"""Networks that are loaded at the start; others are loaded on first use."""

IDLE_SECONDS = 300.0
"""Time without a request after which the Keras worker ends and frees its memory."""

RUNTIMES = ("openvino", "onnxruntime")
"""Packages that run graphs; one is enough."""

GPU_DEVICE = Path("/dev/nvidiactl")
"""Exists on Linux with an NVIDIA driver."""

_OFF = "The networks are switched off here (BT_ENGINE=off)."


Lessons = Literal["cold", "warming", "warm"]


@dataclass(frozen=True)
class NetworkStatus:
    """State of one network's weights. ``message`` is a sentence about a problem with them."""

    state: Literal["verified", "missing", "altered", "unfinished"]
    message: str = ""


@dataclass(frozen=True)
class EngineStatus:
    """State of an engine.

    Attributes:
        state: "off" by ``BT_ENGINE=off``; "warming" also before `Engine.start`.
        device: Device and runtime of the networks, for display; empty until known.
        message: One sentence if something is wrong, else empty.
        pid: The process that answers; None if there is none.
        networks: By registry name: those needed at the start, and others that have a record.
        lessons: State of the Keras worker: "cold" before its first request and after it ended as idle.
    """

    state: Literal["off", "warming", "warm", "failed"]
    device: str
    message: str
    pid: int | None
    networks: dict[str, NetworkStatus]
    lessons: Lessons = "cold"


class Engine:
    """Runs the networks in worker processes that it keeps alive. Thread-safe.

    Without `close`, the workers still end with the web process: after its exit once their current
    calls are done, and half a second after a kill.

    Args:
        assets: Folder that holds ``weights/``.
        needed: Registry names of the networks that are loaded at the start.
        idle_seconds: Time without a request after which the Keras worker ends.

    Attributes:
        listeners: Called with each request's number of slices, 0 for a call of `ask`, and its future.
    """

    def __init__(
        self,
        assets: Path = paths.ASSETS,
        needed: Sequence[str] = NEEDED,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.assets, self.needed = assets, tuple(needed)
        self.listeners: list[Callable[[int, Future], None]] = []
        self._graphs = Dispatcher("graph", assets)
        self._keras = Dispatcher("keras", assets, idle_seconds)
        address = os.environ.get("BT_ENGINE", "")
        self._cluster = ClusterClient(address, assets) if address.startswith(SCHEME) else None

    def start(self) -> None:
        """Begin to warm up, unless that was done; return immediately."""
        if _is_off():
            return
        answering = self._answering(self.needed)
        if answering is self._cluster:
            self._cluster.start()
        elif answering is self._graphs:
            self._graphs.start(self.needed)
            if _may_have_gpu() and self._keras.device[:3] in ("", "GPU"):  # unknown yet, or found
                self._keras.start(self.needed)
        else:
            self._keras.idle_seconds = None  # it answers everything, so it stays
            self._keras.start(self.needed)

    def status(self) -> EngineStatus:
        """Return the current state of engine and weights; cheap enough for every page run."""
        answering = self._answering(self.needed)
        info, failure = answering.info, answering.failure
        problems = info.problems if info else {}
        networks = {
            name: _network_status(name, self.assets, problems)
            for name in registry.SPECS
            if name in self.needed or registry.record_path(name, self.assets).exists()
        }
        if _is_off():
            return EngineStatus("off", "", _OFF, None, networks)
        lessons: Lessons = "cold"
        if self._keras.is_running:
            lessons = "warm" if self._keras.info else "warming"
        if failure and not answering.is_running:
            return EngineStatus("failed", answering.device, failure, None, networks, lessons)
        if info is None:
            return EngineStatus("warming", answering.device, "", None, networks, lessons)
        return EngineStatus("warm", info.device, "", info.pid, networks, lessons)

    def predict(
        self,
        images: Sequence[np.ndarray],
        segmenter: str = "default",
        classifier: str = "default-classifier",
    ) -> list[Prediction]:
        """Run both networks on each slice; wait until they are warm and for this request's turn.

        Args:
            images: uint8, (rows, cols, 3) each, 0 to 255, of any size.
            segmenter, classifier: Registry names or aliases.

        Returns:
            One prediction per slice, in order.

        Raises:
            KeyError: There is no such network.
            WeightsError: The weights of either are missing, altered or belong to another network.
            EngineError: The engine is off, cannot start, or failed twice on this request.
        """
        return self.submit(images, segmenter, classifier).result()

    def submit(
        self,
        images: Sequence[np.ndarray],
        segmenter: str = "default",
        classifier: str = "default-classifier",
    ) -> Future[list[Prediction]]:
        """Like `predict`, without waiting. Cancel the future to withdraw slices that are no longer needed.

        Raises:
            ValueError: A slice has another shape or type.
            KeyError, WeightsError, EngineError: As for `predict`, if known immediately.
        """
        networks = registry.get(segmenter).name, registry.get(classifier).name
        for image in images:
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
                raise ValueError(
                    "A slice must be uint8, (rows, cols, 3). "
                    f"Received: dtype={image.dtype}, shape={image.shape}"
                )
        if _is_off():
            raise EngineError(_OFF)
        for name in networks:
            registry.verify_weights(name, self.assets)
        if not len(images):
            nothing: Future[list[Prediction]] = Future()
            nothing.set_result([])
            return nothing
        answering = self._answering(networks)
        future = answering.submit(images, networks, self._names(answering))
        return self._announced(len(images), future)

    def ask(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function(*args, assets)`` in a worker; wait until it is warm and for this call's turn.

        The function must be quick, because all other requests wait for it. Its module must be one that the
        web process may import, such as `btmodels.inference.introspect_tasks`.

        Args:
            function: Gets the folder of assets as its last argument. If marked by `worker.by_graphs`, it
                runs in the graph worker, otherwise in the Keras worker.
            args: Small, because they are sent to another process.

        Returns:
            What the function returns.

        Raises:
            WeightsError: The weights of a network that it needs are missing or altered.
            EngineError: The engine is off, cannot start, or failed twice on this call.
        """
        if _is_off():
            raise EngineError(_OFF)
        args = (*args, self.assets)
        answering = self._here(()) if hasattr(function, "by_graphs") else self._keras
        try:
            return self._call(answering, function, args)
        except GraphError:
            return self._call(self._keras, function, args)

    def _call(self, answering: Dispatcher, function: Callable[..., Any], args: tuple) -> Any:
        future = answering.call(function, args, self._names(answering))
        return self._announced(0, future).result()

    def _announced(self, slices: int, future: Future) -> Future:
        for listener in self.listeners:
            listener(slices, future)
        return future

    def close(self) -> None:
        """End the workers immediately; waiting requests get an `EngineError`. `start` starts others."""
        self._graphs.close()
        self._keras.close()
        if self._cluster:
            self._cluster.close()

    def _answering(self, names: Iterable[str]) -> Dispatcher | ClusterClient:
        """Return the dispatcher or cluster that currently answers for these networks."""
        return self._cluster or self._here(names)

    def _here(self, names: Iterable[str]) -> Dispatcher:
        """Return the dispatcher on this machine that currently answers for these networks."""
        info = self._keras.info
        if os.environ.get("BT_ENGINE", "").lower() == "keras" or not _has_runtime():
            return self._keras
        if info is not None and info.device.startswith("GPU"):
            self._keras.idle_seconds = None
            return self._keras
        return self._graphs if all(map(self._has_graph, names)) else self._keras

    def _has_graph(self, name: str) -> bool:
        try:
            registry.verify_graph(name, self.assets)
        except GraphError:
            return False
        except WeightsError:
            return True  # no worker can help; the one that answers reports it
        return True

    def _names(self, answering: Dispatcher | ClusterClient) -> tuple[str, ...]:
        # A worker that only serves lessons loads networks on request.
        usual = self._answering(self.needed)
        return self.needed if answering is usual or _may_have_gpu() else ()


def _is_off() -> bool:
    return os.environ.get("BT_ENGINE", "").lower() == "off"


@cache
def _has_runtime() -> bool:
    return any(find_spec(package) for package in RUNTIMES)


def _may_have_gpu() -> bool:
    # Only TensorFlow can tell for certain, once it is loaded.
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1")
    return GPU_DEVICE.exists() and not hidden


def _network_status(name: str, assets: Path, problems: dict[str, tuple[str, str]]) -> NetworkStatus:
    try:
        record = registry.verify_weights(name, assets)
    except WeightsError as error:
        files = [*registry.weights_files(name, assets).values()]
        files += [registry.record_path(n, assets) for n in (name, *registry.get(name).members)]
        there = all(file.exists() for file in files)
        return NetworkStatus("altered" if there else "missing", str(error))
    sha256, problem = problems.get(name, ("", ""))
    if sha256 == record.sha256:
        return NetworkStatus("altered", problem)
    if not record.complete:
        title = registry.get(name).title
        return NetworkStatus("unfinished", f"The training of {title} has not been finished.")
    return NetworkStatus("verified")


_engine: Engine | None = None
_engine_lock = threading.Lock()


def get_engine() -> Engine:
    """Return the one engine of this process, on the committed assets."""
    global _engine
    with _engine_lock:
        if _engine is None:
            _engine = Engine()
        return _engine
