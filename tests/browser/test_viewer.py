"""The viewer under hand and keyboard: slices, channels, layers, zoom, narrow screens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from btmodels.dataset import cohort
from btmodels.slices import Patient
from btmodels.visualize.window import apply_window, windows_of
from tests.browser.conftest import Visit

KNOWN = """
const root = [...document.querySelectorAll("*")].map((e) => e.shadowRoot)
  .find((r) => r?.querySelector(".frame"));
const stops = ".frame, .divider, button:not([hidden]), select, [type=range], [type=checkbox], :checked";
const nameOf = (e) => e.ariaLabel || e.closest("label")?.innerText.trim() || e.innerText.trim();
"""


def shown(visit) -> str:
    visit.page.wait_for_timeout(150)
    return visit.page.locator(".stage").first.get_attribute("data-slice")


def on_screen(patient: Patient, name: str) -> np.ndarray:
    """Return a slice's pixels as the screen shows them, each channel in the window of the study."""
    slices, _ = cohort.read_slices(patient)
    index = next(i for i, file in enumerate(patient.files) if file.image.name == name)
    windows = windows_of(slices)[index]
    channels = zip(np.moveaxis(slices[index].pixels, 2, 0), windows, strict=True)
    return np.stack([apply_window(values, window) for values, window in channels], axis=2)


def test_keys_and_wheel_turn_slices(visit, site):
    visit.open(f"{site}/analyze")
    files = cohort.read_cohort(cohort.samples_root())[0].files
    names = [file.image.name for file in files]
    frame = visit.page.locator(".frame")
    at = names.index(shown(visit))
    frame.focus()
    for key, step in (("ArrowDown", 1), ("ArrowRight", 1), ("PageDown", 1), ("ArrowUp", -1)):
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
    pixels = on_screen(patient, shown(visit))
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


def test_zoom_and_window_are_kept_in_the_address_and_reset(visit, site):
    visit.open(f"{site}/analyze")
    stage = visit.page.locator(".stage")
    width = stage.bounding_box()["width"]
    visit.page.get_by_role("button", name="Zoom in").click()
    assert stage.bounding_box()["width"] == pytest.approx(1.4 * width, rel=0.01)
    visit.view("zoom=140")
    frame = visit.page.locator(".frame")
    frame.focus()
    visit.page.keyboard.press("Shift+ArrowLeft")
    visit.view("x=")
    visit.drag("contrast", 0.6)
    visit.let_go()
    visit.view("contrast=")
    place, address = stage.bounding_box(), visit.page.url
    visit.open(address)
    assert stage.bounding_box() == pytest.approx(place, abs=4)
    frame.focus()
    visit.page.keyboard.press("0")
    assert stage.bounding_box()["width"] == pytest.approx(width)
    visit.page.get_by_role("button", name="Reset view").click()
    visit.page.wait_for_url(
        lambda url: not {"zoom", "x", "contrast"} & set(parse_qs(urlsplit(url).query))
    )


def test_no_control_tells_the_server_while_it_is_dragged(visit, site):
    visit.open(f"{site}/analyze?wipe=truth")
    for name, share in (("brightness", 0.7), ("contrast", 0.6), ("threshold", 0.8), ("slice", 0.7)):
        with told_after(visit, name):
            visit.drag(name, share)
    divider, stage = visit.page.locator(".divider"), visit.page.locator(".stage").first
    frame = visit.page.locator(".frame").bounding_box()
    middle = frame["y"] + frame["height"] / 2
    with told_after(visit, "the divider"):
        box = divider.bounding_box()
        visit.page.mouse.move(box["x"] + box["width"] / 2, middle)
        visit.page.mouse.down()
        visit.page.mouse.move(frame["x"] + 0.25 * frame["width"], middle, steps=8)
        assert divider.get_attribute("aria-valuenow") == "25"
        visit.page.mouse.up()
    with told_after(visit, "the picture"):
        visit.page.get_by_role("button", name="Zoom in").click()
        left = stage.bounding_box()["x"]
        visit.page.mouse.move(frame["x"] + 0.7 * frame["width"], middle + 40)
        visit.page.mouse.down()
        visit.page.mouse.move(frame["x"] + 0.7 * frame["width"] + 30, middle + 40, steps=5)
        assert stage.bounding_box()["x"] == pytest.approx(left + 30, abs=1)
        visit.page.mouse.up()


