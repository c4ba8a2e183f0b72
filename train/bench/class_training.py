"""Benchmark of a class whose browsers all train networks at once, in the lesson *Train one now*."""

from __future__ import annotations

import os
import shutil
import sys
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

LESSON, PANEL = "learn?lesson=train", ".training"

NICE = 10
"""Niceness of the browsers: they stand for the computers that pupils bring, and the site goes first."""

LEAD_SECONDS = 3.0
"""Until all pupils press the button at one moment, and a tenth of a second more for each of them."""

SLICES = 5
"""Slices that are analyzed meanwhile, one after the other."""

OPEN_SECONDS, TRAIN_SECONDS = 420.0, 20.0
"""Until all pages must be ready to train, and how long they train. What is not open or not seen
by then is left out, and the rows say how many took part."""

AIMS = {"first_step": 5000.0, "slice": 2000.0}
"""Targets in milliseconds; the longest time counts."""

_PRESS = """(panel, [at, end]) => {
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
  setTimeout(() => panel.querySelector("[name=stop]").click(), end - Date.now());
}"""
"""Presses buttons at two times of the clock, and notes after how many milliseconds each change is seen."""


def class_training_rows(pupils: int) -> Iterator[Row]:
    """Yield when pupils who all start two networks at once see what, and how long a slice takes meanwhile.

    It ends by itself: after a minute and about four seconds a browser, or some time after `OPEN_SECONDS`.

    Args:
        pupils: Number of browsers to open, at least 1.

    Raises:
        BrainTumorError: Playwright or a Chromium is missing, or no page got ready.
    """
    with made_up_data(SLICES + 1, 1) as data, Site(BT_DATA_DIR=str(data)) as site:
        names = sorted(folder.name for folder in (data / "kaggle_3m").iterdir())
        session = site.visit()
        ask(session, names[0])
        site.rest()
        with _browser() as browser:
            pages = list(_opened(browser, site, pupils))
            if not pages:
                raise BrainTumorError(f"No page was ready to train after {OPEN_SECONDS:.0f} s.")
            _yield_to_the_site()
            at = time.time() + LEAD_SECONDS + 0.1 * len(pages)
            for page in pages:
                page.locator(PANEL).evaluate(_PRESS, [1000 * at, 1000 * (at + TRAIN_SECONDS)])
            time.sleep(max(0.0, at - time.time()))
            slices = [1000 * ask(session, name) for name in names[1:]]
            time.sleep(max(0.0, at + TRAIN_SECONDS - time.time()))
            seen = [page.locator(PANEL).evaluate("(panel) => panel.seen") for page in pages]
    name = f"lesson_{pupils}"
    yield row(f"{name}/browsers", len(pages), against=float(pupils))
    stepped = sum("first_step" in each for each in seen)
    yield row(f"{name}/stepped", stepped, against=float(len(pages)))
    times = {
        what: [each[what] for each in seen if what in each] for what in ("first_mask", "first_step")
    }
    for what, all_of_them in (times | {"slice": slices}).items():
        if all_of_them:
            yield row(f"{name}/{what}", max(all_of_them), "ms", AIMS.get(what))
    for number, each in enumerate(seen, 1):
        if "first_step" in each:
            yield row(f"{name}/browser_{number}/first_step", each["first_step"], "ms")


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
        yield browser
        browser.close()


def _opened(browser: Browser, site: Site, pupils: int) -> Iterator[Page]:
    """Yield a page ready to train for each pupil, each with a process of its own, until time is up.

    They are opened one after the other: together they would only share the same cores.
    """
    from playwright.sync_api import Error

    begin = time.monotonic()
    for number in range(1, pupils + 1):
        left = OPEN_SECONDS - (time.monotonic() - begin)
        if left <= 0:
            return
        page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        try:
            page.goto(f"http://127.0.0.1:{site.port}/{LESSON}", timeout=1000 * left)
            page.locator(f"{PANEL}[data-state=ready]").wait_for(timeout=1000 * left)
        except Error as error:
            print(f"Browser {number} did not open. {error}", file=sys.stderr)
            page.context.close()
            continue
        seconds = time.monotonic() - begin
        print(f"{number} of {pupils} browsers are open after {seconds:.0f} s", file=sys.stderr)
        yield page


def _yield_to_the_site() -> None:
    """Lower the priority of all threads of the browsers, whatever Chromium has set them to."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error, ProcessLookupError):
            if "chrom" in process.name():
                for thread in process.threads():
                    os.setpriority(os.PRIO_PROCESS, thread.id, NICE)
