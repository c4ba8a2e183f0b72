"""Many visitors at once, for the benchmark: each repeats an action while workers are killed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import psutil

from train.bench.client import Session, Site

KILLS = 2

AT_MOST = 120.0
"""Seconds that a new worker may take to appear, and again to answer everybody."""

GAVE_UP = "process that holds the networks"
"""Part of every message that says that the worker did not answer."""


class Crowd:
    """Visitors who repeat an action, each in a thread.

    Args:
        sessions: One per visitor.
        visit: The action, called with the session, the visitor's number and the number of repeats so far.

    Attributes:
        answers: How often each visitor has finished the action.
        gone: Whether each visitor has left.
        failures: Messages of all exceptions.
    """

    def __init__(
        self, sessions: Sequence[Session], visit: Callable[[Session, int, int], None]
    ) -> None:
        self._sessions, self._visit = sessions, visit
        self.answers = [0] * len(sessions)
        self.gone = [False] * len(sessions)
        self.failures: list[str] = []

    @property
    def errors(self) -> list[str]:
        """Messages of all exceptions, and alerts about networks that did not answer."""
        alerts = [alert for session in self._sessions for alert in session.alerts]
        return [*self.failures, *(alert for alert in alerts if GAVE_UP in alert)]

    def stay(self, seconds: float, site: Site | None = None) -> int:
        """Let every visitor act once, and again until the time is over.

        Args:
            seconds: Duration.
            site: Site whose workers are killed meanwhile; None kills none.

        Returns:
            The number of workers killed.
        """
        self.gone = [False] * len(self._sessions)
        end = perf_counter() + seconds
        with ThreadPoolExecutor(len(self._sessions)) as threads:
            going = [
                threads.submit(self._go_on, number, end) for number in range(len(self._sessions))
            ]
            killed = self._kill_workers(site, seconds / (KILLS + 1)) if site else 0
            for each in going:
                each.result()
        return killed

    def _go_on(self, number: int, end: float) -> None:
        for count in itertools.count(self.answers[number]):
            try:
                self._visit(self._sessions[number], number, count)
            except Exception as error:  # whatever a visitor would have met counts
                self.failures.append(str(error))
            self.answers[number] += 1
            if perf_counter() >= end:
                break
        self.gone[number] = True

    def _answered_since(self, before: Sequence[int]) -> bool:
        """Return whether every visitor has had an answer since ``before``, or has left."""
        turns = zip(self.gone, self.answers, before, strict=True)
        return all(gone or now > then for gone, now, then in turns)

    def _kill_workers(self, site: Site, seconds: float) -> int:
        """Kill the process that holds the networks, then its successor, each after some seconds."""
        killed: set[int] = set()
        for _ in range(KILLS):
            time.sleep(seconds)
            # For a moment there is no worker, or the site still names the last one.
            _wait_for(lambda: site.health()["worker"] not in (None, *killed))
            if killed:
                # The engine retries requests lost with a worker once, and gives up if the next worker dies
                # too, since the slice may be the cause. Here it is not, so the next worker lives until it
                # has answered.
                before = list(self.answers)
                _wait_for(lambda before=before: self._answered_since(before))
            worker = site.health()["worker"]
            if worker not in (None, *killed):
                psutil.Process(worker).kill()
                killed.add(worker)
        return len(killed)


def _wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + AT_MOST
    while not true() and time.monotonic() < end:
        time.sleep(0.1)
