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


def environment() -> dict[str, str]:
    """Return the variables that TensorFlow must find when it is loaded; set ones are left alone."""
    wanted = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Without it TensorFlow takes a GPU's whole memory, and nothing else can use that GPU.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        # Counts the quota of a container, which TensorFlow's own count overlooks.
        "TF_NUM_INTRAOP_THREADS": str(loky.cpu_count()),
    }
    return {key: os.environ.get(key, value) for key, value in wanted.items()}


def begin(parent: int) -> None:
    """Set up a fresh worker: it ends with its parent, however that ends.

    Args:
        parent: Process id of the web process.
    """
    # Where psutil happens to be installed, loky takes the memory of a first full batch for a leak and
    # replaces the worker, warmth and all. There is no public switch.
    loky.process_executor._USE_PSUTIL = False
    # Ctrl+C reaches every process of the terminal; the parent alone decides when the worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # A killed parent says no goodbye, and the worker itself holds the pipe open that it waits on.
    if sys.platform == "win32":
        multiprocessing.parent_process().join()
    else:
        while os.getppid() == parent:
            time.sleep(0.5)
    os._exit(1)


def release_memory() -> None:
    """Give freed memory back to the system, which the C library of Linux keeps otherwise."""
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
    """Keep file descriptor 2 shut while TensorFlow is loaded."""
    # TensorFlow writes its greeting past every log level, straight to file descriptor 2.
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
