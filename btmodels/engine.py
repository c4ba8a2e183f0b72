"""Where the networks run: one worker process, asked by many threads of the web process.

The web process must stay free of TensorFlow and Keras: with Keras loaded, Streamlit clears Keras's
session and collects all garbage after every run of every visitor. So the `Engine` sends arrays to a
worker process and gets arrays back. One thread of its own owns that process: it joins the slices of all
requests that wait into batches, and replaces a worker that dies or hangs.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import loky
import numpy as np

from btmodels import registry, worker
from btmodels.errors import BrainTumorError, EngineError, WeightsError
from btmodels.slices import Prediction

JOIN = 8
"""Slices sent to the worker at once: so long does a single slice wait behind somebody's many."""

ANSWER_SECONDS = 60.0
"""A worker that takes longer for `JOIN` slices hangs: it needs about a second on a slow machine."""

WARM_SECONDS = 300.0
"""The first start after an installation reads a gigabyte from disk."""

RETRY_SECONDS = 15.0
"""How long a failed start is remembered before the next request tries again."""

WARMED = ("default", "default-classifier")
"""Networks that are loaded at the start; any other is loaded when first asked."""


@dataclass(frozen=True)
class NetworkStatus:
    """How the weights of one network are; ``message`` says in a sentence what is wrong."""

    state: Literal["verified", "missing", "altered", "unfinished"]
    message: str = ""


@dataclass(frozen=True)
class EngineStatus:
    """How an engine is.

    Attributes:
        state: "off" by ``BT_ENGINE=off``, "warming" before the first answer can be given.
        device: What the networks run on; empty until that is known.
        message: One sentence where something is wrong, else empty.
        pid: The worker's process, None where there is none.
        networks: By registry name: those the site needs, and others whose files are there.
    """

    state: Literal["off", "warming", "warm", "failed"]
    device: str
    message: str
    pid: int | None
    networks: dict[str, NetworkStatus]


@dataclass(eq=False)
class _Job:
    """A request: its slices, and the predictions of the first of them that are there already."""

    images: list[np.ndarray]
    networks: tuple[str, str]
    done: list[Prediction] = field(default_factory=list)
    failures: int = 0
    future: Future[list[Prediction]] = field(default_factory=Future)

    @property
    def left(self) -> int:
        return len(self.images) - len(self.done)


