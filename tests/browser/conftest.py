"""The real site, started once, and a browser that tells on it."""

from __future__ import annotations

import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from btmodels import registry
from tests.files import link_or_copy

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PICTURES = ROOT / "test-results"
"""Where a failure leaves what the visitor saw; not part of the repository."""

FAILED = pytest.StashKey[bool]()

MILLISECONDS = 150_000
"""Until a first mask: a slow machine loads TensorFlow from a cold disk."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    item.stash.setdefault(FAILED, False)
    item.stash[FAILED] |= report.failed
    return report


class Address(str):
    """Where a site is; ``pid`` is its web process."""

    pid: int


@contextmanager
def serve(root: Path, **environment: str) -> Iterator[Address]:
    """Start the site that lies in ``root`` on a free port; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("BT_")}
    with subprocess.Popen(
        [*command, "--server.port", str(port)],
        cwd=root,
        # Empty: without a data folder, even where one was downloaded.
        env=inherited | {"BT_DATA_DIR": ""} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            address = Address(f"http://127.0.0.1:{port}")
            address.pid = server.pid
            _wait_for(server, f"{address}/_stcore/health")
            yield address
        finally:
            server.terminate()


def _wait_for(server: subprocess.Popen, address: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert server.poll() is None, "the site ended while it was starting"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the site did not start within a minute")


@pytest.fixture(scope="session")
def site() -> Iterator[Address]:
    """Address of the site as it is committed."""
    with serve(ROOT) as address:
        yield address


@pytest.fixture(scope="session")
def altered_site(tmp_path_factory) -> Iterator[Address]:
    """Address of a copy of the site in whose segmenter's weights one byte has been altered."""
    root = tmp_path_factory.mktemp("altered") / "site"
    keep_out = shutil.ignore_patterns("__pycache__")
    for part in ("btmodels", "ui", "pages", "assets", ".streamlit"):
        # Links, for the weights of all networks are 150 MB.
        shutil.copytree(ROOT / part, root / part, ignore=keep_out, copy_function=link_or_copy)
    shutil.copy(ROOT / "streamlit_app.py", root)
    weights = next(iter(registry.weights_files("default", root / "assets").values()))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.unlink()  # or the one in the repository would be altered
    weights.write_bytes(content)
    with serve(root) as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@dataclass
class Visit:
    """A page under test and what it did that a visitor would not see.

    Attributes:
        page: Playwright's page.
        errors: Console errors and exceptions.
        outside: Requests that left the site.
        frames: Messages to the server over the websocket.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    frames: list[object] = field(default_factory=list)

    def open(self, address: str, mask: bool = True) -> None:
        """Go to an address and wait until the page stands still, and a mask is drawn."""
        self.page.goto(address)
        if mask:
            self.wait_for_mask()
        self.rest()

    def rest(self) -> None:
        """Wait until the script of the page has run to its end."""
        self.page.wait_for_selector(
            "[data-testid=stApp][data-test-script-state=notRunning]", timeout=MILLISECONDS
        )
        # The last of a row of reruns is over when none has followed for a moment.
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")

    def wait_for_mask(self, name: str = "") -> None:
        """Wait until the viewer shows a slice, the one called ``name``, with its mask."""
        which = f'[data-slice="{name}"]' if name else ""
        self.page.wait_for_selector(
            f'.stage[data-mask="drawn"]{which}', state="attached", timeout=MILLISECONDS
        )

    def drawn(self, layer: str = "mask", within: str = "") -> np.ndarray:
        """Read a canvas of the viewer, or of what is ``within`` a selector.

        Returns:
            uint8, (rows, cols, 4), red, green, blue, opacity.
        """
        rows, cols, data = self.page.locator(f"{within} canvas.{layer}").evaluate(
            """(canvas) => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                let text = "";
                for (let i = 0; i < data.length; i += 8192) {
                    text += String.fromCharCode(...data.subarray(i, i + 8192));
                }
                return [height, width, btoa(text)];
            }"""
        )
        return np.frombuffer(base64.b64decode(data), np.uint8).reshape(rows, cols, 4)

    def number(self, name: str, within: str = "") -> str:
        """Read a figure: below the viewer marked, slice, head or dice."""
        # Panels draw in the next frame, which a busy machine may take its time for.
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        return self.page.locator(f'{within} [data-number="{name}"]').inner_text()

    def drag(self, name: str, share: float) -> None:
        """Take a slider's thumb to ``share`` of its way and hold it there."""
        slider = self.page.locator(f'input[name="{name}"]')
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        low, high, value = (
            float(slider.evaluate(f"(input) => input.{key}")) for key in ("min", "max", "value")
        )
        thumb = 16  # the thumb's middle travels this much less than the slider is wide
        middle = box["y"] + box["height"] / 2

        def x_of(part: float) -> float:
            return box["x"] + thumb / 2 + part * (box["width"] - thumb)

        self.page.mouse.move(x_of((value - low) / (high - low)), middle)
        self.page.mouse.down()
        self.page.mouse.move(x_of(share), middle, steps=12)
        self.page.wait_for_timeout(150)

    def touch(self, selector: str, *places: tuple[float, float]) -> None:
        """Put a finger on an element, take it from place to place, and lift it; without places, tap.

        Args:
            selector: Of the element; the first one is touched.
            places: Shares of its width and height.
        """
        element = self.page.locator(selector).first
        element.evaluate("(element) => element.scrollIntoView({ block: 'center' })")
        box = element.bounding_box()
        session = self.page.context.new_cdp_session(self.page)

        def send(kind: str, *points: tuple[float, float]) -> None:
            found = [
                {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
                for x, y in points
            ]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": found})

        at = (places or ((0.5, 0.5),))[0]
        send("touchStart", at)
        for to in places[1:]:
            for step in np.linspace(at, to, 6)[1:].tolist():
                send("touchMove", tuple(step))
            at = to
        send("touchEnd")
        session.detach()
        self.page.wait_for_timeout(150)

    def view(self, condition: str) -> None:
        """Wait until the address says ``condition``, a part of its query."""
        self.page.wait_for_url(lambda address: condition in address, timeout=MILLISECONDS)

    def let_go(self) -> None:
        """Release what is dragged, and wait for what follows."""
        self.page.mouse.up()
        self.page.wait_for_timeout(200)
        self.rest()


@pytest.fixture(scope="module")
def contexts(browser) -> Iterator[Callable[[dict], BrowserContext]]:
    """A browser's context by its options, kept for a module: Streamlit's scripts are fetched once."""
    known: dict[str, BrowserContext] = {}

    def of(options: dict) -> BrowserContext:
        key = repr(sorted(options.items()))
        if key not in known:
            known[key] = browser.new_context(
                **{"viewport": {"width": 1440, "height": 1100}, "reduced_motion": "reduce"}
                | options
            )
        return known[key]

    yield of
    for context in known.values():
        context.close()


@pytest.fixture
def visit(contexts, request) -> Iterator[Visit]:
    """A fresh visitor; the test fails if the console showed an error or a request left the site.

    A session of the site belongs to a page, so that visitors share nothing but what a browser caches.
    What a test that fails had on screen is kept in `PICTURES`.
    """
    context = contexts(getattr(request, "param", {}))
    context.clear_cookies()
    found = Visit(context.new_page())
    page = found.page
    page.add_init_script(
        "if (!sessionStorage.begun) { localStorage.clear(); sessionStorage.begun = 1; }"
    )
    page.set_default_timeout(30_000)
    page.on("console", lambda m: found.errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("request", lambda r: found.outside.append(r.url) if _leaves(r.url) else None)
    page.on("websocket", lambda s: s.on("framesent", lambda frame: found.frames.append(frame)))
    yield found
    if request.node.stash.get(FAILED, False):
        PICTURES.mkdir(exist_ok=True)
        name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
        with suppress(Error):  # a picture that cannot be taken must not hide the failure
            page.screenshot(path=PICTURES / f"{name}.png", timeout=90_000)
    page.close()
    assert found.outside == []
    assert found.errors == []


def _leaves(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
