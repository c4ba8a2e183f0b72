"""nnU-Net's changes keep shape and range, repeat with a seed, and move the mask with the slice."""

import numpy as np
import pytest

from tests.train.fit.test_augment import picture
from train.fit import nnunet_augment as changes

OF_INTENSITIES = (
    changes.lower_resolution,
    changes.change_contrast,
    changes.change_brightness,
    changes.invert_gamma,
    changes.degrade,
)


@pytest.mark.parametrize("change", OF_INTENSITIES)
def test_intensities_stay_in_range_and_a_seed_repeats(change):
    values = np.random.default_rng(0).uniform(0, 255, (48, 48, 3)).astype(np.float32)
    before, seen = values.copy(), set()
    for seed in range(12):
        one, again = (change(values, np.random.default_rng(seed)) for _ in range(2))
        assert one.dtype == np.float32 and one.shape == values.shape
        assert one.min() >= 0 and one.max() <= 255
        assert (one == again).all() and (values == before).all()
        seen.add(float(one.sum()))
    assert len(seen) > 5


@pytest.mark.parametrize("seed", range(6))
def test_slice_and_mask_are_deformed_alike(seed):
    pixels, mask = changes.deform(*picture(), np.random.default_rng(seed))
    assert pixels.dtype == mask.dtype == np.uint8 and pixels.shape == (64, 64, 3)
    lesion, marked = pixels[..., 0] > 158, mask > 127
    assert 2 * (lesion & marked).sum() / (lesion.sum() + marked.sum()) > 0.9
    assert (mask != picture()[1]).any()


def test_a_change_of_contrast_keeps_the_mean_and_gamma_keeps_black_and_white():
    values = np.full((8, 8, 3), 100, np.float32)
    values[::2] = 140
    changed = changes.change_contrast(values, np.random.default_rng(3))
    assert changed.mean(axis=(0, 1)) == pytest.approx([120] * 3, abs=8)
    ends = np.array([[[0] * 3, [255] * 3]], np.float32)
    assert (changes.invert_gamma(ends, np.random.default_rng(0)) == ends).all()


def test_half_of_the_resolution_is_gone_at_most():
    stripes = np.zeros((64, 64, 3), np.float32)
    stripes[:, ::2] = 200
    coarse = np.zeros((64, 64, 3), np.float32)
    coarse[:, 32:] = 200
    rng = np.random.default_rng(0)
    assert changes.lower_resolution(stripes, rng).std() < stripes.std() * 1.05
    kept = changes.lower_resolution(coarse, rng)
    assert (abs(kept - coarse)[:, [0, 20, 43, 63]] < 1).all()
