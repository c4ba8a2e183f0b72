"""Presenting in a real browser: the route plays through, by key alone, and comes back from its link."""

from __future__ import annotations

import pytest

from btmodels import registry
from btmodels.dataset import cohort
from tests.browser.conftest import Visit
from ui.shared.content import sections

SIZE = {"viewport": {"width": 1280, "height": 720}}
PROJECTOR = {"viewport": {"width": 1920, "height": 1080}}
STOPS = [(key.split("."), words) for key, words in sections("cards/route.md").items() if key]
LAST = len(STOPS)


def wait_for_stop(visit, number: int) -> None:
    """Wait until a stop of the usual route is on screen with its mask, and nothing else is."""
    (patient, *view), words = STOPS[number - 1]
    if view and not view[-1].startswith("v"):
        cohort_ = cohort.read_cohort(cohort.samples_root())
        folder = next(p.folder for p in cohort_ if p.folder.startswith(patient))
        visit.wait_for_mask(f"{folder}_{view[0]}.tif")
    visit.page.get_by_role("heading", name=words).wait_for()
    visit.page.locator(".bar output", has_text=f"Stop {number} of {len(STOPS)}").wait_for()


def pixels(visit, selector: str) -> float:
    """Return the size of a text's letters."""
    script = "(element) => parseFloat(getComputedStyle(element).fontSize)"
    return visit.page.locator(selector).first.evaluate(script)


@pytest.mark.parametrize("visit", [SIZE, PROJECTOR], indirect=True, ids=["720", "1080"])
def test_the_route_plays_through_by_key(visit, site):
    visit.open(site)
    visit.page.get_by_role("link", name="Show me").first.click()
    wait_for_stop(visit, 1)
    visit.rest()
    assert visit.page.get_by_test_id("stHeader").is_hidden()
    assert visit.page.locator(".controls").is_hidden()
    assert visit.page.get_by_test_id("stMetric").count() == 0  # the first stop asks
    main = "document.querySelector('[data-testid=stMain]')"
    seen = [1]
    for key in ("PageDown", "ArrowRight", " ", *["PageDown"] * 5):
        asked = STOPS[seen[-1] - 1][0][-1] == "q1" and seen.count(seen[-1]) == 1
        visit.page.keyboard.press(key)
        seen.append(seen[-1] + (not asked))
        wait_for_stop(visit, seen[-1])
        visit.rest()
        # Waited for: on a busy machine the stop before may still be on its way out.
        visit.page.wait_for_function(f"{main}.scrollHeight <= {main}.clientHeight")
        for chart in visit.page.get_by_test_id("stPlotlyChart").all():  # nothing of it is cut off
            inner, outer = chart.locator(".main-svg").first.bounding_box(), chart.bounding_box()
            assert all(abs(inner[side] - outer[side]) < 2 for side in inner), seen
    assert seen == [1, 1, 2, 3, 4, 5, 5, 6, 7] and seen[-1] == LAST
    assert visit.page.get_by_role("button", name="Next").is_disabled()
    visit.page.keyboard.press("PageUp")
    wait_for_stop(visit, LAST - 1)
    visit.page.get_by_role("button", name="Start over").click()
    wait_for_stop(visit, 1)
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("button", name="Present", exact=True).wait_for()
    visit.wait_for_mask()
    assert "present" not in visit.page.url


@pytest.mark.parametrize("visit", [PROJECTOR], indirect=True)
def test_letters_can_be_read_from_the_last_row(visit, site):
    visit.open(f"{site}/analyze?present=1&stop=1&answer=1")
    visit.page.get_by_test_id("stMetric").first.wait_for()
    assert pixels(visit, "[data-testid=stHeading] h3") >= 40
    assert pixels(visit, "[data-testid=stMetricDelta]") >= 28
    frame = visit.page.locator(".frame").bounding_box()
    assert frame["height"] >= 0.8 * PROJECTOR["viewport"]["height"]


@pytest.mark.parametrize("visit", [SIZE], indirect=True)
def test_keys_change_the_picture_and_blank_the_screen(visit, site):
    visit.open(f"{site}/analyze?present=1&stop=1&answer=1")
    page, stage = visit.page, visit.page.locator(".stage").first
    help_ = page.locator(".bar:visible .keys")
    assert "faded" not in help_.get_attribute("class")
    for key, word in (("m", "prediction"), ("t", "truth"), ("p", "probability map")):
        before = word in stage.get_attribute("aria-label")
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        assert (word in stage.get_attribute("aria-label")) is not before, key
    assert "faded" in help_.get_attribute("class")
    page.keyboard.press("m")
    page.keyboard.press("]")
    higher = registry.load_record("default").threshold + 0.05
    page.get_by_text(f"Threshold {higher:.2f}, set manually").wait_for()
    page.keyboard.press("c")
    page.locator(".bar time:visible", has_text="0:0").wait_for()
    page.keyboard.press("c")
    assert page.locator(".bar time:visible").count() == 0
    page.keyboard.press("b")
    assert page.locator(".blank:visible").count() == 1
    page.keyboard.press("PageDown")  # brings the picture back, and no more
    assert page.locator(".blank:visible").count() == 0
    wait_for_stop(visit, 1)


@pytest.mark.parametrize("visit", [SIZE], indirect=True)
def test_two_quick_presses_are_two_steps(visit, site):
    visit.open(f"{site}/analyze?present=1")
    visit.page.keyboard.press("PageDown")
    visit.page.keyboard.press("PageDown")
    wait_for_stop(visit, 2)


@pytest.mark.parametrize("visit", [SIZE], indirect=True)
def test_the_view_on_screen_is_presented_alone(visit, site):
    patient = f"{STOPS[0][0][0]}_20260101"
    visit.open(f"{site}/analyze?patient={patient}&slice=9")
    visit.page.keyboard.press("p")
    visit.page.locator(".bar:visible").wait_for()
    name = f"{patient}_9.tif"
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
    page.get_by_text("Replace with the view above").click()
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
