"""Decode uploads in a separate process, so that a file that crashes a decoder does not crash the site."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from functools import lru_cache
from queue import LifoQueue
from typing import Any

import cv2
import loky
import numpy as np

from btmodels import processes
from btmodels.errors import DecodeError
from btmodels.filenames import plain_name
from btmodels.io import limits
from btmodels.io.batch import Batch, InputFile, read_batch
from btmodels.io.budget import keep_newest
from btmodels.io.image import decode, decode_mask
from btmodels.io.read import Content, Members, open_zip, prepare, read_file
from btmodels.io.study import Remark
from btmodels.io.zip import is_zip
from btmodels.slices import Slice

PATIENCE = 20
"""Wall-clock seconds allowed per second of CPU time, because processes wait on a busy machine."""

START_SECONDS = 120.0

LANES = 2
"""Number of batches that are read in parallel."""

ASSEMBLY_SECONDS = 20.0
"""CPU time for assembling the files of a batch, which includes resampling of volumes."""


class Reader:
    """Decodes files one by one in a process that is replaced if a file crashes it.

    Thread-safe. The process starts with the first file and ends with this process.

    Args:
        seconds: CPU time after which a file is given up; large files get more (see `btmodels.io.limits`).
        patience: Wall-clock seconds per second of CPU time, in case a decoder hangs.
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
        """Call `btmodels.io.image.decode` in the process.

        Raises:
            DecodeError: The file cannot be read, takes too long, or crashed the process.
        """
        return self.run(name, decode, data, name)

    def file(self, data: bytes, name: str) -> Content:
        """Call `btmodels.io.read.read_file` in the process; raises as `slice` does."""
        return self.run(name, read_file, data, name)

    def zip(self, data: bytes, name: str) -> Members:
        """Call `btmodels.io.read.open_zip` in the process; raises as `slice` does."""
        return self.run(name, open_zip, data, name)

    def mask(self, data: bytes, name: str) -> np.ndarray:
        """Call `btmodels.io.image.decode_mask` in the process; raises as `slice` does."""
        return self.run(name, decode_mask, data, name)

    def batch(
        self,
        files: Sequence[InputFile],
        masks: Mapping[str, str] | None = None,
        sequences: Mapping[str, str] | None = None,
        most_bytes: int = 0,
    ) -> Batch:
        """Call `btmodels.io.batch.read_batch` in the process, with the limits of `run` for each file.

        If there are more than ``most_bytes``, the newest slices are returned (see `btmodels.io.budget`).

        A file that crashes the process or takes too long does not affect the others: it is found by
        reading files one by one, and the others are read together again.
        """
        given_up: dict[str, str] = {}
        for _ in range(2):
            try:
                return self._batch(files, masks, sequences, given_up, most_bytes)
            except DecodeError as error:
                reason = str(error)
                found = dict(self._culprits(file for file in files if file.id not in given_up))
                if not found.keys() - given_up.keys():
                    break
                given_up |= found
        return Batch(errors=(Remark(files[0].id, reason),))

    def _batch(self, files, masks, sequences, given_up, most_bytes) -> Batch:
        size = sum(len(file.data) for file in files)
        seconds = len(files) * self._seconds + limits.seconds_for(2 * size, ASSEMBLY_SECONDS)
        task = list(files), masks, sequences, given_up, most_bytes, self._seconds, self._memory
        return self._submit("The files", self._patience * seconds, _batch_within, *task)

    def _culprits(self, files: Iterable[InputFile]) -> Iterator[tuple[str, str]]:
        """Read files one by one; yield the id of each file that crashes the process, and a sentence."""
        for file in files:
            try:
                members = self.zip(file.data, file.name) if is_zip(file.data) else None
            except DecodeError as error:
                yield file.id, str(error)
                continue
            own = [(f"{file.id}/{path}", path, data) for path, data in members or ()]
            for key, name, data in (
                own if members is not None else [(file.id, file.name, file.data)]
            ):
                try:
                    if isinstance(data, bytes):
                        self.run(name, _probe, data, name)
                except DecodeError as error:
                    yield key, str(error)

    def run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function(*args)`` in the process; ``name`` is the file name for errors."""
        size = sum(len(arg) for arg in args if isinstance(arg, bytes))
        clock = self._patience * limits.seconds_for(size, self._seconds)
        task = size, self._seconds, self._memory, name, function, args
        return self._submit(plain_name(name), clock, _within, *task)

    def _submit(self, name: str, clock: float, function: Callable[..., Any], *args: Any) -> Any:
        with self._lock:  # so that no file's time runs while another one is read
            try:
                executor = self._executor or self._start()
                return executor.submit(function, *args).result(clock)
            except DecodeError as error:
                raise DecodeError(str(error)) from None  # without the other process's traceback
            except TimeoutError:
                self._end()
                raise _slow(name) from None
            except (BrokenExecutor, loky.process_executor.ShutdownExecutorError) as error:
                self._end()
                if "SIGPROF" in str(error):  # the CPU time was used up
                    raise _slow(name) from None
                raise DecodeError(
                    f"{name} was given up: the process that read it ended, which a damaged file "
                    "can cause."
                ) from None

    def close(self) -> None:
        """End the process; another file starts a new one."""
        with self._lock:
            self._end()

    def _start(self) -> loky.ProcessPoolExecutor:
        self._executor = loky.ProcessPoolExecutor(
            max_workers=1, timeout=None, initializer=processes.begin, initargs=(os.getpid(),)
        )
        # The start does not count toward the first file's time.
        self._executor.submit(prepare).result(START_SECONDS)
        return self._executor

    def _end(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)


def _within(
    size: int, seconds: float, memory: int, name: str, function: Callable[..., Any], args: tuple
) -> Any:
    """Call ``function(*args)`` in the reading process within limits and without console output, because
    decoders quote the contents of files."""
    try:
        with _silent(), limits.limited(size, seconds, memory):
            return function(*args)
    except Exception as error:
        if not _lacks_memory(error):
            raise
        raise DecodeError(
            f"{plain_name(name)} was given up: reading it would take more memory than a file gets here."
        ) from None


def _batch_within(
    files, masks, sequences, given_up, most_bytes: int, seconds: float, memory: int
) -> Batch:
    """Read a batch in the reading process, with separate limits for each file."""

    def run(name: str, size: int, function: Callable[..., Any], *args: Any) -> Any:
        base = seconds if any(isinstance(arg, bytes) for arg in args) else ASSEMBLY_SECONDS
        return _within(size, base, memory, name, function, args)

    found = keep_newest(read_batch(files, masks, sequences, given_up, run), most_bytes)
    processes.release_memory()
    return found


def _probe(data: bytes, name: str) -> None:
    with contextlib.suppress(DecodeError):
        read_file(data, name)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    with warnings.catch_warnings(), processes.quiet():
        warnings.simplefilter("ignore")
        yield


def _lacks_memory(error: BaseException | None) -> bool:
    """Return whether a failed allocation caused this error, directly or indirectly."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "code", 0) == cv2.Error.StsNoMem:
            return True
        error = error.__cause__ or error.__context__
    return False


def _slow(name: str) -> DecodeError:
    return DecodeError(
        f"{name} was given up: reading it took longer than a file of its size is allowed."
    )


class Readers:
    """Several readers for many visitors, so that a slow batch does not block the others.

    Thread-safe. The first is preferred, so that the others only start when needed.

    Args:
        readers: One or more.
    """

    def __init__(self, readers: Sequence[Reader]) -> None:
        # Last in, first out: the next batch goes to a reader whose process is already running.
        self._idle: LifoQueue[Reader] = LifoQueue()
        for reader in reversed(readers):
            self._idle.put(reader)

    def batch(self, *args: Any, **kwargs: Any) -> Batch:
        """Call `Reader.batch` of the first idle reader."""
        reader = self._idle.get()
        try:
            return reader.batch(*args, **kwargs)
        finally:
            self._idle.put(reader)


@lru_cache(maxsize=1)
def get_readers() -> Readers:
    """Return the readers of this process."""
    return Readers([Reader() for _ in range(LANES)])
