"""Patients in a real browser: choose one, and have the gallery and the chart turn the viewer."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import TimeoutError as TooLate

from btmodels.dataset import cohort

PATIENT = cohort.read_cohort(cohort.samples_root())[2]


def test_gallery_and_chart_turn_the_viewer(visit, site):
    page = visit.page
    visit.open(f"{site}/patients?patient={PATIENT.folder}")
    cells = page.locator(".gallery button")
    # All slices are segmented, each with its outlines.
    cells.nth(len(PATIENT.files) - 1).and_(page.locator("[data-mask=drawn]")).wait_for()
    assert cells.count() == len(PATIENT.files)
    here = page.locator(".gallery button[aria-current]")
    name = page.locator(".stage").get_attribute("data-slice")
    number = re.search(r"_(\d+)\.tif", name)[1]
    assert here.locator(".name").inner_text() == number

    cells.nth(1).click()
    visit.wait_for_mask(PATIENT.files[1].image.name)
    page.wait_for_url(re.compile(rf"slice={PATIENT.files[1].number}\b"))
    visit.rest()

    # By keyboard: an arrow to the next picture, Enter to show it, and the mark follows.
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    visit.wait_for_mask(PATIENT.files[2].image.name)
    assert here.locator(".name").inner_text() == str(PATIENT.files[2].number)
    visit.rest()

    point = page.locator(".js-plotly-plot .scatterlayer .trace").last.locator(".point").nth(6)
    # A redrawn chart has new points: look the place up in one step, then click there.
    place = """(point) => { point.scrollIntoView({block: "center", behavior: "instant"});
        const box = point.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]; }"""
    point.evaluate(place)
    visit.rest()
    page.mouse.click(*point.evaluate(place))
    visit.wait_for_mask(PATIENT.files[6].image.name)


def test_a_row_of_the_table_leads_to_its_patient(visit, site):
    first, second, third = cohort.read_cohort(cohort.samples_root())[:3]
    # A shared link has its patient's picture on the first screen of a projector.
    visit.page.set_viewport_size({"width": 1280, "height": 720})
    visit.open(f"{site}/patients?patient={third.folder}")
    box = visit.page.locator(".frame").bounding_box()
    assert box["y"] > 0 and box["y"] + box["height"] <= 720
    visit.page.set_viewport_size({"width": 1440, "height": 1100})
    visit.open(f"{site}/patients")
    assert f"patient={first.folder}" in visit.page.url
    visit.page.get_by_text("Choose from all").click()
    for _ in range(5):  # the table is a canvas, which moves until the page is at rest
        table = visit.page.locator("[data-testid=stDataFrame]").bounding_box()
        visit.page.mouse.click(table["x"] + 18, table["y"] + 35 + 44 + 22)  # the second row's mark
        with suppress(TooLate):
            visit.page.wait_for_url(re.compile(f"patient={second.folder}"), timeout=6000)
            break
    visit.page.wait_for_selector(f'.stage[data-mask="drawn"][data-slice^="{second.folder}"]')
