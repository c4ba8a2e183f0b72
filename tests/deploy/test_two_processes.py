"""Two real processes of the site behind nginx: 50 visitors, and what a stopped process costs its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright
from websockets.exceptions import ConnectionClosed

from tests.browser.conftest import FLAGS
from tests.deploy import nginx
from tests.deploy.measured import measured
from tests.deploy.test_nginx import Visitor
from tests.ui.site.running import Site, running
from train.bench.client import Session
from train.bench.crowd import GAVE_UP
from train.bench.load import ask, made_up_data

FULL = os.environ.get("BT_FULL") == "1"
pytestmark = pytest.mark.skipif(
    not FULL or nginx.PROGRAM is None, reason="minutes; BT_FULL=1 and nginx run it"
)

VISITORS, ROUNDS = 50, 4
BEFORE, DURING, AFTER = range(ROUNDS), range(ROUNDS, 2 * ROUNDS), [2 * ROUNDS]
NAMES = [f"LOAD_AA_{number:04d}_20260101" for number in range(VISITORS * (2 * ROUNDS + 1))]
SAMPLES = nginx.ROOT / "assets/samples/kaggle_3m/SYNT_AA_0005_20260101"
HOME = "site_process"


class Tab:
    """A visitor who reloads when the connection ends.

    Attributes:
        home: Port of the process that answers.
        reloads: How often the connection ended.
        seconds: Times until a new slice was analyzed.
    """

    def __init__(self, address: str, names: list[str], sockets: ExitStack) -> None:
        self._visitor, self._names, self._sockets = Visitor(address), names, sockets
        self.reloads, self.seconds, self.alerts = 0, [], []
        self._open()

    @property
    def home(self) -> int:
        return int(self._visitor.cookies[HOME])

    def visit(self, rounds: Iterable[int]) -> None:
        """Analyze a new slice for each round."""
        for number in rounds:
            try:
                self.seconds.append(ask(self._session, self._names[number]))
            except ConnectionClosed:
                self.reloads += 1
                self._open()
                ask(self._session, self._names[number])
        self.alerts += [alert for alert in self._session.alerts if GAVE_UP in alert]

    def _open(self) -> None:
        assert "<title>" in self._visitor.get("/analyze")
        socket = self._sockets.enter_context(self._visitor.connect())
        self._session = Session(socket, self._visitor.address, self._visitor.get)


@pytest.fixture
def sites(tmp_path) -> Iterator[tuple[str, dict[int, Site]]]:
    """The address of nginx, and two warm processes by port."""
    with made_up_data(len(NAMES), 1) as data, ExitStack() as stack:
        settings = {"BT_ENGINE": "", "BT_DATA_DIR": str(data), "FORWARDED_ALLOW_IPS": "127.0.0.1"}
        started = [stack.enter_context(running(**settings)) for _ in range(2)]
        address = stack.enter_context(nginx.proxy(tmp_path, [each.port for each in started]))
        for each in started:
            while each.get("/health")[0] != 200:
                time.sleep(0.2)
        yield address, {each.port: each for each in started}


@pytest.fixture
def tabs(sites) -> Iterator[list[Tab]]:
    with ExitStack() as sockets:
        yield [Tab(sites[0], NAMES[number::VISITORS], sockets) for number in range(VISITORS)]


def test_fifty_visitors_see_no_error_and_a_stop_costs_one_reload(sites, tabs):
    _, processes = sites
    homes = [tab.home for tab in tabs]
    assert sorted(homes.count(port) for port in processes) == [VISITORS // 2] * 2

    begin = time.perf_counter()
    with ThreadPoolExecutor(VISITORS) as pool:
        list(pool.map(lambda tab: tab.visit(BEFORE), tabs))
    rate = VISITORS * ROUNDS / (time.perf_counter() - begin)
    p50, p95 = np.percentile([each for tab in tabs for each in tab.seconds], [50, 95])
    assert not any(tab.reloads or tab.alerts for tab in tabs)
    measured(
        "two processes behind nginx, 50 visitors",
        {"errors": 0, "p50 s": p50, "p95 s": p95, "slices per second": rate},
    )

    stopped, other = processes
    with ThreadPoolExecutor(VISITORS) as pool:
        going = [pool.submit(tab.visit, DURING) for tab in tabs]
        time.sleep(p50)
        processes[stopped].process.send_signal(signal.SIGTERM)
        for each in going:
            each.result()
        processes[stopped].process.wait(60)
        list(pool.map(lambda tab: tab.visit(AFTER), tabs))
    assert {tab.home for tab in tabs} == {other} and not any(tab.alerts for tab in tabs)
    assert [tab.reloads for tab in tabs] == [int(home == stopped) for home in homes]


@pytest.mark.browser
def test_lost_uploads_get_a_sentence_and_nobody_else_notices(sites, chromium):
    address, processes = sites
    files = [SAMPLES / f"{SAMPLES.name}_{number}.tif" for number in (12, 13)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        pages = [browser.new_context(ignore_https_errors=True).new_page() for _ in range(2)]
        for page in pages:
            page.goto(f"{address}/analyze?source=files")
            page.set_input_files("input[type=file]", files)
            page.wait_for_selector('.stage[data-mask="drawn"]', timeout=120_000)
        mine, theirs = pages
        assert home(mine) != home(theirs)
        errors = []
        theirs.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        for page in pages:
            page.on("pageerror", lambda error: errors.append(str(error)))
        processes[home(mine)].process.send_signal(signal.SIGTERM)
        mine.get_by_text("The 2 files you uploaded are gone").wait_for(timeout=60_000)
        assert home(mine) == home(theirs)
        assert theirs.locator('.stage[data-mask="drawn"]').count() == 1
        theirs.locator('input[name="slice"]').press("Home")
        theirs.wait_for_selector(f'.stage[data-mask="drawn"][data-slice="{files[0].name}"]')
        assert errors == []


def home(page: Page) -> int:
    """Return the port of the process that answers a page."""
    return next(int(each["value"]) for each in page.context.cookies() if each["name"] == HOME)
