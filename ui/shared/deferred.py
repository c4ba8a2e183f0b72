"""Slow work is deferred until the whole page is drawn, so that no visitor sees half a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

_JOBS = "later.jobs"


@contextmanager
def page_first() -> Iterator[None]:
    """Draw a page in this context, then run its deferred jobs and redraw the fragments that need them."""
    jobs: list[tuple[str | None, Callable[[], None]]] = []
    st.session_state[_JOBS] = jobs
    try:
        yield
    finally:
        del st.session_state[_JOBS]
    for _, job in jobs:
        job()
    if jobs:
        _draw_again({fragment for fragment, _ in jobs})


def later(job: Callable[[], None]) -> None:
    """Run ``job`` once the page is drawn, then redraw the calling fragment, or else the page.

    If a fragment reruns alone, its page is already on screen, so the job runs at once.
    """
    fragment = ThreadState.get().fragment_id
    jobs = st.session_state.get(_JOBS)
    if jobs is not None:
        jobs.append((fragment, job))
        return
    job()
    _draw_again({fragment})


def _draw_again(fragments: set[str | None]) -> None:
    # `st.rerun` can rerun a fragment only from a callback, or from that fragment while it runs alone. So
    # this makes the request of a widget in the fragment, which waits until the current run has ended.
    ctx = get_script_run_ctx()
    if None in fragments or ctx is None or ctx.script_requests is None:
        st.rerun()
    ctx.script_requests.request_rerun(
        RerunData(
            query_string=ctx.query_string,
            page_script_hash=ctx.page_script_hash,
            fragment_id_queue=sorted(fragments),
            cached_message_hashes=ctx.cached_message_hashes,
            context_info=ctx.context_info,
        )
    )
