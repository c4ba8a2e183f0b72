"""One worker process, its request queue, and the thread that serves them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from btmodels.errors import BrainTumorError, EngineError
from btmodels.inference import worker
from btmodels.inference.queue import RequestBatch, RequestQueue, WorkerCall
from btmodels.inference.worker_process import WorkerClosedError, WorkerLostError, WorkerProcess
from btmodels.slices import Prediction

ANSWER_SECONDS = 60.0
"""Timeout for a batch. A slow machine needs a few seconds, so a worker that takes longer hangs."""

PING_SECONDS = 5.0
"""Interval at which an idle worker is pinged, so that a dead one is replaced before the next request."""

SOON_SECONDS, SOON_SLICES = 0.5, 24
"""A new worker prepares for full batches after this idle time or this number of slices, so that a request
right after its first answer does not wait for the preparation."""

RETRY_SECONDS = 15.0
"""How long a failed start is remembered before a request may try again."""

CLOSED = "The engine has been closed."


class Dispatcher:
    """Sends waiting requests to a worker process in batches, and replaces a worker that dies or hangs.
    Thread-safe.

    Args:
        runtime: What the worker computes with.
        assets: Folder that holds ``weights/``.
        idle_seconds: Time without a request after which the worker ends; the next request starts
            another. None keeps the worker.
    """

    def __init__(
        self, runtime: worker.Runtime, assets: Path, idle_seconds: float | None = None
    ) -> None:
        self.runtime, self.assets, self.idle_seconds = runtime, assets, idle_seconds
        self._lock = threading.RLock()
        self._run: tuple[WorkerProcess, RequestQueue] | None = None
        self._thread: threading.Thread | None = None
        self._device = ""
        self._failure = ""
        self._failed_at = 0.0
        self._answered = 0  # slices that the current worker answered

    def start(self, names: Sequence[str] = ()) -> None:
        """Begin to warm up, unless that was done or has just failed; return immediately.

        Args:
            names: Networks that the worker loads at its start.
        """
        with self._lock:
            recently = self._failure and time.monotonic() < self._failed_at + RETRY_SECONDS
            if self._run or recently:
                return
            self._failure = ""
            self._run = WorkerProcess(names, self.assets, self.runtime), RequestQueue()
            self._thread = threading.Thread(target=self._work, args=self._run, daemon=True)
            self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether there is a worker or one is starting."""
        return self._run is not None

    @property
    def info(self) -> worker.WorkerInfo | None:
        """Information about the worker; None while there is none or it is warming up."""
        with self._lock:
            return self._run[0].info if self._run else None

    @property
    def device(self) -> str:
        """The device of the current or last worker, in words; empty until known."""
        return self._device

    @property
    def failure(self) -> str:
        """A sentence that says why there is no worker; empty if nothing failed."""
        return self._failure

    def submit(
        self,
        images: Sequence[np.ndarray],
        networks: tuple[str, str],
        names: Sequence[str] = (),
    ) -> Future[list[Prediction]]:
        """Queue slices for two networks.

        Args:
            images: uint8, (rows, cols, 3) each.
            networks: Registry names of segmenter and classifier.
            names: As for `start`.

        Raises:
            EngineError: The last start of a worker has just failed.
        """
        with self._lock:  # so that the worker does not end as idle in between
            return self._queue(names).add(images, networks).future

    def call(
        self, function: Callable[..., Any], args: tuple[Any, ...], names: Sequence[str] = ()
    ) -> Future[Any]:
        """Queue a call of ``function(*args)`` in the worker; raises as `submit`."""
        with self._lock:
            return self._queue(names).add_task(function, args).future

    def _queue(self, names: Sequence[str]) -> RequestQueue:
        self.start(names)
        if self._run is None:
            raise EngineError(self._failure)
        return self._run[1]

    def close(self) -> None:
        """End the worker immediately; waiting requests get an `EngineError`. `start` starts another."""
        with self._lock:
            run, self._run = self._run, None
            thread = self._thread
        if run:
            process, queue = run
            queue.close(CLOSED)
            process.close()
            thread.join()

    def _work(self, process: WorkerProcess, queue: RequestQueue) -> None:
        """Serve requests until the process is closed or no worker can be started."""
        reason = "The engine stopped because of a defect."
        try:
            self._start_worker(process, queue)
            asked = time.monotonic()
            while True:
                batch = queue.next_batch(SOON_SECONDS if queue.batch_size == 1 else PING_SECONDS)
                if batch is not None:
                    asked = time.monotonic()
                elif self._ends_for_idleness(asked, queue):
                    process.close()
                    return
                try:
                    self._serve(process, queue, batch)
                except WorkerClosedError:
                    raise
                except BrainTumorError as error:
                    if batch is not None:
                        queue.fail_or_retry(batch, error)
                    if isinstance(error, WorkerLostError):
                        self._start_worker(process, queue)
        except WorkerClosedError:
            reason = CLOSED
        except EngineError as error:
            reason = str(error)
        finally:
            with self._lock:
                if self._run and self._run[0] is process:
                    self._run = None
                    self._failure, self._failed_at = reason, time.monotonic()
            queue.close(reason)
            process.close()

    def _ends_for_idleness(self, asked: float, queue: RequestQueue) -> bool:
        if self.idle_seconds is None or time.monotonic() < asked + self.idle_seconds:
            return False
        with self._lock:
            if queue.waits:
                return False
            self._run = None
            return True

    def _serve(
        self, process: WorkerProcess, queue: RequestQueue, batch: RequestBatch | WorkerCall | None
    ) -> None:
        if batch is None or (queue.batch_size == 1 and self._answered >= SOON_SLICES):
            queue.batch_size = process.call(ANSWER_SECONDS, worker.warm_full_batch)
        if isinstance(batch, WorkerCall):
            queue.resolve_task(batch, process.call(ANSWER_SECONDS, batch.function, *batch.args))
        elif batch is not None:
            task = worker.predict, batch.images, *batch.networks, self.assets
            answer = process.call(ANSWER_SECONDS, *task)
            queue.batch_size = answer.batch_size
            self._answered += len(batch.images)
            queue.resolve(batch, answer.predictions)

    def _start_worker(self, process: WorkerProcess, queue: RequestQueue) -> None:
        self._device = process.start().device
        self._answered, queue.batch_size = 0, 1
