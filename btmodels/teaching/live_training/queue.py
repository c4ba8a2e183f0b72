"""One training at a time for everybody: who comes later waits in line, who leaves gives way.

A run goes on only as long as somebody looks: `Desk.look` is also the sign that its visitor is still
there. Nothing of a run is written to disk; it ends with its process.
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
from btmodels.teaching.live_training import worker as practice
from btmodels.teaching.live_training.settings import EPOCHS, Lap, Setting, Start

ABANDONED_SECONDS = 20.0
"""Nobody has looked for so long: the page was left. A page looks once a second."""

PAUSE_SECONDS = 120.0
"""So long may a pause keep others waiting."""

BEGIN_SECONDS = 300.0
LAP_SECONDS = 600.0
"""An epoch takes seconds, but whatever else runs on the machine goes first."""

KEPT_SECONDS = 600.0
"""How long a run that has ended can still be looked at."""

_TICK = 0.2
_log = logging.getLogger(__name__)

State = Literal["waiting", "starting", "running", "paused", "done", "stopped", "failed"]
OVER = ("done", "stopped", "failed")


@dataclass(frozen=True, eq=False)
class View:
    """How a run is.

    Attributes:
        state: "waiting" in line, "starting" its process, "running", "paused"; over: "done", "stopped"
            by hand or because nobody looked, "failed".
        place: In line, from 1; 0 where the run has begun.
        epochs: That each network will be trained for.
        settings: Of its networks.
        start: What there is to learn from; None until the process knows.
        laps: Epochs so far, of all networks, in the order in which they ended.
        left_seconds: Until it is done, by the pace so far; None until there is one.
        message: One sentence where it did not end by itself, else empty.
    """

    state: State
    place: int
    epochs: int
    settings: tuple[Setting, ...]
    start: Start | None
    laps: tuple[Lap, ...]
    left_seconds: float | None
    message: str


@dataclass(eq=False)
class _Run:
    settings: tuple[Setting, ...]
    epochs: int
    seen: float
    ticket: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: State = "waiting"
    wanted: Literal["run", "pause", "stop"] = "run"
    paused_at: float | None = None
    start: Start | None = None
    laps: list[Lap] = field(default_factory=list)
    message: str = ""


class _Ended(Exception):
    """A run ends before its last epoch; says in what state, and why."""

    def __init__(self, state: State, message: str) -> None:
        super().__init__(message)
        self.state: State = state


class Desk:
    """Where trainings are asked for. Safe between threads; no method waits for a training.

    Args:
        assets: Holds the bundled cohort.
        abandoned_seconds: Without a look, until a run ends.
        pause_seconds: That a pause may last while others wait.
        begin, advance: What runs in the process, as those of `btmodels.teaching.live_training.worker`.
    """

    def __init__(
        self,
        assets: Path = paths.ASSETS,
        abandoned_seconds: float = ABANDONED_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
        begin: Callable[[Sequence[Setting], int, Path], Start] = practice.begin,
        advance: Callable[[int], Lap] = practice.advance,
    ) -> None:
        self._assets = assets
        self._abandoned_seconds = abandoned_seconds
        self._pause_seconds = pause_seconds
        self._begin, self._advance = begin, advance
        self._changed = threading.Condition()
        self._runs: dict[str, _Run] = {}
        self._line: list[_Run] = []
        self._executor: loky.ProcessPoolExecutor | None = None
        self._working = False

    def enter(self, settings: Sequence[Setting], epochs: int = EPOCHS) -> str:
        """Queue up for a training; return the ticket by which it is known.

        Raises:
            ValueError: Nothing is to be trained.
        """
        if not settings or epochs < 1:
            raise ValueError(f"Nothing to train. Received: settings={settings}, epochs={epochs}")
        with self._changed:
            now = time.monotonic()
            for ticket, run in list(self._runs.items()):
                if run.state in OVER and now - run.seen > KEPT_SECONDS:
                    del self._runs[ticket]
            run = _Run(tuple(settings), epochs, now)
            self._runs[run.ticket] = run
            self._line.append(run)
            if not self._working:
                self._working = True
                threading.Thread(target=self._work, daemon=True).start()
        return run.ticket

    def look(self, ticket: str) -> View | None:
        """Tell how a run is, and that its visitor is still there; None for an unknown ticket."""
        with self._changed:
            run = self._runs.get(ticket)
            if run is None:
                return None
            run.seen = time.monotonic()
            return View(
                state=run.state,
                place=self._line.index(run) + (self._line[0].state == "waiting")
                if run.state == "waiting"
                else 0,
                epochs=run.epochs,
                settings=run.settings,
                start=run.start,
                laps=tuple(run.laps),
                left_seconds=_left(run),
                message=run.message,
            )

    def pause(self, ticket: str) -> None:
        """Train no further than the epoch that runs, until `resume`."""
        self._want(ticket, "pause")

    def resume(self, ticket: str) -> None:
        """Go on after `pause`."""
        self._want(ticket, "run")

    def stop(self, ticket: str) -> None:
        """End a run at once; what it came to so far can still be looked at."""
        self._want(ticket, "stop")

    def close(self) -> None:
        """End all runs and the process at once."""
        with self._changed:
            for run in self._line:
                run.wanted = "stop"
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._working, 30)

    def _want(self, ticket: str, what: Literal["run", "pause", "stop"]) -> None:
        with self._changed:
            run = self._runs.get(ticket)
            if run is not None and run.state not in OVER and run.wanted != "stop":
                run.wanted = what
                self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._drop_those_who_left()
                if not self._line:
                    self._working = False
                    self._changed.notify_all()
                    return
                run = self._line[0]
            try:
                self._train(run)
                state, message = "done", ""
            except _Ended as ended:
                state, message = ended.state, str(ended)
            except BrainTumorError as error:
                state, message = "failed", str(error)
            except Exception as error:  # the next in line must get their turn whatever this was
                _log.error("A training failed", exc_info=error)
                state, message = "failed", f"The training failed ({type(error).__name__})."
            self._dismiss()
            with self._changed:
                run.state, run.message = state, message
                self._line.remove(run)
                self._changed.notify_all()

    def _train(self, run: _Run) -> None:
        self._check(run)
        with self._changed:
            run.state = "starting"
        executor = self._hire()
        start = self._result(
            run,
            executor.submit(self._begin, run.settings, run.epochs, self._assets),
            BEGIN_SECONDS,
        )
        with self._changed:
            run.start, run.state = start, "running"
        for _ in range(run.epochs):
            for network in range(len(run.settings)):
                self._wait_while_paused(run)
                lap = self._result(run, executor.submit(self._advance, network), LAP_SECONDS)
                with self._changed:
                    run.laps.append(lap)

    def _hire(self) -> loky.ProcessPoolExecutor:
        # Plain multiprocessing would run the app again in the child (see
        # btmodels/inference/worker_process.py).
        self._executor = loky.ProcessPoolExecutor(
            max_workers=1,
            timeout=None,
            initializer=practice.behind,
            initargs=(os.getpid(),),
            env=processes.environment(),
        )
        return self._executor

    def _dismiss(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)

    def _result(self, run: _Run, future: Future, seconds: float) -> Any:
        end = time.monotonic() + seconds
        while True:
            self._check(run)
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

    def _wait_while_paused(self, run: _Run) -> None:
        with self._changed:
            while run.wanted == "pause":
                if run.state != "paused":
                    run.state, run.paused_at = "paused", time.monotonic()
                self._changed.wait(_TICK)
                self._check(run)
                self._drop_those_who_left()
                long = time.monotonic() - run.paused_at > self._pause_seconds
                if long and len(self._line) > 1:
                    raise _Ended("stopped", "It was paused for long, and others were waiting.")
            run.state = "running"

    def _check(self, run: _Run) -> None:
        if run.wanted == "stop":
            raise _Ended("stopped", "It was stopped.")
        if time.monotonic() - run.seen > self._abandoned_seconds:
            raise _Ended("stopped", "It was stopped because its page was left.")

    def _drop_those_who_left(self) -> None:
        # Those in line; under the lock.
        for run in [run for run in self._line if run.state == "waiting"]:
            try:
                self._check(run)
            except _Ended as ended:
                run.state, run.message = ended.state, str(ended)
                self._line.remove(run)


def _left(run: _Run) -> float | None:
    if run.state not in ("running", "paused"):
        return None
    missing = run.epochs * len(run.settings) - len(run.laps)
    # The first epoch of a network compiles it and says nothing of those that follow.
    settled = [lap.seconds for lap in run.laps if lap.epoch > 1]
    return missing * sum(settled) / len(settled) if settled else None


@lru_cache(maxsize=1)
def get_desk() -> Desk:
    """Return the one desk of this process."""
    return Desk()
