"""Slow work is deferred until the whole page is drawn, so that no visitor sees half a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

_JOBS = "later.jobs"


@contextmanager
def page_first() -> Iterator[None]:
    """Draw a page in this context, then run its deferred jobs and draw the page again with the results."""
    jobs: list[Callable[[], None]] = []
    st.session_state[_JOBS] = jobs
    try:
        yield
    finally:
        del st.session_state[_JOBS]
    for job in jobs:
        job()
    if jobs:
        st.rerun()


def later(job: Callable[[], None]) -> None:
    """Run ``job`` once the page is drawn, and draw again.

    If a fragment reruns alone, its page is already on screen, so the job runs at once.
    """
    jobs = st.session_state.get(_JOBS)
    if jobs is not None:
        jobs.append(job)
        return
    job()
    st.rerun()
