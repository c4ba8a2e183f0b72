"""Garbage collection: less often, and without the objects that the server loads once.

Left to itself, Streamlit searches all objects after each run of a page or fragment, in any session: with
ten visitors four fifths of the server's time. So `runner.postScriptGC` is off in .streamlit/config.toml,
`gc.freeze` sets aside what was loaded, most of all objects, and pages end with a search of the others
where the last one is a while ago: what a visitor has forgotten leaves the memory within seconds.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import pkgutil
import threading
import time

from streamlit.runtime import get_instance
from streamlit.runtime.memory_session_storage import MemorySessionStorage

import ui
from btmodels.processes import release_memory

LIBRARIES = ("pandas", "plotly.graph_objects", "plotly.io", "pyarrow")
"""What Streamlit and the charts load only when the first table or chart is drawn."""

EVERY_SECONDS = 5.0
"""Between two searches."""

EXPIRY_SECONDS = 20.0
"""Between two searches for expired sessions."""

_served = threading.Event()
_searching = threading.Lock()
_searched_at = 0.0


def freeze_after_first_page() -> None:
    """Start a thread that loads the other pages' modules once a page is drawn, and freezes the heap.

    Not before, since the first visitor would wait for it; and only once, early: what a visitor's session
    holds while the heap is frozen is found by no later search for garbage.
    """
    threading.Thread(target=_freeze_heap, name="freeze-heap", daemon=True).start()


async def expire_sessions_forever() -> None:
    """Drop expired sessions every `EXPIRY_SECONDS` and release their memory.

    Streamlit drops the session of a closed tab only when the next tab closes; after a class has left, that
    may be the next day. Run it in the server's event loop, which alone touches the sessions.
    """
    while True:
        await asyncio.sleep(EXPIRY_SECONDS)
        if expire_sessions(get_instance()._session_mgr._session_storage):
            await asyncio.to_thread(_collect)


def expire_sessions(storage: MemorySessionStorage) -> int:
    """Drop the sessions of tabs closed longer than `server.disconnectedSessionTTL` ago; return how many."""
    return len(storage._cache.expire())


def page_served() -> None:
    """Say that a page has been drawn; whatever waits for the first one may begin."""
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


def _freeze_heap() -> None:
    _served.wait()
    for module in pkgutil.walk_packages(ui.__path__, "ui."):
        importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
