"""The request queue, which joins waiting slices into batches with a fair share for each request."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from btmodels.errors import BrainTumorError, EngineError, GraphError, WeightsError
from btmodels.slices import Prediction


@dataclass(eq=False)
class Request:
    """The slices that one thread waits for, and the predictions of the first of them."""

    images: Sequence[np.ndarray]
    networks: tuple[str, str]
    done: list[Prediction] = field(default_factory=list)
    failed_once: bool = False
    future: Future[list[Prediction]] = field(default_factory=Future)

    @property
    def remaining(self) -> int:
        return len(self.images) - len(self.done)


@dataclass(eq=False)
class WorkerCall:
    """A function to call in the worker outside of batches, for requests other than predictions."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    failed_once: bool = False
    future: Future[Any] = field(default_factory=Future)

    @property
    def requests(self) -> tuple[WorkerCall]:
        """Itself, so that `RequestQueue.fail_or_retry` treats it as a batch of one."""
        return (self,)


@dataclass(frozen=True, eq=False)
class RequestBatch:
    """Slices of one or more requests for the same networks; each request contributes its share."""

    requests: tuple[Request, ...]
    shares: tuple[int, ...]
    images: tuple[np.ndarray, ...]

    @property
    def networks(self) -> tuple[str, str]:
        return self.requests[0].networks


class RequestQueue:
    """Requests in the order of their turns. One thread takes batches, any thread may add requests.

    Attributes:
        batch_size: Maximum number of slices in a batch, which limits how long a single slice waits.
    """

    def __init__(self, batch_size: int = 1) -> None:
        self.batch_size = batch_size
        self._changed = threading.Condition()
        self._requests: deque[Request | WorkerCall] = deque()
        self._closed = ""

    def add(self, images: Sequence[np.ndarray], networks: tuple[str, str]) -> Request:
        """Queue slices for two networks.

        Raises:
            EngineError: The queue was closed.
        """
        return self._enqueue(Request(images, networks))

    def add_task(self, function: Callable[..., Any], args: tuple[Any, ...]) -> WorkerCall:
        """Queue a call of ``function(*args)``.

        Raises:
            EngineError: The queue was closed.
        """
        return self._enqueue(WorkerCall(function, args))

    def _enqueue(self, request: Any) -> Any:
        with self._changed:
            if self._closed:
                raise EngineError(self._closed)
            self._requests.append(request)
            self._changed.notify()
        return request

    @property
    def waits(self) -> bool:
        """Whether any request is waiting or being served."""
        with self._changed:
            return bool(self._requests)

    def next_batch(self, seconds: float) -> RequestBatch | WorkerCall | None:
        """Join waiting requests into a batch; None after the timeout or once the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._closed, seconds)
            # Drop withdrawn requests.
            self._requests = deque(each for each in self._requests if not each.future.cancelled())
            if not self._requests:
                return None
            first = self._requests[0]
            if isinstance(first, WorkerCall):
                return first
            together = [first]
            if not first.failed_once:
                # A request that broke a worker runs alone, so that others do not fail with it.
                together = [
                    request
                    for request in self._requests
                    if isinstance(request, Request)
                    and request.networks == first.networks
                    and not request.failed_once
                ]
            shares = fair_shares(self.batch_size, [request.remaining for request in together])
            images = [
                image
                for request, share in zip(together, shares, strict=True)
                for image in request.images[len(request.done) : len(request.done) + share]
            ]
            served = sum(share > 0 for share in shares)
            return RequestBatch(tuple(together[:served]), tuple(shares[:served]), tuple(images))

    def resolve(self, batch: RequestBatch, predictions: Sequence[Prediction]) -> None:
        """Hand out the predictions of a batch."""
        rest = iter(predictions)
        for request, share in zip(batch.requests, batch.shares, strict=True):
            request.done += [next(rest) for _ in range(share)]
            # A request with slices left goes to the end of the queue, so that each gets its turn.
            if self._remove(request, again=bool(request.remaining)) and not request.remaining:
                _set(request.future, result=request.done)

    def resolve_task(self, task: WorkerCall, result: Any) -> None:
        """Hand out the result of a call."""
        if self._remove(task):
            _set(task.future, result=result)

    def fail_or_retry(self, batch: RequestBatch | WorkerCall, error: BrainTumorError) -> None:
        """Retry the requests of a failed batch once, unless weights or graphs are the cause."""
        for request in batch.requests:
            final = request.failed_once or isinstance(error, (GraphError, WeightsError))
            request.failed_once = True
            if final and self._remove(request):
                # Each waiting thread raises its own copy.
                _set(request.future, error=type(error)(str(error)))

    def close(self, reason: str) -> None:
        """Fail all waiting requests and all later ones."""
        with self._changed:
            self._closed = self._closed or reason
            requests, self._requests = self._requests, deque()
            self._changed.notify()
        for request in requests:
            _set(request.future, error=EngineError(reason))

    def _remove(self, request: Request | WorkerCall, again: bool = False) -> bool:
        # Return whether it was still queued; ``again`` moves it to the end.
        with self._changed:
            if request not in self._requests:  # closed meanwhile
                return False
            self._requests.remove(request)
            if again:
                self._requests.append(request)
            return True


def _set(future: Future, result: Any = None, error: BrainTumorError | None = None) -> None:
    # The request may have been withdrawn while it was served; from here on it cannot be.
    if not future.set_running_or_notify_cancel():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def fair_shares(batch_size: int, wanted: Sequence[int]) -> list[int]:
    """Distribute ``batch_size`` places one by one among all requests that still want one.

    Example:
        >>> fair_shares(8, [60, 1, 3])
        [4, 1, 3]
    """
    shares = [0] * len(wanted)
    while batch_size and shares != list(wanted):
        for i, want in enumerate(wanted):
            if batch_size and shares[i] < want:
                shares[i] += 1
                batch_size -= 1
    return shares
