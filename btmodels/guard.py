"""What leaves a worker when a call fails: only exceptions that the web process can read without TensorFlow.

An exception crosses as a pickle, and to unpickle one of TensorFlow's the web process would load TensorFlow.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from btmodels.errors import BrainTumorError

_NO_MEMORY = ("MemoryError", "_ArrayMemoryError", "ResourceExhaustedError")
"""Of Python, numpy and TensorFlow, whose allocator gives up before the system ends the process."""


class CallFailedError(Exception):
    """A call raised what is no error of this project.

    Args:
        kind: Name of what was raised.
        trace: Its traceback as text, for the server's log.
    """

    def __init__(self, kind: str, trace: str) -> None:
        super().__init__(kind, trace)
        self.kind, self.trace = kind, trace

    @property
    def lacks_memory(self) -> bool:
        """Whether an allocation failed."""
        return self.kind in _NO_MEMORY


def guarded(function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)``.

    Raises:
        BrainTumorError: Whatever of these the function raised.
        CallFailedError: It raised anything else.
    """
    try:
        return function(*args)
    except BrainTumorError:
        raise
    except Exception as error:
        raise CallFailedError(type(error).__name__, traceback.format_exc()) from None
