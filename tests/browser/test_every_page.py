"""Each page at two sizes and in both themes: nothing broken, nothing that a reader cannot reach."""

from __future__ import annotations

import json
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe

from ui.site.headers import HEADERS

PAGES = ("/", "/analyze", "/patients", "/learn", "/scoreboard", "/about")
LAPTOP = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
OPTIONS = {"resultTypes": ["violations"]}
NOT_OURS = {"exclude": [["[data-testid=stHeader]"], ["[data-testid=stSidebarNav]"]]}
"""Streamlit's own navigation: its lists break axe's rule for lists."""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("visit", [LAPTOP, PHONE], indirect=True, ids=["laptop", "phone"])
def test_a_page_is_readable_and_reachable(visit, site, path):
    visit.open(site + path, mask=path in ("/", "/analyze", "/patients"))
    visit.page.wait_for_timeout(500)
    assert visit.page.locator("[data-testid=stException]").count() == 0
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert visit.page.evaluate(sideways) <= 0
    found = Axe().run(visit.page, context=NOT_OURS, options=OPTIONS).response["violations"]
    serious = {
        each["id"]: [node["html"][:200] for node in each["nodes"]][:3]
        for each in found
        if each["impact"] in ("serious", "critical")
    }
    assert serious == {}


def test_every_answer_keeps_the_browser_at_home_and_operators_informed(visit, site):
    visit.open(site)  # warm from here on
    with urllib.request.urlopen(site + "/health") as answer:
        assert json.load(answer)["engine"] == "warm"
    for path in ("/", "/health", "/_stcore/health"):
        with urllib.request.urlopen(site + path) as answer:
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
