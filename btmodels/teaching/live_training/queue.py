"""One training at a time for everybody: later visitors wait in line.

A job runs only while somebody watches it: `TrainingQueue.poll` also tells that its visitor is still there.
Nothing of a job is written to disk, and it ends with its process.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import loky

from btmodels import paths, processes
from btmodels.errors import BrainTumorError, CohortError, EngineError
from btmodels.teaching.live_training import worker
from btmodels.teaching.live_training.settings import EPOCHS, EpochResult, Setting, TrainingSetup

ABANDONED_SECONDS = 20.0
"""After so long without a poll the page counts as left. A page polls once a second."""

PAUSE_SECONDS = 120.0
"""How long a pause may keep others waiting."""

BEGIN_SECONDS = 300.0
EPOCH_SECONDS = 600.0
"""An epoch takes seconds, but whatever else runs on the machine goes first."""

KEPT_SECONDS = 600.0
"""How long the results of an ended job stay available."""

_TICK = 0.2
_log = logging.getLogger(__name__)

State = Literal["waiting", "starting", "running", "paused", "done", "stopped", "failed"]
OVER = ("done", "stopped", "failed")


@dataclass(frozen=True, eq=False)
class JobStatus:
    """The state of a job.

    Attributes:
        state: "waiting" in line, "starting" its process, "running", "paused"; over: "done", "stopped" by
            its visitor or because its page was left, "failed".
        place: In line, from 1; 0 once the job has begun.
        epochs: For each network.
        settings: Of its networks.
        start: What there is to learn from; None until the process knows.
        results: Of the epochs so far, of all networks, in the order in which they ended.
        left_seconds: Until it is done, by the pace so far; None until there is one.
        message: One sentence if the job did not end by itself, else empty.
    """

    state: State
    place: int
    epochs: int
    settings: tuple[Setting, ...]
    start: TrainingSetup | None
    results: tuple[EpochResult, ...]
    left_seconds: float | None
    message: str


@dataclass(eq=False)
class _Job:
    settings: tuple[Setting, ...]
    epochs: int
    seen: float
    ticket: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: State = "waiting"
    wanted: Literal["run", "pause", "stop"] = "run"
    paused_at: float | None = None
    start: TrainingSetup | None = None
    results: list[EpochResult] = field(default_factory=list)
    message: str = ""


class _Ended(Exception):
    """A job ends before its last epoch; holds its final state and the reason."""

    def __init__(self, state: State, message: str) -> None:
        super().__init__(message)
        self.state: State = state


class TrainingQueue:
    """The trainings that visitors asked for. Thread-safe; no method waits for a training.

    Args:
        assets: Holds the bundled cohort.
        abandoned_seconds: Without a poll, until a job ends.
        pause_seconds: Longest pause while others wait.
        begin, advance: What runs in the process, as those of `btmodels.teaching.live_training.worker`.
    """

    def __init__(
        self,
        assets: Path = paths.ASSETS,
        abandoned_seconds: float = ABANDONED_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
        begin: Callable[[Sequence[Setting], int, Path], TrainingSetup] = worker.begin,
        advance: Callable[[int], EpochResult] = worker.advance,
    ) -> None:
        self._assets = assets
        self._abandoned_seconds = abandoned_seconds
        self._pause_seconds = pause_seconds
        self._begin, self._advance = begin, advance
        self._changed = threading.Condition()
        self._jobs: dict[str, _Job] = {}
        self._line: list[_Job] = []
        self._executor: loky.ProcessPoolExecutor | None = None
        self._working = False

    def submit(self, settings: Sequence[Setting], epochs: int = EPOCHS) -> str:
        """Queue a training and return its ticket.

        Raises:
            ValueError: Nothing is to be trained.
        """
        if not settings or epochs < 1:
            raise ValueError(f"Nothing to train. Received: settings={settings}, epochs={epochs}")
        with self._changed:
            now = time.monotonic()
            for ticket, job in list(self._jobs.items()):
                if job.state in OVER and now - job.seen > KEPT_SECONDS:
                    del self._jobs[ticket]
            job = _Job(tuple(settings), epochs, now)
            self._jobs[job.ticket] = job
            self._line.append(job)
            if not self._working:
                self._working = True
                threading.Thread(target=self._work, daemon=True).start()
        return job.ticket

    def poll(self, ticket: str) -> JobStatus | None:
        """Return the state of a job, whose visitor is thereby still there; None for an unknown ticket."""
        with self._changed:
            job = self._jobs.get(ticket)
            if job is None:
                return None
            job.seen = time.monotonic()
            return JobStatus(
                state=job.state,
                place=self._line.index(job) + (self._line[0].state == "waiting")
                if job.state == "waiting"
                else 0,
                epochs=job.epochs,
                settings=job.settings,
                start=job.start,
                results=tuple(job.results),
                left_seconds=_left(job),
                message=job.message,
            )

    def pause(self, ticket: str) -> None:
        """Pause after the current epoch, until `resume`."""
        self._want(ticket, "pause")

    def resume(self, ticket: str) -> None:
        """Continue after `pause`."""
        self._want(ticket, "run")

    def stop(self, ticket: str) -> None:
        """End a job at once; its results so far stay available."""
        self._want(ticket, "stop")

    def close(self) -> None:
        """End all runs and the process at once."""
        with self._changed:
            for job in self._line:
                job.wanted = "stop"
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._working, 30)

    def _want(self, ticket: str, what: Literal["run", "pause", "stop"]) -> None:
        with self._changed:
            job = self._jobs.get(ticket)
            if job is not None and job.state not in OVER and job.wanted != "stop":
                job.wanted = what
                self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._drop_those_who_left()
                if not self._line:
                    self._working = False
                    self._changed.notify_all()
                    return
                job = self._line[0]
            try:
                self._train(job)
                state, message = "done", ""
            except _Ended as ended:
                state, message = ended.state, str(ended)
            except BrainTumorError as error:
                state, message = "failed", str(error)
            except Exception as error:  # the next in line must get their turn whatever this was
                _log.error("A training failed", exc_info=error)
                state, message = "failed", f"The training failed ({type(error).__name__})."
            self._stop_process()
            with self._changed:
                job.state, job.message = state, message
                self._line.remove(job)
                self._changed.notify_all()

    def _train(self, job: _Job) -> None:
        self._check(job)
        with self._changed:
            job.state = "starting"
        executor = self._start_process()
        start = self._result(
            job,
            executor.submit(self._begin, job.settings, job.epochs, self._assets),
            BEGIN_SECONDS,
        )
        with self._changed:
            job.start, job.state = start, "running"
        for _ in range(job.epochs):
            for network in range(len(job.settings)):
                self._wait_while_paused(job)
                result = self._result(job, executor.submit(self._advance, network), EPOCH_SECONDS)
                with self._changed:
                    job.results.append(result)

    def _start_process(self) -> loky.ProcessPoolExecutor:
        # Plain multiprocessing would job the app again in the child (see
        # btmodels/inference/worker_process.py).
        self._executor = loky.ProcessPoolExecutor(
            max_workers=1,
            timeout=None,
            initializer=worker.lower_priority,
            initargs=(os.getpid(),),
            env=processes.environment(),
        )
        return self._executor

    def _stop_process(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)

    def _result(self, job: _Job, future: Future, seconds: float) -> Any:
        end = time.monotonic() + seconds
        while True:
            self._check(job)
            try:
                return future.result(_TICK)
            except TimeoutError:
                if time.monotonic() > end:
                    raise EngineError(
                        f"The training did not answer within {seconds:.0f} seconds and was ended."
                    ) from None
            except CohortError as error:
                raise CohortError(str(error)) from None  # without the other process's traceback
            except (BrokenExecutor, loky.process_executor.ShutdownExecutorError):
                raise EngineError("The process that trained ended before it was done.") from None

    def _wait_while_paused(self, job: _Job) -> None:
        with self._changed:
            while job.wanted == "pause":
                if job.state != "paused":
                    job.state, job.paused_at = "paused", time.monotonic()
                self._changed.wait(_TICK)
                self._check(job)
                self._drop_those_who_left()
                long = time.monotonic() - job.paused_at > self._pause_seconds
                if long and len(self._line) > 1:
                    raise _Ended("stopped", "It was paused for long, and others were waiting.")
            job.state = "running"

    def _check(self, job: _Job) -> None:
        if job.wanted == "stop":
            raise _Ended("stopped", "It was stopped.")
        if time.monotonic() - job.seen > self._abandoned_seconds:
            raise _Ended("stopped", "It was stopped because its page was left.")

    def _drop_those_who_left(self) -> None:
        # Those in line; under the lock.
        for job in [job for job in self._line if job.state == "waiting"]:
            try:
                self._check(job)
            except _Ended as ended:
                job.state, job.message = ended.state, str(ended)
                self._line.remove(job)


def _left(job: _Job) -> float | None:
    if job.state not in ("running", "paused"):
        return None
    missing = job.epochs * len(job.settings) - len(job.results)
    # The first epoch of a network compiles it and says nothing of those that follow.
    settled = [result.seconds for result in job.results if result.epoch > 1]
    return missing * sum(settled) / len(settled) if settled else None


@lru_cache(maxsize=1)
def get_training_queue() -> TrainingQueue:
    """Return the one training queue of this process."""
    return TrainingQueue()
