"""What the server has loaded for good, taken out of every later search for garbage.

Streamlit collects garbage in full after each run of a page or fragment (`runner.postScriptGC`), in any
session. That takes time in proportion to all objects alive, most of them modules: without this, more of
the server's time than the pages themselves. `gc.freeze` sets them aside.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import threading

import ui

LIBRARIES = ("pandas", "plotly.graph_objects", "plotly.io", "pyarrow")
"""What Streamlit and the charts load only when the first table or chart is drawn."""

_served = threading.Event()


def settle_after_first_page() -> None:
    """Start a thread that, once a page is drawn, loads what the others need and sets it aside.

    Not before, since the first visitor would wait for it; and only once, early: what a visitor's session
    holds while the heap is frozen is found by no later search for garbage.
    """
    threading.Thread(target=_settle, name="settle", daemon=True).start()


def page_served() -> None:
    """Say that a page has been drawn; whatever waits for the first one may begin."""
    _served.set()


def _settle() -> None:
    _served.wait()
    for module in pkgutil.walk_packages(ui.__path__, "ui."):
        importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