class Engine:
    """Answers for the networks, from a worker process that it keeps alive. Safe between threads.

    Args:
        assets: Folder that holds ``weights/``.
    """

    def __init__(self, assets: Path = registry.ASSETS) -> None:
        self.assets = assets
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._thread: threading.Thread | None = None
        self._executor: loky.ProcessPoolExecutor | None = None
        self._warmth: worker.Warmth | None = None
        self._device = ""
        self._failure = ""
        self._failed_at = 0.0

    def start(self) -> None:
        """Begin to warm up, unless that was done; return at once."""
        if _is_off():
            return
        with self._changed:
            if self._thread is not None:
                return
            if self._failure and time.monotonic() < self._failed_at + RETRY_SECONDS:
                return
            self._failure = ""
            self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
            self._thread.start()
            threading.Thread(target=self._close_with_process, daemon=True).start()

    def status(self) -> EngineStatus:
        """Tell how engine and weights are now; cheap enough for every visit."""
        networks = {name: self._network_status(name) for name in self._networks()}
        if _is_off():
            message = "The networks are switched off here (BT_ENGINE=off)."
            return EngineStatus("off", "", message, None, networks)
        with self._changed:
            if self._failure:
                return EngineStatus("failed", self._device, self._failure, None, networks)
            if self._warmth is None:
                return EngineStatus("warming", self._device, "", None, networks)
            return EngineStatus("warm", self._device, "", self._warmth.pid, networks)

    def predict(
        self,
        images: Sequence[np.ndarray],
        segmenter: str = "default",
        classifier: str = "default-classifier",
    ) -> list[Prediction]:
        """Ask both networks about each slice; wait until they are warm and it is this request's turn.

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
        networks = registry.get(segmenter).name, registry.get(classifier).name
        for image in images:
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
                raise ValueError(
                    "A slice must be uint8, (rows, cols, 3). "
                    f"Received: dtype={image.dtype}, shape={image.shape}"
                )
        if _is_off():
            raise EngineError("The networks are switched off here (BT_ENGINE=off).")
        for name in networks:
            registry.verify_weights(name, self.assets)
        if not images:
            return []
        self.start()
        job = _Job(list(images), networks)
        with self._changed:
            if self._thread is None:
                raise EngineError(self._failure or "The engine has been closed.")
            self._jobs.append(job)
            self._changed.notify()
        return job.future.result()

    def close(self) -> None:
        """End the worker at once; requests that wait get an `EngineError`."""
        with self._changed:
            thread, self._thread = self._thread, None
            executor, self._executor = self._executor, None
            self._warmth = None
            self._changed.notify()
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)
        if thread is not None:
            thread.join()

    def _close_with_process(self) -> None:
        # An exit handler would come too late: loky waits for its workers before those are called.
        threading.main_thread().join()
        self.close()

    # What follows runs in the engine's own thread.

    def _work(self) -> None:
        failure = "The engine has been closed."
        try:
            self._hire()
            while jobs := self._next_jobs():
                self._serve(jobs)
        except _Closed:
            pass
        except EngineError as error:
            failure = str(error)
            with self._changed:
                self._failure, self._failed_at = failure, time.monotonic()
        finally:
            self._dismiss()
            with self._changed:
                if self._is_mine():
                    self._thread = None
                jobs, self._jobs = self._jobs, deque()
            for job in jobs:
                job.future.set_exception(EngineError(failure))

    def _is_mine(self) -> bool:
        return self._thread is threading.current_thread()

    def _next_jobs(self) -> list[_Job]:
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or not self._is_mine())
            if not self._is_mine():
                return []
            first = self._jobs[0]
            if first.failures:
                # What broke a worker may do so again: it must not take others down with it.
                return [first]
            fit = [job for job in self._jobs if job.networks == first.networks and not job.failures]
            return fit[:JOIN]

    def _serve(self, jobs: list[_Job]) -> None:
        shares = _share(JOIN, [job.left for job in jobs])
        images = [
            image
            for job, share in zip(jobs, shares, strict=True)
            for image in job.images[len(job.done) : len(job.done) + share]
        ]
        try:
            answer = self._call(
                ANSWER_SECONDS, worker.answer, images, *jobs[0].networks, self.assets
            )
        except BrainTumorError as error:
            self._excuse(jobs, error)
            if self._executor is None:
                self._hire()
            return
        predictions = iter(answer.predictions)
        for job, share in zip(jobs, shares, strict=True):
            job.done.extend(next(predictions) for _ in range(share))
            with self._changed:
                self._jobs.remove(job)
                if job.left:
                    # To the end of the queue: with many waiting, each gets its turn.
                    self._jobs.append(job)
            if not job.left:
                job.future.set_result(job.done)

    def _excuse(self, jobs: list[_Job], error: BrainTumorError) -> None:
        for job in jobs:
            job.failures += 1
            if isinstance(error, WeightsError) or job.failures > 1:
                with self._changed:
                    self._jobs.remove(job)
                # Each thread that waits raises its own copy.
                job.future.set_exception(type(error)(str(error)))

    def _hire(self) -> None:
        """Start a worker and wait until it is warm; a second one if the first does not live so long."""
        for last in (False, True):
            executor = loky.ProcessPoolExecutor(
                max_workers=1,
                timeout=None,
                initializer=worker.begin,
                initargs=(os.getpid(),),
                env=worker.environment(),
            )
            with self._changed:
                if not self._is_mine():
                    raise _Closed
                self._executor = executor
            try:
                names = [registry.get(name).name for name in WARMED]
                warmth = self._call(WARM_SECONDS, worker.warm, names, self.assets)
            except EngineError:
                if last:
                    raise
                self._dismiss()
                continue
            with self._changed:
                self._warmth, self._device = warmth, warmth.device
            return

    def _dismiss(self) -> None:
        with self._changed:
            executor, self._executor = self._executor, None
            self._warmth = None
        if executor is not None:
            executor.shutdown(wait=False, kill_workers=True)

    def _call(self, seconds: float, function: Callable[..., Any], *args: Any) -> Any:
        """Run ``function`` in the worker; if the worker did not survive that, leave none."""
        with self._changed:
            executor = self._executor
            if executor is None or not self._is_mine():
                raise _Closed
        try:
            future = executor.submit(function, *args)
            error = future.exception(seconds)
        except TimeoutError:
            error = None
            self._dismiss()
            raise EngineError(
                f"The process that holds the networks gave no answer within {seconds:.0f} seconds. "
                "It was replaced."
            ) from None
        ...
