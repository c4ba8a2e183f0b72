"""Garbage collection: less often, and without the objects that the server loads once.

By default, Streamlit runs a full collection after each run of a page or fragment, in any session: with
ten visitors this takes four fifths of the server's time. So `runner.postScriptGC` is off in
.streamlit/config.toml, `gc.freeze` excludes the loaded objects, which are most of all, and pages end with a
collection of the others if the last one was a while ago. Memory that visitors no longer need is thus freed
within seconds.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import pkgutil
import threading
import time
from collections.abc import Callable

from streamlit.runtime import get_instance
from streamlit.runtime.memory_session_storage import MemorySessionStorage

import ui
from btmodels.processes import release_memory

LIBRARIES = ("pandas", "plotly.graph_objects", "plotly.io", "pyarrow")
"""Libraries that Streamlit and the charts load only for the first table or chart."""

EVERY_SECONDS = 5.0
"""Shortest time between two collections."""

EXPIRY_SECONDS = 20.0
"""Time between two checks for expired sessions."""

PAUSE_SECONDS = 30.0
"""Longest time that loading the other pages' modules waits for answers of the networks."""

_served = threading.Event()
_searching = threading.Lock()
_searched_at = 0.0


def freeze_after_first_page(busy: Callable[[], float]) -> None:
    """Start a thread that loads the other pages' modules once a page is drawn, and freezes the heap.

    Any earlier, the first visitor would have to wait; and it happens only once, early, because no later
    collection finds objects of sessions that existed when the heap was frozen.

    Args:
        busy: Returns how many answers visitors wait for. Loading pauses meanwhile, but for `PAUSE_SECONDS`
            in all at most.
    """
    threading.Thread(target=_freeze_heap, args=(busy,), name="freeze-heap", daemon=True).start()


async def expire_sessions_forever() -> None:
    """Drop expired sessions every `EXPIRY_SECONDS` and release their memory.

    Streamlit drops the session of a closed tab only when the next tab closes; after a class has left, that
    may be the next day. Run this in the server's event loop, the only place where sessions are accessed.
    """
    while True:
        await asyncio.sleep(EXPIRY_SECONDS)
        if expire_sessions(get_instance()._session_mgr._session_storage):
            await asyncio.to_thread(_collect)


def expire_sessions(storage: MemorySessionStorage) -> int:
    """Drop sessions of tabs closed longer than `server.disconnectedSessionTTL` ago; return their number."""
    return len(storage._cache.expire())


def page_served() -> None:
    """Report that a page has been drawn, which starts work that waits for the first page."""
    global _searched_at
    _served.set()
    if time.monotonic() - _searched_at < EVERY_SECONDS or not _searching.acquire(blocking=False):
        return
    try:
        _collect()
        _searched_at = time.monotonic()
    finally:
        _searching.release()


def _collect() -> None:
    gc.collect()
    release_memory()


def _freeze_heap(busy: Callable[[], float]) -> None:
    _served.wait()
    end = time.monotonic() + PAUSE_SECONDS
    modules = (module.name for module in pkgutil.walk_packages(ui.__path__, "ui."))
    for name in (*LIBRARIES, *modules):
        while busy() and time.monotonic() < end:
            time.sleep(0.05)
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
