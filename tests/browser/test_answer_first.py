"""After any upload the answer, the verdict, the measure and the picture are in view, and show tumor."""

from __future__ import annotations

import gzip
import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from btmodels.dataset import cohort
from btmodels.visualize.window import apply_window, auto_windows
from tests.browser.test_journeys import forget, sample, upload
from tests.btmodels.scanner import nifti, series

SIZES = ((1280, 720), (1440, 900), (390, 844))
PLACES = ("answer", "verdict", "measure", "picture")
LOADED = """performance.getEntriesByType("resource").map((each) => each.name)
    .filter((name) => name.includes("/static/js/"))"""
"""Scripts of Streamlit that the page has loaded."""
AFFINE = np.diag([-0.9, -0.9, 5.0, 1.0])


def studies() -> dict[str, list[tuple[str, bytes]]]:
    """One patient in each form in which people bring one; the middle slice shows no tumor."""
    patient, largest = sample()
    at = patient.files.index(largest)
    files = [*patient.files[:6], *patient.files[at : at + 2]]
    pixels = np.stack([cohort.read_slice(patient, each).pixels for each in files])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as folder:
        for each in files:
            for file in (each.image, each.mask):
                folder.writestr(f"{patient.folder}/{file.name}", file.read_bytes())
    flair = io.BytesIO()
    Image.fromarray(pixels[-2][..., 1]).save(flair, "PNG")
    along = pixels.transpose(2, 1, 0, 3)
    return {
        "a TIFF with its mask": [
            ("x.tif", largest.image.read_bytes()),
            ("x_mask.tif", largest.mask.read_bytes()),
        ],
        "a FLAIR PNG": [("flair.png", flair.getvalue())],
        "a folder with masks in a zip": [("patient.zip", packed.getvalue())],
        "three NIfTI": [
            (f"case_{name}.nii.gz", gzip.compress(nifti(along[..., channel].copy(), AFFINE)))
            for name, channel in {"t1": 0, "flair": 1, "t1ce": 2}.items()
        ],
        "a DICOM series": list(series(pixels[..., 1], SeriesDescription="AX FLAIR").items()),
    }


def in_view(page, key: str) -> str:
    """Return "" where a place of the page is in view, else where it is."""
    box = page.locator(f".st-key-{key}").bounding_box()
    window = page.viewport_size
    if key == "picture":
        box = page.locator(".frame").bounding_box()
    bottom, right = box["y"] + box["height"], box["x"] + box["width"]
    fits = box["y"] >= 0 and bottom <= window["height"] and right <= window["width"] + 1
    return "" if fits else f"{key} at {window}: {box}"


@pytest.mark.parametrize("visit", [{"viewport": {"width": 1280, "height": 720}}], indirect=True)
def test_what_a_visitor_sees_first_is_the_answer(visit, site):
    page = visit.page
    asked: set[str] = set()
    visit.open(f"{site}/analyze?source=files", mask=False)
    for kind, files in studies().items():
        page.wait_for_selector("input[type=file]", state="attached")
        if not asked:  # the scripts of the elements that will show the answer are already there
            page.wait_for_function(f"{LOADED}.some((each) => each.includes('DataFrame'))")
            visit.rest()
        before = page.evaluate(LOADED)
        upload(visit, *files)
        visit.wait_for_mask()
        page.get_by_text(re.compile("^Tumor marked in (this slice|[1-8] of 8 slices),")).wait_for()
        visit.rest()
        asked |= {*page.evaluate(LOADED)} - {*before}
        assert visit.drawn()[..., 3].any(), f"{kind}: the slice shown has tumor"
        picture = kind in ("a TIFF with its mask", "a FLAIR PNG")
        basis = "From this slice alone, the" if picture else "Counting the neighboring slices, the"
        page.locator(".st-key-verdict").get_by_text(basis).wait_for()
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(250)
            assert [words for key in PLACES if (words := in_view(page, key))] == [], kind
            for control in page.locator(".st-key-controls > *").all():
                box = control.bounding_box()
                assert 0 <= box["x"] and box["x"] + box["width"] <= width, (kind, width)
        page.set_viewport_size({"width": 1280, "height": 720})
        page.wait_for_timeout(250)
        assert page.locator(".areas").is_hidden() == picture
        three = page.get_by_role("radio", name="Three planes")
        scale = page.locator(".frame .scale")
        if kind == "three NIfTI":
            letters = page.locator(".frame .mark").all_inner_texts()
            assert sorted(letters) == ["A", "L", "P", "R"]
            assert scale.inner_text() == "5 cm"
            three_planes_meet(visit)
        elif kind == "a folder with masks in a zip":
            assert scale.is_hidden()
            assert three.is_disabled()
            page.get_by_text("which these files do not state.").wait_for()
        forget(visit)
        visit.rest()
    assert not asked


