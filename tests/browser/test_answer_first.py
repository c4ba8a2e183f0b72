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
from tests.browser.test_journeys import forget, sample, upload
from tests.btmodels.scanner import nifti, series

SIZES = ((1280, 720), (1440, 900), (390, 844))
PLACES = ("answer", "verdict", "measure", "picture")
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
            folder.writestr(f"{patient.folder}/{each.image.name}", each.image.read_bytes())
    flair = io.BytesIO()
    Image.fromarray(pixels[-2][..., 1]).save(flair, "PNG")
    along = pixels.transpose(2, 1, 0, 3)
    return {
        "a TIFF with its mask": [
            ("x.tif", largest.image.read_bytes()),
            ("x_mask.tif", largest.mask.read_bytes()),
        ],
        "a FLAIR PNG": [("flair.png", flair.getvalue())],
        "a folder in a zip": [("patient.zip", packed.getvalue())],
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
    visit.open(f"{site}/analyze?source=files", mask=False)
    for kind, files in studies().items():
        page.wait_for_selector("input[type=file]", state="attached")
        upload(visit, *files)
        visit.wait_for_mask()
        page.get_by_text(re.compile("^Tumor marked in (this slice|[1-8] of 8 slices),")).wait_for()
        visit.rest()
        assert visit.drawn()[..., 3].any(), f"{kind}: the slice shown has tumor"
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(250)
            assert [words for key in PLACES if (words := in_view(page, key))] == [], kind
        page.set_viewport_size({"width": 1280, "height": 720})
        page.wait_for_timeout(250)
        forget(visit)
        visit.rest()


def test_back_leaves_a_page_with_one_press_and_finds_the_files_again(visit, site):
    page = visit.page
    _, largest = sample()
    visit.open(f"{site}/analyze?source=files", mask=False)
    page.wait_for_selector("input[type=file]", state="attached")
    upload(visit, ("x.tif", largest.image.read_bytes()))
    visit.wait_for_mask("x.tif")
    for name in ("Patients", "Scoreboard"):
        page.get_by_role("link", name=name).first.click()
        page.wait_for_url(re.compile(name.lower()))
        visit.rest()
    for name in ("patients", "analyze"):
        page.go_back()
        page.wait_for_url(re.compile(name))
        visit.rest()
    visit.wait_for_mask("x.tif")
    page.reload()
    page.get_by_text("The file you uploaded is gone").wait_for()


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
