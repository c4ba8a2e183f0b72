"""Every page opens with content, reports problems, and never claims too much."""

from __future__ import annotations

import re

import pytest
import streamlit.config

from tests import fakes
from tests.pages.conftest import words_of
from ui.analyze.results import NO_ANSWER
from ui.results import headline
from ui.shared.content import sections
from ui.shared.text import plain
from ui.surface import rotating_head

PAGES = ("overview", "analyze", "patients", "learn", "about")


@pytest.mark.parametrize("page", PAGES)
def test_pages_open_without_an_exception_and_say_what_they_are_not(open_page, page):
    app = open_page(page)
    assert not app.exception
    assert "Not a medical device" in words_of(app)
    assert len(app.title) == 1
    assert streamlit.config.get_option("runner.magicEnabled") is False


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "fake",
    [
        fakes.FakeEngine("off", "The networks are switched off here (BT_ENGINE=off)."),
        fakes.FakeEngine("failed", "The networks could not be started."),
        fakes.FakeEngine(fails=True),
    ],
    ids=["off", "failed", "silent"],
)
def test_pages_open_without_networks_and_say_why(open_page, page, fake):
    app = open_page(page, fake)
    assert not app.exception
    if page not in ("about", "learn"):
        assert (fake.message or "The networks did not answer.") in words_of(app)
    if page == "analyze":
        assert [title.value for title in app.title] == [plain(NO_ANSWER)]
    counted = {metric.label for metric in app.metric if "px" in str(metric.value)}
    assert counted <= {"True, all slices"}  # an expert's, not a network's


@pytest.mark.parametrize("page", ["overview", "analyze", "patients"])
def test_results_never_call_anyone_healthy(open_page, page):
    assert not re.search(r"\b(healthy|benign|diagnos\w+)\b", words_of(open_page(page)), re.I)


def test_overview_leads_on_to_pages_that_exist(open_page):
    app = open_page("overview")
    pages = [link.proto.page for link in app.get("page_link")]
    assert sorted(pages) == ["analyze", "analyze", "learn", "scoreboard"]


def test_overview_says_how_good_it_is_as_the_files_do(open_page):
    words = words_of(open_page("overview"))
    assert headline.short_sentence() and headline.short_sentence() in words


def test_overview_shows_verdict_and_marked_area(open_page):
    shown = {metric.label: str(metric.value) for metric in open_page("overview").metric}
    assert shown["Is there a tumor?"] in ("Yes", "No") and shown["Marked in this slice"].endswith(
        " px"
    )


def test_overview_shows_the_head_in_space(open_page, monkeypatch):
    monkeypatch.setattr(rotating_head, "FEWEST_SLICES", 2)
    components = open_page("overview").get("bidi_component")
    assert any("overview.head" in each.proto.id for each in components)


def test_the_navigation_lists_only_pages_that_exist():
    from pathlib import Path

    source = Path("streamlit_app.py").read_text(encoding="utf-8")
    for page in re.findall(r"st\.Page\(\s*\"([^\"]+)\"", source):
        assert Path(page).exists()


def test_about_leaves_out_no_section_of_its_text(open_page):
    headings = [heading for heading in sections("lessons/about.md") if heading]
    app = open_page("about")
    assert sorted(each.value for each in app.header) == sorted(headings)
    assert [tab.label for tab in app.tabs][-1] == "This installation"
