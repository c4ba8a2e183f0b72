"""What opening a patient's files tells: tumor in slices and pixels, a thumbnail, what is wrong."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from btmodels.dataset import cohort, thumbnails
from btmodels.slices import Slice, largest_lesion_slice
from btmodels.visualize.overlay import TRUTH_COLOR

ANNA = "TCGA_AA_0001_20010203"


def write(root, number: int, marked: int | None, size: int = 8) -> None:
    folder = root / "kaggle_3m" / ANNA
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size, size, 3), 10 * number, np.uint8)
    tifffile.imwrite(folder / f"{ANNA}_{number}.tif", pixels, photometric="rgb")
    if marked is not None:
        mask = np.zeros(size * size, np.uint8)
        mask[:marked] = 255
        tifffile.imwrite(folder / f"{ANNA}_{number}_mask.tif", mask.reshape(size, size))


def previewed(root) -> thumbnails.PatientPreview:
    return thumbnails.preview(cohort.read_cohort(root)[0])


def test_slices_and_pixels_with_tumor_are_counted(tmp_path):
    for number, marked in ((1, 0), (2, 5), (3, 7)):
        write(tmp_path, number, marked)
    found = previewed(tmp_path)
    assert (found.tumor_slices, found.tumor_pixels, found.problems) == (2, 12, ())


def test_without_any_mask_nothing_is_claimed(tmp_path):
    write(tmp_path, 1, None)
    found = previewed(tmp_path)
    assert found.tumor_slices is None and found.tumor_pixels is None
    assert found.problems == (f"Slice 1 of {ANNA} has no mask.",)
    assert found.thumbnail is not None


def test_a_broken_file_and_another_size_are_named_and_the_rest_is_counted(tmp_path):
    write(tmp_path, 1, 3)
    write(tmp_path, 2, 4, size=9)
    write(tmp_path, 3, 5)
    (tmp_path / "kaggle_3m" / ANNA / f"{ANNA}_3.tif").write_bytes(b"II*\0 and then nothing")
    found = previewed(tmp_path)
    assert (found.tumor_slices, found.tumor_pixels) == (2, 7)
    assert len(found.problems) == 2
    assert f"{ANNA}_3.tif" in found.problems[0] and "differ in size" in found.problems[1]


def test_a_folder_of_garbage_has_no_thumbnail(tmp_path):
    write(tmp_path, 1, None)
    (tmp_path / "kaggle_3m" / ANNA / f"{ANNA}_1.tif").write_bytes(b"")
    found = previewed(tmp_path)
    assert found.thumbnail is None and found.tumor_pixels is None


@pytest.mark.parametrize(
    ("marked", "largest"), [((0, 4, 2), 1), ((0, 0, 0), 1), ((None, None, 1), 2)]
)
def test_the_slice_with_the_largest_lesion_is_found(marked, largest):
    pixels = np.zeros((3, 3, 3), np.uint8)
    slices = tuple(
        Slice("x", pixels, None if m is None else np.arange(9).reshape(3, 3) < m) for m in marked
    )
    assert largest_lesion_slice(slices) == largest


def test_a_thumbnail_fits_its_box_and_outlines_the_truth():
    pixels = np.full((144, 288, 3), 50, np.uint8)
    truth = np.zeros((144, 288), bool)
    truth[40:80, 100:180] = True
    data = thumbnails.thumbnail(Slice("x", pixels, truth))
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    assert picture.shape == (36, 72, 3)
    border, inside, outside = picture[10, 35], picture[15, 35], picture[2, 2]
    assert np.abs(border - TRUTH_COLOR).max() < 60
    assert np.abs(inside - 50).max() < 20 and np.abs(outside - 50).max() < 20


def wait_for(queue, patients):
    end = time.monotonic() + 60
    while len(found := queue.request(patients)) < len(patients):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_previews_are_made_elsewhere_and_once(tmp_path):
    write(tmp_path, 1, 3)
    (tmp_path / "kaggle_3m" / "TCGA_BB_0002_20040506").mkdir()
    patients = cohort.read_cohort(tmp_path)
    queue = thumbnails.ThumbnailQueue()
    begun = time.monotonic()
    assert queue.request(patients) == {}
    assert time.monotonic() - begun < 0.5
    found = wait_for(queue, patients)
    assert found[ANNA].tumor_pixels == 3
    assert found["TCGA_BB_0002_20040506"].problems == ("TCGA_BB_0002_20040506 has no slice.",)
    assert queue.request(patients)[ANNA] is found[ANNA]
    write(tmp_path, 2, 4)
    assert wait_for(queue, cohort.read_cohort(tmp_path))[ANNA].tumor_pixels == 7


def test_a_folder_that_breaks_the_reader_is_named(tmp_path, monkeypatch):
    write(tmp_path, 1, 3)
    patients = cohort.read_cohort(tmp_path)
    monkeypatch.setattr(thumbnails, "SECONDS", 1e-4)
    found = wait_for(thumbnails.ThumbnailQueue(), patients)
    assert found[ANNA].thumbnail is None
    assert ANNA in found[ANNA].problems[0] and "given up" in found[ANNA].problems[0]


@pytest.mark.parametrize("failures", [1, 100])
def test_an_unexpected_error_costs_no_other_patient_its_preview(tmp_path, monkeypatch, failures):
    write(tmp_path, 1, 3)
    (tmp_path / "kaggle_3m" / "TCGA_BB_0002_20040506").mkdir()
    patients = cohort.read_cohort(tmp_path)
    left, run = [failures], thumbnails.Reader.run

    def fails_at_first(self, name, function, *args):
        if name == ANNA and left[0]:
            left[0] -= 1
            raise OSError("no memory for a process")
        return run(self, name, function, *args)

    monkeypatch.setattr(thumbnails.Reader, "run", fails_at_first)
    found = wait_for(thumbnails.ThumbnailQueue(), patients)
    assert found["TCGA_BB_0002_20040506"].problems == ("TCGA_BB_0002_20040506 has no slice.",)
    if failures == 1:
        assert found[ANNA].tumor_pixels == 3
    else:
        assert found[ANNA].problems == (f"The files of {ANNA} could not be read.",)
