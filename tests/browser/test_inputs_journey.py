"""Files of scanners in a browser: a folder, a zip, a DICOM series, NIfTI volumes; manual orientation."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile

import cv2
import highdicom
import nibabel
import numpy as np
import pypdf
import pytest
import tifffile
from PIL import Image

from btmodels.dataset import cohort
from btmodels.slices import Turn
from btmodels.visualize.window import apply_window, auto_windows
from tests.browser.test_journeys import download, forget, sample, unfold, upload
from tests.btmodels.scanner import nifti, series

SEQUENCES = {"t1": 0, "flair": 1, "t1ce": 2}


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    """uint8, (slices, rows, cols, 3): the middle of the bundled patient."""
    patient, file = sample()
    at = patient.files.index(file)
    files = patient.files[at - 1 : at + 2]
    return np.stack([cohort.read_slice(patient, each).pixels for each in files])


def go_to_uploads(visit, site) -> None:
    visit.open(f"{site}/analyze?source=files", mask=False)
    visit.page.wait_for_selector("input[type=file]", state="attached")


def turn_to_the_middle(visit, name: str) -> None:
    """Turn to the second slice, wherever the stack has opened."""
    visit.wait_for_mask()
    visit.page.locator('input[name="slice"]').focus()
    visit.page.keyboard.press("Home")
    visit.page.keyboard.press("ArrowRight")
    visit.wait_for_mask(name)


def looks_like(visit, volume: np.ndarray, channel: int, turn: Turn | None = None) -> None:
    """The viewer shows the middle slice in the volume's automatic window, to one level of 255."""
    window = auto_windows(list(volume))[channel]
    expected = (turn or Turn()).apply(apply_window(volume[1][..., channel], window)).astype(int)
    assert np.abs(visit.drawn("image")[..., 0] - expected).max() <= 1


def test_a_folder_with_three_series_of_dicom(visit, site, volume, tmp_path):
    study = tmp_path / "study"
    for number, channel in enumerate((1, 0, 2)):
        folder = study / f"series{number}"
        folder.mkdir(parents=True)
        name = {0: "AX T1 PRE", 1: "AX FLAIR", 2: "AX T1 POST GAD"}[channel]
        uid = f"1.2.3.{number + 1}"
        files = series(volume[..., channel], SeriesDescription=name, SeriesInstanceUID=uid)
        for file, data in files.items():
            (folder / file).write_bytes(data)
    (study / "readme.txt").write_text("no slice")
    go_to_uploads(visit, site)
    visit.page.get_by_text("A folder", exact=True).click()
    visit.rest()
    visit.page.locator("input[webkitdirectory]").set_input_files(str(study))
    turn_to_the_middle(visit, "IM0001.dcm")
    visit.rest()
    looks_like(visit, volume, 1)
    words = visit.page.locator("[data-testid=stMain]").inner_text()
    assert "readme.txt" in words and "mm²" in words
    assert "missing" not in words
    visit.page.get_by_role("radio", name="Post-contrast", exact=True).check()
    visit.page.wait_for_timeout(200)
    looks_like(visit, volume, 2)


def read_back(visit, label: str) -> bytes:
    button = visit.page.get_by_role("button", name=label, exact=True)
    button.wait_for()
    with visit.page.expect_download() as started:
        button.click()
    with open(started.value.path(), "rb") as file:
        return file.read()


