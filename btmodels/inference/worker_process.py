"""Start, call and stop the engine's worker process from the web process."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import loky

from btmodels import processes
from btmodels.errors import BrainTumorError, EngineError
from btmodels.inference import worker

WARM_SECONDS = 300.0
"""Timeout of a start. The first after an installation reads a gigabyte from a possibly slow disk."""

NO_GPU = {"CUDA_VISIBLE_DEVICES": "-1"}

_log = logging.getLogger(__name__)


class WorkerLostError(EngineError):
    """The worker died before it answered. There is no worker until another is started."""


class WorkerClosedError(EngineError):
    """There is no worker, and none will be started."""


class WorkerProcess:
    """One worker process at a time. `call` and `start` are for one thread, `close` for any.

    Plain `multiprocessing` would run the app again in each worker, because Streamlit replaces ``__main__``
    with its pages; loky leaves ``__main__`` alone. Its executor stays broken after a worker died, so each
    worker gets a new executor.

    Args:
        names: Networks that a new worker loads at its start.
        assets: Folder that holds ``weights/``.
        runtime: What the worker computes with.

    Attributes:
        info: State of the worker; None while there is none or it is warming up.
    """

    def __init__(self, names: Sequence[str], assets: Path, runtime: worker.Runtime = "any") -> None:
        self.info: worker.WorkerInfo | None = None
        self._names = tuple(names)
        self._assets, self._runtime = assets, runtime
        self._lock = threading.Lock()
        self._executor: loky.ProcessPoolExecutor | None = None
        self._closed = False

    def start(self) -> worker.WorkerInfo:
        """Start a worker and wait until it is warm; try a second one if the first fails.

        The second gets no GPU: if the GPU is broken or full, the CPU can still answer.

        Returns:
            Its state.

        Raises:
            EngineError: Both failed.
        """
        try:
            return self._start(processes.environment())
        except WorkerClosedError:
            raise
        except EngineError:
            return self._start(processes.environment() | NO_GPU)

    def _start(self, environment: dict[str, str]) -> worker.WorkerInfo:
        self._stop()
        executor = loky.ProcessPoolExecutor(
            max_workers=1,
            timeout=None,
            initializer=processes.begin,
            initargs=(os.getpid(),),
            env=environment,
        )
        with self._lock:
            if self._closed:
                raise WorkerClosedError("The engine has been closed.")
            self._executor = executor
        info = self.call(WARM_SECONDS, worker.load, self._names, self._assets, self._runtime)
        self.info = info
        return info

    def call(self, seconds: float, function: Callable[..., Any], *args: Any) -> Any:
        """Run ``function(*args)`` in the worker and return its result.

        Raises:
            BrainTumorError: Raised by the function.
            WorkerLostError: The worker died, or was ended because it ran out of memory or took longer
                than ``seconds``.
            EngineError: The function raised any other error.
            WorkerClosedError: The process was closed.
        """
        with self._lock:
            executor = self._executor
        try:
            if executor is None:
                raise BrokenExecutor
            future = executor.submit(guarded, function, *args)
        except RuntimeError:  # a worker that died idle broke it, or the interpreter is ending
            raise self._lost() from None
        try:
            error = future.exception(seconds)
        except TimeoutError:
            self._stop()
            raise WorkerLostError(
                f"The process that holds the networks did not answer within {seconds:.0f} seconds "
                "and was replaced."
            ) from None
        if error is None:
            return future.result()
        if isinstance(error, BrainTumorError):
            raise error
        if isinstance(error, (BrokenExecutor, loky.process_executor.ShutdownExecutorError)):
            raise self._lost()
        trace = error.trace if isinstance(error, CallFailedError) else repr(error)
        _log.error("The worker failed\n%s", trace)
        if isinstance(error, CallFailedError) and error.lacks_memory:
            # Ending the worker frees its memory for the next one.
            self._stop()
            raise WorkerLostError(
                "The process that holds the networks ran out of memory and was replaced."
            )
        kind = error.kind if isinstance(error, CallFailedError) else type(error).__name__
        raise EngineError(
            f"The process that holds the networks failed ({kind}); the server's log has the details."
        )

    def _lost(self) -> EngineError:
        if self._closed:
            return WorkerClosedError("The engine has been closed.")
        self._stop()
        return WorkerLostError(
            "The process that holds the networks ended before it could answer and was replaced."
        )

    def close(self) -> None:
        """End the worker immediately; a running call raises `WorkerClosedError`."""
        with self._lock:
            self._closed = True
        self._stop()

    def _stop(self) -> None:
        with self._lock:
            executor, self._executor = self._executor, None
            self.info = None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)


_NO_MEMORY = ("MemoryError", "_ArrayMemoryError", "ResourceExhaustedError")
"""Errors of Python, NumPy and TensorFlow, whose allocator fails before the system ends the process."""


class CallFailedError(Exception):
    """A call raised an error that this project does not define.

    Args:
        kind: Type name of that error.
        trace: Its traceback as text, for the server's log.
    """

    def __init__(self, kind: str, trace: str) -> None:
        super().__init__(kind, trace)
        self.kind, self.trace = kind, trace

    @property
    def lacks_memory(self) -> bool:
        """Whether an allocation failed."""
        return self.kind in _NO_MEMORY


def guarded(function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)``.

    Raises:
        BrainTumorError: Raised by the function.
        CallFailedError: The function raised any other error.
    """
    try:
        return function(*args)
    except BrainTumorError:
        raise
    except Exception as error:
        raise CallFailedError(type(error).__name__, traceback.format_exc()) from None
