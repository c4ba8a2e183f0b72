"""The server's heap: set aside after the first page, and not before."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from types import SimpleNamespace

import pytest
import streamlit.config
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from tests.pages.conftest import ROOT
from ui.site import garbage

SETTLE = """
import gc, sys, threading
from ui.site import garbage

waiting, before = [1], gc.get_freeze_count()  # Python 3.12 begins with some
garbage.freeze_after_first_page(lambda: waiting[0])
thread = next(each for each in threading.enumerate() if each.name == "freeze-heap")
thread.join(0.2)
assert thread.is_alive() and gc.get_freeze_count() == before, "the first page is not out yet"
garbage.page_served()
thread.join(0.2)
assert thread.is_alive() and "pandas" not in sys.modules, "a visitor waits for an answer"
waiting[0] = 0
thread.join(120)
assert not thread.is_alive()
searched, aside = len(gc.get_objects()), gc.get_freeze_count()
assert aside > 10 * searched, (aside, searched)
assert {"ui.lessons.page", "ui.scoreboard.page", "pandas", "plotly.graph_objects"} <= set(sys.modules)
"""


def test_what_is_loaded_for_good_is_searched_for_garbage_no_more():
    done = subprocess.run([sys.executable, "-c", SETTLE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Knot:
    """An object that only a search for garbage finds."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture
def searches(monkeypatch):
    """Whether the next page searches is up to the test."""
    monkeypatch.setattr(garbage, "_served", type(garbage._served)())

    def since(seconds: float) -> None:
        monkeypatch.setattr(garbage, "_searched_at", garbage.time.monotonic() - seconds)

    gc.disable()
    yield since
    gc.enable()


@pytest.mark.parametrize(("seconds", "left"), [(garbage.EVERY_SECONDS + 1, False), (0.1, True)])
def test_a_page_ends_with_a_search_where_the_last_is_a_while_ago(searches, seconds, left):
    knot = weakref.ref(Knot())
    searches(seconds)
    garbage.page_served()
    assert (knot() is not None) is left


def test_the_session_of_a_closed_tab_ends_though_nobody_comes(monkeypatch):
    storage = MemorySessionStorage(ttl_seconds=0.2)
    session = Knot()
    info = SimpleNamespace(session=SimpleNamespace(id="left", state=session))
    storage.save(info)
    assert garbage.expire_sessions(storage) == 0 and storage.get("left") is info
    time.sleep(0.25)
    left, info, session = weakref.ref(session), None, None
    monkeypatch.setattr(garbage, "EXPIRY_SECONDS", 0.01)
    monkeypatch.setattr(
        garbage,
        "get_instance",
        lambda: SimpleNamespace(_session_mgr=SimpleNamespace(_session_storage=storage)),
    )

    def serve() -> None:
        with suppress(TimeoutError):
            asyncio.run(asyncio.wait_for(garbage.expire_sessions_forever(), 0.5))

    thread = threading.Thread(target=serve)  # a loop of its own, whatever runs in this one
    thread.start()
    thread.join()
    assert left() is None


def test_streamlit_leaves_the_search_to_us():
    settings = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert "postScriptGC = false" in settings
    assert streamlit.config.get_option("runner.postScriptGC") is False