@contextmanager
def told_after(visit, what: str) -> Iterator[None]:
    """Fail if the server is told anything meanwhile, or nothing once the mouse is released."""
    seen = len(visit.frames)
    yield
    assert len(visit.frames) == seen, f"dragging {what} told the server"
    visit.let_go()
    end = time.monotonic() + 30
    while len(visit.frames) == seen:  # it is told once the control has rested for a moment
        assert time.monotonic() < end, f"releasing {what} told the server nothing"
        visit.page.wait_for_timeout(50)
    visit.rest()


def test_the_divider_parts_prediction_and_truth(visit, site):
    visit.open(f"{site}/analyze")
    page = visit.page
    assert page.locator(".divider").is_hidden()
    page.get_by_label("Compare with").select_option("truth")
    other = page.locator(".side.other")
    other.wait_for(state="attached")
    assert page.locator(".side").first.locator("path.line.prediction").get_attribute("d")
    assert not page.locator(".side").first.locator("path.line.truth").get_attribute("d")
    assert other.locator("path.line.truth").get_attribute("d")
    assert not other.locator("path.line.prediction").get_attribute("d")
    divider = page.get_by_role("slider", name="Divider")
    divider.focus()
    name, at = shown(visit), int(divider.get_attribute("aria-valuenow"))
    page.keyboard.press("ArrowRight")
    assert int(divider.get_attribute("aria-valuenow")) == pytest.approx(at + 2, abs=1)
    assert "right FLAIR with truth" in divider.get_attribute("aria-valuetext")
    page.keyboard.press("Home")
    assert divider.get_attribute("aria-valuenow") == "0" and shown(visit) == name
    visit.view("wipe=truth")
    page.get_by_label("Compare with").select_option("post")
    visit.view("wipe=post")
    patient = cohort.read_cohort(cohort.samples_root())[0]
    pixels = on_screen(patient, name)
    right = other.locator("canvas.image").evaluate(
        "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    assert np.array_equal(np.reshape(right, (*pixels.shape[:2], 4))[..., 0], pixels[..., 2])


def test_grad_cam_follows_when_it_is_asked_for(visit, site):
    visit.open(f"{site}/analyze")
    page = visit.page
    assert not visit.drawn("heat")[..., 3].any() and page.locator(".legend.of-heat").is_hidden()
    page.get_by_role("checkbox", name="Grad-CAM").check()
    page.locator(".legend.of-heat").wait_for()
    visit.rest()
    assert visit.drawn("heat")[..., 3].any()
    assert "gradcam" in page.url
    words = page.locator("[data-testid=stMain]").inner_text()
    assert "need not be where the tumor is" in words


def test_the_probability_map_is_a_layer_with_a_legend(visit, site):
    visit.open(f"{site}/analyze?layers=prediction")
    page = visit.page
    assert page.locator(".legend.of-map").is_hidden() and not visit.drawn("map")[..., 3].any()
    marked = visit.drawn()[..., 3] > 0
    page.get_by_role("checkbox", name="Probability map").check()
    visit.view("layers=prediction%2Cprobability")
    colors = visit.drawn("map")
    # Opaque where tumor is marked; where it is hardly probable, hardly there.
    assert (colors[marked][:, 3] == 255).all() and colors[0, 0, 3] < 26
    # Where the mask is, the color is at least that of the threshold: green rises all the way.
    ramp = page.locator(".of-map canvas").evaluate(
        "(c) => [...c.getContext('2d').getImageData(0, 0, 256, 1).data]"
    )
    threshold = float(page.locator("input[name=threshold]").input_value())
    green = np.reshape(ramp, (256, 4))[:, 1]
    assert colors[marked][:, 1].min() >= green[int(threshold * 255)] - 1
    assert (np.diff(green) >= 0).all()
    words = page.locator(".legend.of-map").inner_text()
    assert "0%" in words and "100%" in words
    assert not visit.drawn()[..., 3].any()  # the fill gives way, the border stays
    assert page.locator("path.line.prediction").get_attribute("d")


@pytest.mark.parametrize(
    "visit", [{"has_touch": True, "viewport": {"width": 390, "height": 844}}], indirect=True
)
def test_fingers_turn_slices_and_zoom(visit, site):
    visit.open(f"{site}/analyze")
    names = [f.image.name for f in cohort.read_cohort(cohort.samples_root())[0].files]
    frame = visit.page.locator(".frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = visit.page.context.new_cdp_session(visit.page)

    def touch(kind: str, *points: float) -> None:
        found = [{"x": x + dx, "y": y, "id": i} for i, dx in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": found})

    at = names.index(shown(visit))
    touch("Start", 60)
    for dx in range(55, -6, -5):
        touch("Move", dx)
    touch("End")
    assert shown(visit) == names[at + 2]
    width = visit.page.locator(".stage").bounding_box()["width"]
    touch("Start", -40, 40)
    for spread in range(45, 85, 5):
        touch("Move", -spread, spread)
    touch("End")
    assert visit.page.locator(".stage").bounding_box()["width"] > 1.5 * width


def test_the_keyboard_alone_reaches_every_control(visit, site):
    visit.open(f"{site}/analyze?wipe=plain")
    page = visit.page
    page.locator(".frame").focus()
    wanted = ask(page, "[...root.querySelectorAll(stops)].map(nameOf)")
    reached = []
    for _ in range(len(wanted) + 12):
        reached.append(ask(page, "root.activeElement && nameOf(root.activeElement)"))
        page.keyboard.press("Tab")
    assert len(wanted) > 15 and not set(wanted) - set(reached)
    assert all(wanted), "a control has no name"
    page.get_by_role("radio", name="FLAIR", exact=True).focus()
    page.keyboard.press("ArrowRight")
    visit.view("channel=pre")
    page.get_by_role("checkbox", name="Head").focus()
    page.keyboard.press("Space")
    visit.view("layers=prediction%2Ctruth%2Chead")


def ask(page, expression: str):
    """Evaluate JavaScript that knows the viewer's ``root``, its ``stops`` for Tab and ``nameOf``."""
    return page.evaluate(f"() => {{{KNOWN} return {expression}}}")


def test_a_copied_link_opens_the_same_view_elsewhere(visit, site, browser):
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    visit.open(f"{site}/analyze")
    visit.page.get_by_role("radio", name="Post-contrast").check()
    visit.page.get_by_role("radio", name="Outline").check()
    visit.page.get_by_label("Compare with").select_option("plain")
    visit.page.locator("input[name=threshold]").fill("0.3")
    visit.page.locator(".frame").focus()
    visit.page.keyboard.press("PageDown")
    name, marked = shown(visit), visit.number("marked")
    visit.page.get_by_role("button", name="Copy link to this view").click()
    visit.page.get_by_role("button", name="Copied").wait_for()
    link = visit.page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{site}/analyze?") and len(link) < 250
    context = browser.new_context()
    elsewhere = Visit(context.new_page())
    elsewhere.open(link)
    assert (shown(elsewhere), elsewhere.number("marked")) == (name, marked)
    assert elsewhere.page.get_by_role("radio", name="Post-contrast").is_checked()
    assert elsewhere.page.get_by_role("radio", name="Outline").is_checked()
    assert elsewhere.page.get_by_label("Compare with").input_value() == "plain"
    context.close()


def test_a_link_that_cannot_be_copied_is_shown(visit, site):
    visit.page.add_init_script("navigator.clipboard.writeText = () => Promise.reject()")
    visit.open(f"{site}/analyze")
    visit.page.get_by_role("button", name="Copy link to this view").click()
    field = visit.page.locator("input[name=link]")
    field.wait_for()
    assert "/analyze?patient=" in field.input_value()
    assert field.evaluate("(field) => field.selectionEnd - field.selectionStart") > 20


def test_a_screen_reader_hears_slice_and_layers(visit, site):
    visit.open(f"{site}/analyze?layers=prediction,head&channel=pre")
    visit.page.locator(".frame").focus()
    visit.page.keyboard.press("End")
    visit.page.wait_for_timeout(1000)
    words = visit.page.locator(".viewer [role=status]").text_content()
    count = len(cohort.read_cohort(cohort.samples_root())[0].files)
    assert f"Slice {count} of {count}" in words
    assert "Pre-contrast with prediction and head" in words and "px marked" in words


def test_a_link_that_makes_no_sense_gets_sentences(visit, site):
    visit.open(f"{site}/analyze?patient=nobody&channel=T2&layers=saliency&wipe=x&present=perhaps")
    words = " ".join(visit.page.locator("[data-testid=stAlert]").all_inner_texts())
    for word in ("nobody", "T2", "saliency", "wipe “x”", "perhaps"):
        assert word in words


@pytest.mark.parametrize(
    "visit",
    [{"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}],
    indirect=True,
)
@pytest.mark.parametrize("path", ["/", "/analyze", "/about"])
def test_a_phone_shows_pages_without_sideways_scrolling(visit, site, path):
    visit.open(site + path, mask=path != "/about")
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