def test_every_file_to_keep_holds_the_mask_that_is_drawn(visit, site, volume):
    files = series(volume[..., 1], SeriesDescription="AX FLAIR", PixelSpacing=[0.5, 0.5])
    go_to_uploads(visit, site)
    upload(visit, *files.items())
    turn_to_the_middle(visit, "IM0001.dcm")
    visit.rest()
    visit.page.get_by_text("More downloads").click()
    drawn = visit.drawn()[..., 3] > 0
    assert drawn.any()
    picture = Image.open(io.BytesIO(read_back(visit, "Mask as PNG")))
    np.testing.assert_array_equal(np.asarray(picture), np.where(drawn, 255, 0))

    overlay = np.asarray(Image.open(io.BytesIO(read_back(visit, "Overlay"))).convert("RGB"))
    factor = overlay.shape[0] // drawn.shape[0]
    assert overlay.shape[:2] == tuple(factor * side for side in drawn.shape) and factor >= 4
    colored = (overlay != overlay[..., :1]).any(axis=2)
    near = (
        cv2.dilate(drawn.astype(np.uint8), np.ones((3, 3))).repeat(factor, 0).repeat(factor, 1) > 0
    )
    assert colored[drawn.repeat(factor, 0).repeat(factor, 1)].all() and not colored[~near].any()

    _, page, _ = pypdf.PdfReader(io.BytesIO(read_back(visit, "Report (PDF)"))).pages
    words = " ".join(page.extract_text().split())
    assert f"{np.count_nonzero(drawn):,} of {drawn.shape[0]} x {drawn.shape[1]} pixels" in words
    assert len(page.images) == 2

    packed = gzip.decompress(read_back(visit, "Masks as NIfTI"))
    image = nibabel.Nifti1Image.from_bytes(packed)
    assert image.header.get_zooms() == (0.5, 0.5, 4)
    np.testing.assert_array_equal(np.asarray(image.dataobj)[..., 1].T > 0, drawn)

    found = highdicom.seg.segread(io.BytesIO(read_back(visit, "Masks as DICOM-SEG")))
    uids = [f"1.2.3.4.{index + 1}" for index in range(len(volume))]
    masks = found.get_pixels_by_source_instance(uids)[..., 0]
    np.testing.assert_array_equal(masks[1] > 0, drawn)

    table = read_back(visit, "Figures as CSV").decode()
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["slice"] for row in rows] == [
        "IM0000.dcm",
        "IM0001.dcm",
        "IM0002.dcm",
        "all slices",
    ]
    assert int(rows[1]["marked_pixels"]) == np.count_nonzero(drawn)
    assert f"{float(rows[1]['square_mm']):,.0f} mm²" in visit.page.locator("main").inner_text()

    with zipfile.ZipFile(io.BytesIO(read_back(visit, "Everything as a zip"))) as everything:
        assert everything.testzip() is None
        mask = tifffile.imread(io.BytesIO(everything.read("masks/IM0001_mask.tif")))
        np.testing.assert_array_equal(mask > 0, drawn)
        assert {"AX_FLAIR_mask.nii.gz", "AX_FLAIR_seg.dcm"} <= set(everything.namelist())


def test_a_row_of_what_was_seen_leads_back(visit, site):
    _, file = sample()
    data = file.image.read_bytes()
    go_to_uploads(visit, site)
    upload(visit, ("a.tif", data), ("b.tif", data))
    visit.wait_for_mask("a.tif")
    visit.page.locator('input[name="slice"]').focus()
    visit.page.keyboard.press("ArrowRight")
    visit.wait_for_mask("b.tif")
    visit.page.get_by_text("Seen in this session: 2").click()
    table = visit.page.locator("[data-testid=stDataFrame]").first
    visit.page.wait_for_timeout(500)
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    # Rows are 35 pixels high below a head of the same; the last one was the first to be seen.
    visit.page.mouse.click(box["x"] + 18, box["y"] + 35 * 2.5)
    visit.wait_for_mask("a.tif")


def test_a_zip_of_a_patients_folder(visit, site):
    patient, file = sample()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for path in (file.image, file.mask):
            packed.writestr(f"{patient.folder}/{path.name}", path.read_bytes())
        packed.writestr("bad/broken.tif", b"broken")
    go_to_uploads(visit, site)
    upload(visit, ("patient.zip", buffer.getvalue()))
    visit.wait_for_mask(file.image.name)
    assert visit.number("dice") not in ("–", "")
    visit.page.locator(".st-key-remarks summary").click()
    visit.page.locator("[data-testid=stAlert]").first.wait_for()
    errors = visit.page.locator("[data-testid=stAlert]").all_inner_texts()
    assert any("broken.tif" in error for error in errors)


def test_three_nifti_volumes_are_turned_by_hand_and_masks_turned_back(visit, site, volume):
    affine = np.diag([-0.5, -0.5, 5, 1])
    own = volume.transpose(2, 1, 0, 3)
    files = [
        (f"case_{name}.nii.gz", gzip.compress(nifti(own[..., channel], affine)))
        for name, channel in SEQUENCES.items()
    ]
    go_to_uploads(visit, site)
    upload(visit, *files)
    turn_to_the_middle(visit, "case_flair_2")
    visit.rest()
    looks_like(visit, volume, 1)
    unfold(visit)
    visit.page.get_by_text("Sequences and orientation").click()
    visit.page.get_by_role("button", name="Turn right").click()
    visit.page.get_by_text("was turned manually").wait_for()
    visit.wait_for_mask("case_flair_2")
    visit.rest()
    looks_like(visit, volume, 1, Turn(1))
    mask = tifffile.imread(io.BytesIO(download(visit, "Mask"))) > 0
    np.testing.assert_array_equal(np.rot90(mask, -1), visit.drawn()[..., 3] > 0)
    forget(visit)
