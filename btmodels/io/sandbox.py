"""Uploads are decoded in a process of their own: a file that breaks a decoder breaks no site with it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from functools import lru_cache
from typing import Any

import cv2
import loky
import numpy as np

from btmodels import processes
from btmodels.errors import DecodeError
from btmodels.io import limits
from btmodels.io.image import decode, decode_mask
from btmodels.io.read import Content, Members, open_zip, prepare, read_file
from btmodels.slices import Slice

PATIENCE = 20
"""Seconds of the clock for one of the processor: so long does a busy machine let a process wait."""

START_SECONDS = 120.0


class Reader:
    """Decodes, one file after another, in a process that is replaced when a file ends it.

    Safe between threads. The process starts with the first file and ends with this one.

    Args:
        seconds: Of the processor until a file is given up; large ones get more (see `btmodels.io.limits`).
        patience: Seconds of the clock for one of these, for a decoder that waits for ever.
        memory: Bytes that reading may take; large files get more.
    """

    def __init__(
        self,
        seconds: float = limits.SECONDS,
        patience: float = PATIENCE,
        memory: int = limits.MEMORY,
    ) -> None:
        self._seconds, self._patience, self._memory = seconds, patience, memory
        self._lock = threading.Lock()
        self._executor: loky.ProcessPoolExecutor | None = None

    def slice(self, data: bytes, name: str) -> Slice:
        """Do as `btmodels.io.image.decode`.

        Raises:
            DecodeError: The file cannot be read, or not in time, or ended the process that tried.
        """
        return self.run(name, decode, data, name)

    def file(self, data: bytes, name: str) -> Content:
        """Do as `btmodels.io.read.read_file`; raises as `slice` does."""
        return self.run(name, read_file, data, name)

    def zip(self, data: bytes, name: str) -> Members:
        """Do as `btmodels.io.read.open_zip`; raises as `slice` does."""
        return self.run(name, open_zip, data, name)

    def mask(self, data: bytes, name: str) -> np.ndarray:
        """Do as `btmodels.io.image.decode_mask`; raises as `slice` does."""
        return self.run(name, decode_mask, data, name)

    def run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function(*args)`` in the process; ``name`` is the file's in what is raised."""
        size = sum(len(arg) for arg in args if isinstance(arg, bytes))
        clock = self._patience * limits.seconds_for(size, self._seconds)
        task = size, self._seconds, self._memory, name, function, args
        with self._lock:  # so that nobody's seconds run while another's file is read
            try:
                executor = self._executor or self._start()
                return executor.submit(_within, *task).result(clock)
            except DecodeError as error:
                raise DecodeError(str(error)) from None  # without the other process's traceback
            except TimeoutError:
                self._end()
                raise _slow(name) from None
            except (BrokenExecutor, loky.process_executor.ShutdownExecutorError) as error:
                self._end()
                if "SIGPROF" in str(error):  # the processor's seconds were up
                    raise _slow(name) from None
                raise DecodeError(
                    f"{name} was given up: the process that read it ended, as a damaged file can "
                    "make it."
                ) from None

    def close(self) -> None:
        """End the process; another file starts a new one."""
        with self._lock:
            self._end()

    def _start(self) -> loky.ProcessPoolExecutor:
        self._executor = loky.ProcessPoolExecutor(
            max_workers=1, timeout=None, initializer=processes.begin, initargs=(os.getpid(),)
        )
        # The first file's seconds are not spent on starting.
        self._executor.submit(prepare).result(START_SECONDS)
        return self._executor

    def _end(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)


def _within(
    size: int, seconds: float, memory: int, name: str, function: Callable[..., Any], args: tuple
) -> Any:
    """Call ``function(*args)`` in the reading process, within its limits."""
    try:
        with limits.limited(size, seconds, memory):
            return function(*args)
    except Exception as error:
        if not _lacks_memory(error):
            raise
        raise DecodeError(
            f"{name} was given up: reading it would take more memory than a file gets here."
        ) from None


def _lacks_memory(error: BaseException | None) -> bool:
    """Whether this was raised, at whatever remove, because an allocation failed."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "code", 0) == cv2.Error.StsNoMem:
            return True
        error = error.__cause__ or error.__context__
    return False


def _slow(name: str) -> DecodeError:
    return DecodeError(
        f"{name} was given up: reading it took longer than a file of its size is given."
    )


@lru_cache(maxsize=1)
def get_reader() -> Reader:
    """Return the one reader of this process."""
    return Reader()
