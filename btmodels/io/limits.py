"""What reading one file may take of processor and memory, enforced by the system on the process that reads.

`SECONDS` and `MEMORY` hold for a slice, and for anything like one. They grow with the file and with what it
announces once that was found to be within bounds. Measured on an AMD EPYC with two cores: 600 pictures of a
DICOM file in JPEG 2000, 45 MB packed and 138 MB not, took 7.8 s of the processor, and a WebP of 40
megapixels in 0.3 MB 710 MB of memory, for a picture is held several times over while its type is changed.
Processor time is counted, not the clock's: a machine that is busy with others gives up no sound file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import resource
    import signal

SECONDS = 2.0
"""Of the processor."""

MEMORY = 500_000_000
"""Bytes, beyond what the process holds when it begins."""

SECONDS_PER_BYTE = 1e-7
MEMORY_PER_BYTE = 3

_STATM = Path("/proc/self/statm")


@dataclass
class _Held:
    """The limits in force: bytes that are writable at their beginning, and the most that was announced."""

    before: int
    memory: int
    size: int
    announced: int = 0


_held: _Held | None = None


def seconds_for(size: int, base: float = SECONDS) -> float:
    """Return the processor's seconds for a file that has, or announces, so many bytes."""
    return base + SECONDS_PER_BYTE * size


@contextmanager
def limited(size: int, seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Limit this process while one file is read.

    Beyond the seconds the system ends the process by SIGPROF. Beyond the memory an allocation fails, which
    Python tells as a `MemoryError`. Windows has neither limit, macOS only that of time.

    Args:
        size: Bytes of the file.
        seconds, memory: For a file of no size; more is given for each byte.
    """
    global _held
    _held = _Held(_writable(), memory, size)
    _limit_memory(_held)
    _add_seconds(seconds_for(size, seconds))
    try:
        yield
    finally:
        _held = None
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, 0)
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def announce(num_bytes: int) -> None:
    """Widen the limits in force for a file that says, within bounds, how much it holds; else do nothing.

    Only the largest announcement of a file counts.
    """
    if _held is None or num_bytes <= _held.announced:
        return
    more, _held.announced = num_bytes - _held.announced, num_bytes
    _limit_memory(_held)
    _add_seconds(SECONDS_PER_BYTE * more)


def _add_seconds(seconds: float) -> None:
    if sys.platform != "win32":
        left = signal.getitimer(signal.ITIMER_PROF)[0]
        signal.setitimer(signal.ITIMER_PROF, left + seconds)


def _limit_memory(held: _Held) -> None:
    # Only Linux counts what is mapped, as large arrays are, to a process's data.
    if not _STATM.exists():
        return
    most = held.before + held.memory + MEMORY_PER_BYTE * (held.size + held.announced)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _writable() -> int:
    """Bytes of this process that it may write to, which is what the system holds against the limit."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text(encoding="ascii").split()[5]) * os.sysconf("SC_PAGE_SIZE")
