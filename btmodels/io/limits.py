"""Limits of files: their size, and the CPU time and memory for reading one, enforced by the system.

`SECONDS` and `MEMORY` suffice for a slice. The limits grow with the size of the file, and with the size
that it declares once that is known to be within bounds. Measured on an AMD EPYC with two cores: 600 JPEG
2000 frames of a DICOM file, 45 MB compressed and 138 MB decompressed, took 7.8 s of CPU time; a WebP of 40
megapixels in 0.3 MB took 710 MB of memory, because conversions hold several copies of a picture. CPU time
is limited, not wall-clock time, so that no valid file is given up because the machine is busy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from btmodels.errors import DecodeError

if sys.platform != "win32":
    import resource
    import signal

MAX_BYTES = 200_000_000
"""Maximum size of a file, and of its decompressed values."""

MAX_PIXELS = 40_000_000
"""Maximum of rows times columns."""

MAX_SIDE = 10_000
"""Maximum of rows or columns: slices are padded to a square, so a thin strip would become huge."""

MAX_PAGES = 1_000
"""Maximum number of pages: a file with more is a video or an attack."""

SECONDS = 2.0
"""Seconds of CPU time."""

MEMORY = 500_000_000
"""Bytes in addition to the memory that the process holds at the beginning."""

SECONDS_PER_BYTE = 1e-7
MEMORY_PER_BYTE = 3

_STATM = Path("/proc/self/statm")


@dataclass
class _Held:
    """The active limits, with the writable bytes at the beginning and the largest declared size."""

    before: int
    memory: int
    size: int
    announced: int = 0


_held: _Held | None = None


def seconds_for(size: int, base: float = SECONDS) -> float:
    """Return the seconds of CPU time for a file that has, or declares, ``size`` bytes."""
    return base + SECONDS_PER_BYTE * size


@contextmanager
def limited(size: int, seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Limit this process while one file is read.

    After the seconds, the system ends the process by SIGPROF. Beyond the memory limit, allocations fail
    with a `MemoryError`. Windows has neither limit, macOS only that of time.

    Args:
        size: Size of the file in bytes.
        seconds, memory: Limits for an empty file; each byte adds to them.
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


def check_bytes(name: str, size: int) -> None:
    """Reject a file of more than `MAX_BYTES`.

    Raises:
        DecodeError: The file is larger.
    """
    if size > MAX_BYTES:
        size, most = size // 1_000_000, MAX_BYTES // 1_000_000
        raise DecodeError(f"{name} has {size:,} MB; at most {most} MB are read.")


def announce(num_bytes: int) -> None:
    """Raise the active limits, if any, for a file that declares a size within bounds.

    Only the largest size that a file declares counts.
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
    # Only Linux counts mapped memory, which large arrays use, as data of the process.
    if not _STATM.exists():
        return
    most = held.before + held.memory + MEMORY_PER_BYTE * (held.size + held.announced)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _writable() -> int:
    """Return the writable bytes of this process, which the system compares with the limit."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text(encoding="ascii").split()[5]) * os.sysconf("SC_PAGE_SIZE")
