import numpy as np
import pytest

from btmodels.slices import FLAIR
from train.fit.augment import change_intensities, warp


def picture(size=64):
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[16:48, 16:48] = (60, 120, 200)
    mask = np.zeros((size, size), np.uint8)
    mask[24:40, 20:30] = 255
    pixels[mask > 0] = 255
    return pixels, mask


@pytest.mark.parametrize("seed", range(8))
def test_slice_and_mask_move_together(seed):
    pixels, mask = warp(*picture(), np.random.default_rng(seed))
    assert pixels.shape == (64, 64, 3) and mask.shape == (64, 64)
    # The lesion is the only place where the first channel is near white.
    lesion, marked = pixels[..., 0] > 158, mask > 127
    overlap = 2 * (lesion & marked).sum() / (lesion.sum() + marked.sum())
    assert marked.sum() > 60 and overlap > 0.9


def test_warps_differ_and_repeat():
    one, again = (warp(*picture(), np.random.default_rng(3))[0] for _ in range(2))
    other = warp(*picture(), np.random.default_rng(4))[0]
    assert (one == again).all() and (one != other).any()


def test_intensities_stay_in_range_and_the_input_is_left_alone():
    pixels, _ = picture()
    before = pixels.copy()
    for seed in range(20):
        values = change_intensities(pixels, np.random.default_rng(seed))
        assert values.dtype == np.float32 and values.min() >= 0 and values.max() <= 255
    assert (pixels == before).all()


def test_now_and_then_flair_stands_in_for_a_missing_sequence():
    pixels = np.random.default_rng(0).integers(60, 200, (64, 64, 3)).astype(np.uint8)
    stood_in = 0
    for seed in range(200):
        values = change_intensities(pixels, np.random.default_rng(seed))
        stood_in += np.corrcoef(values[..., 0].ravel(), values[..., FLAIR].ravel())[0, 1] > 0.8
    assert 4 <= stood_in <= 40, "8 in 100 are meant to"


def test_a_strength_widens_the_ranges():
    pixels, mask = picture()
    one, strong = (
        np.array(
            [
                [
                    warp(pixels, mask, np.random.default_rng(s), strength)[1].sum()
                    for s in range(60)
                ],
                [
                    change_intensities(pixels, np.random.default_rng(s), strength).mean()
                    for s in range(60)
                ],
            ]
        )
        for strength in (1.0, 1.7)
    )
    assert (strong.std(axis=1) > 1.3 * one.std(axis=1)).all()
