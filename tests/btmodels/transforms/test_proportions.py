import numpy as np
import pytest

from btmodels.transforms.preprocess import fit_to
from btmodels.transforms.proportions import MOST_SIDE, in_proportion, square_shape, to_own_pixels


def slice_of_disks(rows=120, cols=120) -> np.ndarray:
    row, col = np.mgrid[:rows, :cols]
    disk = (row - 60) ** 2 + (col - 55) ** 2 < 40**2
    return np.where(disk, 200, 0).astype(np.uint8)[..., None].repeat(3, axis=2)


def test_columns_that_are_wide_are_spread_to_the_shape_of_the_head():
    whole = slice_of_disks()
    thick = whole.reshape(120, 24, 5, 3).mean(axis=2).astype(np.uint8)
    square = in_proportion(thick, (1.0, 5.0))
    assert square.shape == whole.shape == (*square_shape(thick, (1.0, 5.0)), 3)
    assert (np.abs(square.astype(int) - whole) > 100).mean() < 0.02
    assert (np.abs(fit_to(thick, (120, 120)).astype(int) - whole) > 100).mean() > 0.2


@pytest.mark.parametrize("spacing", [None, (0.9, 0.9), (0.9, 1.0)])
def test_a_slice_whose_pixels_are_square_or_of_unknown_size_stays(spacing):
    pixels = slice_of_disks()
    assert in_proportion(pixels, spacing) is pixels
    assert to_own_pixels(pixels[..., 0], pixels).shape == pixels.shape[:2]


def test_a_map_returns_to_the_pixels_of_its_slice():
    pixels = slice_of_disks(120, 24)
    probability_map = np.zeros(square_shape(pixels, (1.0, 5.0)), np.uint8)
    probability_map[:, 50:60] = 255  # the eleventh and twelfth column
    own = to_own_pixels(probability_map, pixels)
    assert own.shape == (120, 24)
    assert (own[0] == np.where(np.isin(np.arange(24), (10, 11)), 255, 0)).all()


def test_no_slice_becomes_larger_than_the_most():
    assert square_shape(np.zeros((400, 30, 3), np.uint8), (0.1, 100.0)) == (14, MOST_SIDE)