def three_planes_meet(visit) -> None:
    """The planes are those of the volume, and pointing in one moves the others and the slice."""
    page = visit.page
    page.get_by_role("radio", name="Three planes").check()
    visit.view("planes=1")
    axial = page.locator(".frame .stage")
    slot, row, col = map(int, axial.get_attribute("data-cross").split("-"))
    volume = shown_volume()
    assert np.unique(volume[-1]).size > 50  # and no plane is black for want of slices
    coronal, sagittal = (f".plane.{name}" for name in ("coronal", "sagittal"))
    looks_like(visit, coronal, volume[::-1, row])
    looks_like(visit, sagittal, volume[::-1, :, col])
    assert visit.drawn("mask", coronal)[len(volume) - 1 - slot, col, 3]  # the middle of the tumor
    letters = page.locator(coronal).locator(".mark").all_inner_texts()
    assert sorted(letters) == ["I", "L", "R", "S"]
    box = page.locator(coronal).locator(".stage").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(0.9 * volume.shape[2] / 40, rel=0.01)

    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.9 * box["height"])
    page.mouse.down()
    page.mouse.up()
    there = f"0-{row}-{volume.shape[2] // 4}"
    page.wait_for_selector(f'.frame .stage[data-cross="{there}"]')
    assert page.locator("input[name=slice]").input_value() == "0"
    looks_like(visit, sagittal, volume[::-1, :, volume.shape[2] // 4])
    page.locator(sagittal).focus()
    for key in ("ArrowUp", "ArrowRight", "PageDown"):
        page.keyboard.press(key)
    moved = f"1-{row + 1}-{volume.shape[2] // 4 + 1}"
    page.wait_for_selector(f'.frame .stage[data-cross="{moved}"]')
    page.get_by_role("radio", name="Axial", exact=True).check()
    page.locator(coronal).wait_for(state="hidden")


def shown_volume() -> np.ndarray:
    """FLAIR of the three NIfTI as the viewer shows it, uint8, (slices, rows, cols)."""
    patient, largest = sample()
    at = patient.files.index(largest)
    files = [*patient.files[:6], *patient.files[at : at + 2]]
    pixels = [cohort.read_slice(patient, each).pixels for each in files]
    return apply_window(np.stack(pixels)[..., 1], auto_windows(pixels)[1])


def looks_like(visit, plane: str, expected: np.ndarray) -> None:
    """Wait until a plane shows what is expected, to one level of 255."""
    for _ in range(20):
        shown = visit.drawn("image", plane)[..., 0].astype(int)
        if shown.shape == expected.shape and np.abs(shown - expected).max() <= 1:
            return
        visit.page.wait_for_timeout(100)
    raise AssertionError(f"{plane} shows something else")


def _wait_for_page(visit, name: str) -> None:
    # The address comes first; on a busy machine the page of before is still on screen, and at rest.
    marks = {"Patients": ".gallery li", "Scoreboard": "h1", "Analyze": ".st-key-verdict"}
    visit.page.wait_for_selector(marks[name], state="attached")
    visit.rest()


def test_back_leaves_a_page_with_one_press_and_finds_the_files_again(visit, site):
    page = visit.page
    patient, largest = sample()
    visit.open(f"{site}/analyze?source=files", mask=False)
    page.wait_for_selector("input[type=file]", state="attached")
    files = {"x.tif": largest, "y.tif": patient.files[0]}
    upload(visit, *((name, file.image.read_bytes()) for name, file in files.items()))
    visit.wait_for_mask("x.tif")
    page.locator("input[name=slice]").focus()
    page.keyboard.press("End")
    visit.wait_for_mask("y.tif")
    for name in ("Patients", "Scoreboard"):
        page.get_by_role("link", name=name).first.click()
        page.wait_for_url(re.compile(name.lower()))
        _wait_for_page(visit, name)
    for name in ("Patients", "Analyze"):
        page.go_back()
        page.wait_for_url(re.compile(name.lower()))
        _wait_for_page(visit, name)
    visit.wait_for_mask("y.tif")  # where the visitor had left them
    page.reload()
    page.get_by_text("The 2 files you uploaded are gone").wait_for()


@pytest.mark.parametrize("visit", [{"viewport": {"width": 1280, "height": 720}}], indirect=True)
def test_a_picture_of_a_sample_opens_it_in_the_same_tab(visit, site):
    page = visit.page
    visit.open(f"{site}/analyze?source=files", mask=False)
    picture = page.locator("[class*=st-key-thumbnail-] img").nth(1)
    picture.wait_for()
    box = picture.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**patient=SYNT_AA_0002**")
    assert len(page.context.pages) == 1


def test_window_and_level_are_set_by_dragging(visit, site):
    visit.open(f"{site}/analyze")
    before = visit.drawn("image")[..., 0].astype(int)
    box = visit.page.locator(".frame").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x, y - 60, steps=4)
    visit.page.wait_for_timeout(200)
    assert visit.drawn("image")[..., 0].astype(int).mean() > before.mean() + 20
    visit.page.mouse.up()
