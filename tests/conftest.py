"""Shared by all tests: the browser, the eager mode, and which tests are skipped."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


# Tests run beside each other, and so do the processes that they start: a thread each is all there is to
# share, and more only wait for each other.
for _threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

MARKED = {
    "networks": (
        *(f"btmodels/{part}/" for part in ("inference", "networks", "teaching", "training")),
        *(f"train/{part}/" for part in ("bench", "evaluate", "experiments", "fit")),
    ),
    "pages": ("pages/",),
    "processes": (
        *("btmodels/cli/test_pictures.py", "btmodels/test_api.py", "btmodels/test_spawn.py"),
        *("btmodels/io/test_sandbox.py", "train/test_commands.py", "train/test_fuzz.py"),
        *("deploy/", "test_house.py", "test_imports.py"),
    ),
}
"""Markers by folder or file below ``tests/``. `make check` leaves all three out."""


@pytest.fixture(autouse=True, scope="module")
def frozen_heap() -> Iterator[None]:
    """Exclude what earlier tests of this process have loaded from garbage collection, as the server does.

    With TensorFlow loaded, a full collection takes longer than the page after which Streamlit runs it.
    """
    gc.freeze()
    yield
    gc.unfreeze()


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome on this machine, or None."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    return next((place for place in _PLACES if Path(place).exists()), None)


def _browser_required() -> bool:
    return os.environ.get("BT_BROWSER") == "required"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """With ``--dist loadfile``: one process takes all browser tests, which share a site and a Chromium."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneSite(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "tests/browser" if file.startswith("tests/browser/") else file

    return OneSite(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker, places in MARKED.items():
            if item.nodeid.startswith(tuple(f"tests/{place}" for place in places)):
                item.add_marker(marker)
    if find_chromium() is None and not _browser_required():
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium or Chrome was found"))
    if not os.environ.get("BT_DATA_DIR"):
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(pytest.mark.skip(reason="BT_DATA_DIR names no data set"))


def pytest_terminal_summary(terminalreporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    # A module that skips itself is reported without keywords.
    count = sum("browser" in getattr(report, "keywords", ()) for report in skipped)
    if count:
        terminalreporter.write_line(
            f"{count} browser tests were skipped: no Chromium or Chrome was found."
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; a test that asks for it also carries the marker ``browser``."""
    path = find_chromium()
    if path is None:
        pytest.fail("BT_BROWSER=required, and no Chromium or Chrome was found.")
    return path


@pytest.fixture
def eager() -> Iterator[None]:
    """Functions that TensorFlow would compile run as they are written.

    A graph takes from three to thirty seconds to compile, which a training of a few steps never wins
    back. `tests/btmodels/training/test_eager.py` holds both ways to the same weights.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def pixels() -> np.ndarray:
    """A hand-made slice: uint8, (6, 8, 3), each of the 144 values once, so nothing can be swapped."""
    return np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
