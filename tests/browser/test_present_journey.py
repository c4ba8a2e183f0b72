"""Presenting in a real browser: the route plays through, by key alone, and comes back from its link."""

from __future__ import annotations

import pytest

from btmodels.dataset import cohort
from tests.browser.conftest import Visit
from ui.shared.content import sections

SIZE = {"viewport": {"width": 1280, "height": 720}}
STOPS = [(key.split("."), words) for key, words in sections("cards/route.md").items() if key]


def wait_for_stop(visit, number: int) -> None:
    """Wait until a stop of the usual route is on screen with its mask, and nothing else is."""
    (patient, slice_, *_), words = STOPS[number - 1]
    folder = next(
        p.folder for p in cohort.read_cohort(cohort.samples_root()) if p.folder.startswith(patient)
    )
    visit.wait_for_mask(f"{folder}_{slice_}.tif")
    visit.page.get_by_text(words).wait_for()
    visit.page.locator(".bar output", has_text=f"Stop {number} of {len(STOPS)}").wait_for()


@pytest.mark.parametrize("visit", [SIZE], indirect=True)
def test_the_route_plays_through_by_key(visit, site):
    visit.open(site)
    visit.page.get_by_text("Present five views").click()
    wait_for_stop(visit, 1)
    visit.rest()
    main = "document.querySelector('[data-testid=stMain]')"
    assert visit.page.evaluate(f"{main}.scrollHeight - {main}.clientHeight") <= 0  # it all fits
    assert visit.page.get_by_test_id("stHeader").is_hidden()
    assert visit.page.locator(".controls").is_hidden()
    for number, key in enumerate(("PageDown", "ArrowRight", "PageDown", "PageDown"), start=2):
        visit.page.keyboard.press(key)
        wait_for_stop(visit, number)
    visit.rest()
    assert visit.page.get_by_role("button", name="Next").is_disabled()
    assert visit.page.locator(".caption").count() == 1
    visit.page.keyboard.press("PageUp")
    wait_for_stop(visit, 4)
    visit.page.get_by_role("button", name="Reset").click()
    wait_for_stop(visit, 1)
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("button", name="Present", exact=True).wait_for()
    visit.wait_for_mask()
    assert "present" not in visit.page.url


@pytest.mark.parametrize("visit", [SIZE], indirect=True)
def test_two_quick_presses_are_two_stops(visit, site):
    visit.open(f"{site}/analyze?present=1")
    visit.page.keyboard.press("PageDown")
    visit.page.keyboard.press("PageDown")
    wait_for_stop(visit, 3)


@pytest.mark.parametrize("visit", [SIZE], indirect=True)
def test_the_view_on_screen_is_presented_alone(visit, site):
    visit.open(f"{site}/analyze?patient={STOPS[-1][0][0]}_20260101&slice=9")
    visit.page.keyboard.press("p")
    visit.page.locator(".bar:visible").wait_for()
    name = f"{STOPS[-1][0][0]}_20260101_9.tif"
    visit.wait_for_mask(name)
    visit.rest()
    visit.page.keyboard.press("ArrowDown")  # turns the slice, walks nowhere
    visit.wait_for_mask(name.replace("_9.", "_10."))
    assert "Before stop 1" in visit.page.locator(".bar:visible output").inner_text()
    visit.page.keyboard.press("PageDown")
    wait_for_stop(visit, 1)


def test_a_route_is_edited_and_kept_as_a_link(visit, site, browser):
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    visit.open(f"{site}/analyze?channel=post")
    page = visit.page
    name = page.locator(".stage").get_attribute("data-slice")
    page.get_by_text("Route for presenting").click()
    page.get_by_role("button", name="Stop 2").click()
    page.get_by_text("Move up").click()
    visit.rest()
    page.get_by_role("button", name="Stop 1").click()
    page.get_by_text("Show the view above here").click()
    visit.rest()
    page.get_by_label("Caption of stop 1").fill("The rim takes up contrast")
    page.keyboard.press("Enter")
    visit.rest()
    assert "The+rim+takes+up+contrast" in page.url
    assert "Nothing from outside" in page.locator(".panel:visible").inner_text()
    page.get_by_role("button", name="Copy link to this route").click()
    page.get_by_role("button", name="Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert len(link) < 800
    context = browser.new_context(**SIZE)
    elsewhere = Visit(context.new_page())
    elsewhere.open(link)
    elsewhere.wait_for_mask(name)
    elsewhere.page.get_by_text("The rim takes up contrast").wait_for()
    assert "Post-contrast" in elsewhere.page.locator(".stage").get_attribute("aria-label")
    elsewhere.page.keyboard.press("PageDown")
    elsewhere.page.get_by_text(STOPS[0][1]).wait_for()  # the first of the usual ones moved down
    context.close()
