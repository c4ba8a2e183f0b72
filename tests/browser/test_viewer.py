"""The viewer under hand and keyboard: slices, channels, layers, zoom, narrow screens."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels import cohort


def shown(visit) -> str:
    visit.page.wait_for_timeout(150)
    return visit.page.locator(".stage").get_attribute("data-slice")


def test_keys_and_wheel_turn_slices(visit, site):
    visit.open(f"{site}/analyze")
    files = cohort.read_cohort(cohort.samples_root())[0].files
    names = [file.image.name for file in files]
    frame = visit.page.locator(".frame")
    at = names.index(shown(visit))
    frame.focus()
    for key, step in (("ArrowDown", 1), ("ArrowRight", 1), ("PageDown", 5), ("ArrowUp", -1)):
        visit.page.keyboard.press(key)
        at = max(0, min(len(names) - 1, at + step))
        assert shown(visit) == names[at], key
    visit.page.keyboard.press("Home")
    assert shown(visit) == names[0]
    frame.hover()
    visit.page.mouse.wheel(0, 100)
    assert shown(visit) == names[1]
    visit.page.wait_for_url(f"**slice={files[1].number}&**")


def test_channels_are_those_of_the_file(visit, site):
    visit.open(f"{site}/analyze")
    patient = cohort.read_cohort(cohort.samples_root())[0]
    file = next(f for f in patient.files if f.image.name == shown(visit))
    pixels = cohort.read_slice(patient, file).pixels
    for label, channels in (
        ("Pre-contrast", [0, 0, 0]),
        ("Post-contrast", [2, 2, 2]),
        ("Composite", [0, 1, 2]),
        ("FLAIR", [1, 1, 1]),
    ):
        visit.page.get_by_role("radio", name=label, exact=True).check()
        visit.page.wait_for_timeout(200)
        assert np.array_equal(visit.drawn("image")[..., :3], pixels[..., channels]), label


def test_layers_can_be_hidden_and_outlined(visit, site):
    visit.open(f"{site}/analyze")
    line = visit.page.locator("path.line.prediction")
    visit.page.get_by_role("radio", name="Outline", exact=True).check()
    visit.page.wait_for_timeout(200)
    assert not visit.drawn()[..., 3].any() and line.get_attribute("d")
    visit.page.get_by_role("checkbox", name="Prediction", exact=True).uncheck()
    visit.page.wait_for_timeout(200)
    assert not line.get_attribute("d")
    truth = visit.page.locator("path.line.truth")
    assert truth.get_attribute("d")
    styles = [
        path.evaluate("(path) => getComputedStyle(path).strokeDasharray") for path in (line, truth)
    ]
    assert styles[0] == "none" and styles[1] != "none"
    visit.page.wait_for_url("**layers=truth&**")


def test_zoom_stays_in_the_browser_and_resets(visit, site):
    visit.open(f"{site}/analyze")
    stage = visit.page.locator(".stage")
    width = stage.bounding_box()["width"]
    seen = len(visit.frames)
    visit.page.get_by_role("button", name="Zoom in").click()
    assert stage.bounding_box()["width"] > 1.3 * width
    visit.page.locator(".frame").focus()
    visit.page.keyboard.press("0")
    assert stage.bounding_box()["width"] == pytest.approx(width)
    assert len(visit.frames) == seen


@pytest.mark.parametrize(
    "visit",
    [{"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}],
    indirect=True,
)
@pytest.mark.parametrize("path", ["/", "/analyze", "/about"])
def test_a_phone_shows_pages_without_sideways_scrolling(visit, site, path):
    visit.open(site + path, mask=path != "/about")
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
