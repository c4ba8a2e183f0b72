"""Engine calls of lessons beyond predictions; each runs once, after the page is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from btmodels.errors import BrainTumorError
from btmodels.inference import engine
from ui.session.analysis import WARMING
from ui.session.cache import SessionCache, upload_key
from ui.shared.deferred import later

_answers: SessionCache[Any] = SessionCache("engine_queries.answers", 12)

LESSONS_WARMING = "The process for lessons is starting, which takes a few seconds."

FAILURES = upload_key("engine_queries.failures")
"""Session key of recent failures, by question."""


@dataclass(frozen=True)
class Answer:
    """The answer to a question: ``found``, or None and a sentence on why there is none (yet)."""

    found: Any
    message: str = ""


def ask(key: tuple, job: Callable[[], Any]) -> Answer:
    """Return the result of ``job``. It runs once, after the page is drawn; then the page is drawn again.

    Args:
        key: Identifies the question and everything that its answer depends on.
        job: Asks the engine. A `BrainTumorError` becomes the message.
    """
    if key in _answers:
        return Answer(_answers.get(key))
    failures = st.session_state.setdefault(FAILURES, {})
    if key in failures:
        # Reported once; the next run tries again.
        return Answer(None, failures.pop(key))
    networks = engine.get_engine()
    networks.start()
    status = networks.status()
    if status.state in ("off", "failed"):
        return Answer(None, status.message)
    later(lambda: _do(key, job))
    if status.state == "warming":
        return Answer(None, WARMING)
    return Answer(
        None, "The network is working on it." if status.lessons == "warm" else LESSONS_WARMING
    )


def ask_now(key: tuple, job: Callable[[], Any]) -> Answer:
    """Like `ask`, but wait for the answer: for a fragment whose page is already on screen."""
    if key not in _answers:
        _do(key, job)
    return Answer(_answers.get(key), st.session_state.get(FAILURES, {}).pop(key, ""))


def _do(key: tuple, job: Callable[[], Any]) -> None:
    try:
        _answers.put(key, job())
    except BrainTumorError as error:
        st.session_state.setdefault(FAILURES, {})[key] = str(error)
