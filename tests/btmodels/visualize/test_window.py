"""The automatic window: the head fills the range of the screen; air and fat are left out."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.dataset import cohort
from btmodels.slices import Slice
from btmodels.transforms.postprocess import head_mask
from btmodels.visualize.window import FULL, apply_window, auto_windows, shown_flair, windows_of


def a_head(brain: int, fat: int = 250) -> np.ndarray:
    """A round head of one gray, with a lesion half as bright again, in a bright rim of fat."""
    rows, cols = np.mgrid[:128, :128] - 64
    radius = np.hypot(rows, cols)
    pixels = np.zeros((128, 128), np.uint8)
    pixels[radius < 56] = fat
    pixels[radius < 52] = brain + (rows[radius < 52] + cols[radius < 52]) % 7
    pixels[np.hypot(rows - 10, cols) < 12] = brain * 3 // 2
    return np.repeat(pixels[..., None], 3, axis=2)


def test_a_dim_brain_becomes_bright_whatever_the_fat_around_it():
    pixels = a_head(30)
    low, high = auto_windows([pixels])[1]
    assert low >= 20 and high <= 46, "fat and air decide nothing"
    lesion = shown_flair(pixels)[74, 64]
    assert lesion == 255 and 0 < np.median(shown_flair(pixels)[head_mask(pixels)])


def test_real_gray_values_are_bright_enough_for_a_projector():
    for patient in cohort.read_cohort(cohort.samples_root())[:3]:
        slices, _ = cohort.read_slices(patient)
        middle = len(slices) // 2
        head = head_mask(slices[middle].pixels)
        shown = apply_window(slices[middle].pixels[..., 1], windows_of(slices)[middle][1])
        assert np.median(shown[head]) > 60


def test_slices_of_a_patient_share_a_window_and_pictures_have_their_own():
    slices = [Slice(f"{i}.tif", a_head(gray), patient="P") for i, gray in enumerate((30, 60))]
    shared = windows_of(slices)
    assert shared[0] == shared[1]
    loose = windows_of([Slice(each.name, each.pixels) for each in slices])
    assert loose[0] != loose[1]


@pytest.mark.parametrize("value", [0, 90])
def test_a_picture_of_one_value_is_shown_as_it_is(value):
    pixels = np.full((64, 64, 3), value, np.uint8)
    assert auto_windows([pixels]) == (FULL, FULL, FULL)
    assert (shown_flair(pixels) == value).all()


def test_values_beyond_the_window_are_cut_off():
    values = np.array([[0, 10, 50, 110, 200]], np.uint8)
    assert apply_window(values, (10, 110)).tolist() == [[0, 0, 102, 255, 255]]
    assert (apply_window(values, FULL) == values).all()
