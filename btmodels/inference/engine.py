"""Where the networks run: one worker process, asked by all threads of the web process.

The web process must stay free of TensorFlow and Keras: with Keras loaded, Streamlit clears Keras's
session and collects all garbage after every run of every visitor. So the `Engine` sends arrays to a
worker process and gets arrays back. A thread of its own sends what waits in batches, and has the worker
replaced when it dies or hangs.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from btmodels import paths, registry
from btmodels.errors import BrainTumorError, EngineError, WeightsError
from btmodels.inference import worker
from btmodels.inference.queue import Batch, RequestQueue, Task
from btmodels.inference.worker_process import WorkerClosedError, WorkerLostError, WorkerProcess
from btmodels.slices import Prediction

ANSWER_SECONDS = 60.0
"""A worker that takes longer for a batch hangs: a slow machine needs a few seconds."""

PING_SECONDS = 5.0
"""How often an idle worker is asked whether it still lives, so that nobody has to wait for the next."""

SOON_SECONDS, SOON_SLICES = 0.5, 24
"""A new worker prepares for full batches once it was idle for so long, or has answered so much: whoever
comes right after its first answer is not to wait for that."""

RETRY_SECONDS = 15.0
"""How long a failed start is remembered before a request may try again."""

NEEDED = tuple(registry.get(name).name for name in ("default", "default-classifier"))
"""Networks that are loaded at the start; any other is loaded when first asked."""

_OFF = "The networks are switched off here (BT_ENGINE=off)."
_CLOSED = "The engine has been closed."


@dataclass(frozen=True)
class NetworkStatus:
    """How the weights of one network are; ``message`` says in a sentence what is wrong with them."""

    state: Literal["verified", "missing", "altered", "unfinished"]
    message: str = ""


@dataclass(frozen=True)
class EngineStatus:
    """How an engine is.

    Attributes:
        state: "off" by ``BT_ENGINE=off``; "warming" also before `Engine.start`.
        device: What the networks run on, for people; empty until that is known.
        message: One sentence where something is wrong, else empty.
        pid: The worker's process; None while there is none to ask.
        networks: By registry name: those `NEEDED`, and others that have a record.
    """

    state: Literal["off", "warming", "warm", "failed"]
    device: str
    message: str
    pid: int | None
    networks: dict[str, NetworkStatus]


class Engine:
    """Answers for the networks, from a worker process that it keeps alive. Safe between threads.

    Without `close` the worker still ends with the web process: at its exit, once what it was asked is
    done, and half a second after a kill.

    Args:
        assets: Folder that holds ``weights/``.

    Attributes:
        listeners: Called with each request's number of slices, 0 for a call of `ask`, and its future.
    """

    def __init__(self, assets: Path = paths.ASSETS) -> None:
        self.assets = assets
        self.listeners: list[Callable[[int, Future], None]] = []
        self._lock = threading.RLock()
        self._run: tuple[WorkerProcess, RequestQueue] | None = None
        self._thread: threading.Thread | None = None
        self._device = ""
        self._failure = ""
        self._failed_at = 0.0
        self._answered = 0  # by the present worker; of the engine's own thread

    def start(self) -> None:
        """Begin to warm up, unless that was done; return at once."""
        with self._lock:
            recently = self._failure and time.monotonic() < self._failed_at + RETRY_SECONDS
            if _is_off() or self._run or recently:
                return
            self._failure = ""
            self._run = WorkerProcess(NEEDED, self.assets), RequestQueue()
            self._thread = threading.Thread(target=self._work, args=self._run, daemon=True)
            self._thread.start()

    def status(self) -> EngineStatus:
        """Tell how engine and weights are now; cheap enough for every visit."""
        with self._lock:
            info = self._run[0].info if self._run else None
            device, failure = self._device, self._failure
        problems = info.problems if info else {}
        networks = {
            name: _network_status(name, self.assets, problems)
            for name in registry.SPECS
            if name in NEEDED or registry.record_path(name, self.assets).exists()
        }
        if _is_off():
            return EngineStatus("off", "", _OFF, None, networks)
        if failure:
            return EngineStatus("failed", device, failure, None, networks)
        if info is None:
            return EngineStatus("warming", device, "", None, networks)
        return EngineStatus("warm", info.device, "", info.pid, networks)

    def predict(
        self,
        images: Sequence[np.ndarray],
        segmenter: str = "default",
        classifier: str = "default-classifier",
    ) -> list[Prediction]:
        """Ask both networks about each slice; wait until it is warm and for this request's turn.

        Args:
            images: uint8, (rows, cols, 3) each, 0 to 255, of any sizes.
            segmenter, classifier: Registry names or aliases.

        Returns:
            One prediction per slice, in their order.

        Raises:
            KeyError: There is no such network.
            WeightsError: The weights of either are missing, altered or of another network.
            EngineError: The engine is off, cannot start, or failed twice on this request.
        """
        return self.submit(images, segmenter, classifier).result()

    def submit(
        self,
        images: Sequence[np.ndarray],
        segmenter: str = "default",
        classifier: str = "default-classifier",
    ) -> Future[list[Prediction]]:
        """Do as `predict` without waiting: what it would return, or raise once asked, comes later.

        Raises:
            KeyError, WeightsError, EngineError: As for `predict`, where it is known at once.
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
        return self._announced(len(images), self._queue().add(images, networks).future)

    def ask(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function(*args, assets)`` in the worker; wait until it is warm and for this call's turn.

        What it is asked must be quick, for all wait behind it, and a function of a module that the web
        process may import, such as `btmodels.inference.introspect_tasks`.

        Args:
            function: Gets the folder of assets as its last argument.
            args: Small: they cross into another process.

        Returns:
            What the function returns.

        Raises:
            WeightsError: The weights of a network that it needs are missing or altered.
            EngineError: The engine is off, cannot start, or failed twice on this call.
        """
        if _is_off():
            raise EngineError(_OFF)
        task = self._queue().add_task(function, (*args, self.assets))
        return self._announced(0, task.future).result()

    def _announced(self, slices: int, future: Future) -> Future:
        for listener in self.listeners:
            listener(slices, future)
        return future

    def _queue(self) -> RequestQueue:
        with self._lock:
            self.start()
            if self._run is None:
                raise EngineError(self._failure)
            return self._run[1]

    def close(self) -> None:
        """End the worker at once; requests that wait get an `EngineError`. `start` begins anew."""
        with self._lock:
            run, self._run = self._run, None
            thread = self._thread
        if run:
            process, queue = run
            queue.close(_CLOSED)
            process.close()
            thread.join()

    def _work(self, process: WorkerProcess, queue: RequestQueue) -> None:
        """Serve what waits until the process is closed or no worker can be had."""
        reason = "The engine stopped by a defect of its own."
        try:
            self._start(process, queue)
            while True:
                batch = queue.next_batch(SOON_SECONDS if queue.batch_size == 1 else PING_SECONDS)
                try:
                    self._serve(process, queue, batch)
                except WorkerClosedError:
                    raise
                except BrainTumorError as error:
                    if batch is not None:
                        queue.fail_or_retry(batch, error)
                    if isinstance(error, WorkerLostError):
                        self._start(process, queue)
        except WorkerClosedError:
            reason = _CLOSED
        except EngineError as error:
            reason = str(error)
        finally:
            with self._lock:
                if self._run and self._run[0] is process:
                    self._run = None
                    self._failure, self._failed_at = reason, time.monotonic()
            queue.close(reason)
            process.close()

    def _serve(
        self, process: WorkerProcess, queue: RequestQueue, batch: Batch | Task | None
    ) -> None:
        if batch is None or (queue.batch_size == 1 and self._answered >= SOON_SLICES):
            queue.batch_size = process.call(ANSWER_SECONDS, worker.warm_full_batch)
        if isinstance(batch, Task):
            queue.resolve_task(batch, process.call(ANSWER_SECONDS, batch.function, *batch.args))
        elif batch is not None:
            task = worker.predict, batch.images, *batch.networks, self.assets
            answer = process.call(ANSWER_SECONDS, *task)
            queue.batch_size = answer.batch_size
            self._answered += len(batch.images)
            queue.resolve(batch, answer.predictions)

    def _start(self, process: WorkerProcess, queue: RequestQueue) -> None:
        self._device = process.start().device
        self._answered, queue.batch_size = 0, 1


def _is_off() -> bool:
    return os.environ.get("BT_ENGINE", "").lower() == "off"


def _network_status(name: str, assets: Path, problems: dict[str, tuple[str, str]]) -> NetworkStatus:
    try:
        record = registry.verify_weights(name, assets)
    except WeightsError as error:
        files = registry.weights_path(name, assets), registry.record_path(name, assets)
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
