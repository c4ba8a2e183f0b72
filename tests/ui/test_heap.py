"""The server's heap: set aside after the first page, and not before."""

from __future__ import annotations

import subprocess
import sys

SETTLE = """
import gc, sys, threading
from ui import heap

heap.settle_after_first_page()
thread = next(each for each in threading.enumerate() if each.name == "settle")
thread.join(0.2)
assert thread.is_alive() and not gc.get_freeze_count(), "the first page is not out yet"
heap.page_served()
thread.join(120)
assert not thread.is_alive()
searched, aside = len(gc.get_objects()), gc.get_freeze_count()
assert aside > 10 * searched, (aside, searched)
assert {"ui.learn", "ui.scoreboard", "pandas", "plotly.graph_objects"} <= set(sys.modules)
"""


def test_what_is_loaded_for_good_is_searched_for_garbage_no_more():
    done = subprocess.run([sys.executable, "-c", SETTLE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
