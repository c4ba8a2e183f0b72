"""The Scoreboard in both themes, on a desk and on a phone."""

from __future__ import annotations

import pytest

from btmodels import registry
from ui.scoreboard import page

DESK = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
PROJECTOR = {"viewport": {"width": 1280, "height": 720}, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}


def drawn(visit) -> int:
    """Wait for the first figure, and count those that have come."""
    figures = visit.page.locator(".js-plotly-plot .main-svg")
    figures.first.wait_for(state="attached")
    visit.rest()
    return figures.count()


@pytest.mark.parametrize("visit", [DESK, PHONE], ids=["desk", "phone"], indirect=True)
def test_figures_are_drawn_within_the_page_and_the_address_follows(visit, site):
    visit.open(f"{site}/scoreboard", mask=False)
    assert drawn(visit)
    words = visit.page.locator("[data-testid=stMain]").inner_text()
    assert (
        "How good is it?" in words
        and "Where is the tumor?" in words
        and "belong to other weights" not in words
    )
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    own = registry.get("default").name
    assert visit.page.url.endswith(f"/scoreboard?tab=where&model={own}&subset=test")
    visit.page.get_by_text("Synthetic", exact=True).click()
    visit.page.wait_for_url(f"**/scoreboard?tab=where&model={own}&subset=samples")
    assert drawn(visit)
    for title, word in (("Is there one?", "detection"), ("Published", "published")):
        visit.page.get_by_role("tab", name=title).click()
        visit.page.wait_for_url(f"**/scoreboard?tab={word}&**")
        visit.rest()
    assert "Human readers" in visit.page.locator("[data-testid=stMain]").inner_text()


@pytest.mark.parametrize("visit", [PROJECTOR], indirect=True)
def test_the_answer_is_in_the_first_screenful(visit, site):
    visit.open(f"{site}/scoreboard", mask=False)
    box = visit.page.locator(".st-key-headline").bounding_box()
    assert box["y"] + box["height"] < PROJECTOR["viewport"]["height"] * 0.6


@pytest.mark.parametrize("visit", [PROJECTOR], indirect=True)
@pytest.mark.parametrize("tab", page.TABS)
def test_a_tab_is_at_most_three_screens_long(visit, site, tab):
    visit.open(f"{site}/scoreboard?tab={tab}", mask=False)
    script = "document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
    assert visit.page.evaluate(script) <= 3 * PROJECTOR["viewport"]["height"]


def test_a_link_opens_a_network_and_a_group_of_patients(visit, site):
    judge = registry.get("default-classifier").name
    visit.open(f"{site}/scoreboard?model={judge}&subset=validation", mask=False)
    assert drawn(visit)
    words = visit.page.locator("[data-testid=stMain]").inner_text()
    assert "Verdict and second opinion" in words and "slightly optimistic" in words


def test_altered_weights_have_no_scores(visit, altered_site):
    visit.open(f"{altered_site}/scoreboard?model={registry.get('default').name}", mask=False)
    visit.page.get_by_text("has been altered").first.wait_for()
    visit.rest()
    assert visit.page.locator("[data-testid=stMetric]").count() == 0
