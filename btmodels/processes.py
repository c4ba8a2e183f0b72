"""Start and stop the library's child processes, and set their environment."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import loky

NICENESS = 5
"""A worker's niceness above the web process's: while all processors are busy, pages are drawn first."""


def environment() -> dict[str, str]:
    """Return the environment variables of a worker; variables that are already set keep their values."""
    wanted = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Without it, TensorFlow allocates the whole memory of a GPU.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        # loky respects the CPU quota of a container, TensorFlow does not.
        "TF_NUM_INTRAOP_THREADS": str(loky.cpu_count()),
        # glibc keeps an arena for each thread, which costs 15 MB after loading and saves no time here.
        "MALLOC_ARENA_MAX": "1",
    }
    return {key: os.environ.get(key, value) for key, value in wanted.items()}


def begin(parent: int) -> None:
    """Set up a new worker so that it ends with its parent, however the parent ends.

    Args:
        parent: Process ID of the web process.
    """
    # If psutil is installed, loky mistakes the memory of the first full batch for a leak and replaces the
    # warm worker. There is no public switch.
    loky.process_executor._USE_PSUTIL = False
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # Ctrl+C reaches every process of the terminal; only the parent decides when the worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # A killed parent sends no signal, and the worker itself holds open the pipe that it waits on.
    if sys.platform == "win32":
        multiprocessing.parent_process().join()
    else:
        while os.getppid() == parent:
            time.sleep(0.5)
    os._exit(1)


def release_memory() -> None:
    """Return freed memory to the system; glibc would keep it."""
    if _trim is not None:
        _trim(0)


def _find_trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # not glibc
        return None


_trim = _find_trim()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence file descriptor 2, for example while TensorFlow is loaded."""
    # TensorFlow ignores log levels for its first messages and writes to file descriptor 2.
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
