"""Benchmark of a class whose browsers all train networks at once, in the lesson *Train one now*."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil

from btmodels.errors import BrainTumorError
from train.bench.client import Site
from train.bench.load import ask, made_up_data
from train.bench.rows import Row, row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PUPILS = 30

LESSON, PANEL = "learn?lesson=train", ".training"

NICE = 10
"""Niceness of the browsers: they stand for the computers that pupils bring, and the site goes first."""

LEAD_SECONDS = 3.0
"""Until all pupils press the button, at one moment of the clock."""

SLICES, MOST_SECONDS = 5, 300.0
"""Slices that are analyzed meanwhile, one after the other, and the longest wait for a page."""

AIMS = {"first_step": 5000.0, "slice": 2000.0}
"""Targets in milliseconds; the longest time counts."""

_PRESS = """(panel, at) => {
  const seen = {};
  const marks = { first_mask: "[data-epoch='0']", first_step: "path.trail" };
  const note = () => {
    for (const [name, mark] of Object.entries(marks)) {
      if (panel.querySelector(mark)) seen[name] ??= Date.now() - at;
    }
  };
  new MutationObserver(note).observe(panel, { subtree: true, childList: true, attributes: true });
  panel.seen = seen;
  setTimeout(() => panel.querySelector("[data-compare=seed]").click(), at - Date.now());
}"""
"""Presses a button at a time of the clock, and notes the milliseconds until each change is on the page."""


def class_training_rows(pupils: int = PUPILS) -> Iterator[Row]:
    """Yield when pupils who all start two networks at once see what, and how long a slice takes meanwhile.

    Raises:
        BrainTumorError: Playwright or a Chromium is missing.
    """
    with made_up_data(SLICES + 1, 1) as data, Site(BT_DATA_DIR=str(data)) as site:
        names = sorted(folder.name for folder in (data / "kaggle_3m").iterdir())
        session = site.visit()
        ask(session, names[0])
        site.rest()
        with _browser() as browser:
            pages = [_opened(browser, site) for _ in range(pupils)]
            at = time.time() + LEAD_SECONDS
            for page in pages:
                page.locator(PANEL).evaluate(_PRESS, 1000 * at)
            time.sleep(max(0.0, at - time.time()))
            slices = [1000 * ask(session, name) for name in names[1:]]
            seen = [_seen(page) for page in pages]
    times = {what: max(each[what] for each in seen) for what in ("first_mask", "first_step")}
    for what, longest in (times | {"slice": max(slices)}).items():
        yield row(f"lesson_{pupils}/{what}", longest, "ms", AIMS.get(what))


@contextmanager
def _browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        raise BrainTumorError("This needs a Chromium and the packages of requirements-dev.txt.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if "chrom" in process.name():
                    process.nice(NICE)  # processes of pages inherit it
        yield browser
        browser.close()


def _opened(browser: Browser, site: Site) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(f"http://127.0.0.1:{site.port}/{LESSON}")
    page.locator(f"{PANEL}[data-state=ready]").wait_for(timeout=1000 * MOST_SECONDS)
    return page


def _seen(page: Page) -> dict[str, float]:
    trail = page.locator(f"{PANEL} path.trail").first
    trail.wait_for(state="attached", timeout=1000 * MOST_SECONDS)
    return page.locator(PANEL).evaluate("(panel) => panel.seen")
