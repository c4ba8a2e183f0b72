import numpy as np
import pytest

from btmodels.transforms.preprocess import CLIP, fit_to, normalize, quantize, restore, standardize


def head(rows=64, cols=64, low=60, high=180):
    """A square head on black air: half of it ``low``, half ``high`` in every channel."""
    pixels = np.zeros((rows, cols, 3), np.uint8)
    pixels[16:48, 16:32] = low
    pixels[16:48, 32:48] = high
    return pixels


def test_the_head_has_zero_mean_and_unit_deviation():
    pixels = head()
    values = standardize(pixels)
    inside = values[pixels.max(axis=2) > 0]
    assert inside.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-5)
    assert inside.std(axis=0) == pytest.approx([1, 1, 1], abs=1e-5)
    # (60 - 120) / 60, (180 - 120) / 60, air (0 - 120) / 60
    assert set(np.round(np.unique(values), 5)) == {-2.0, -1.0, 1.0}


def test_gain_and_offset_of_a_scanner_drop_out():
    dim = (head().astype(float) * 0.5 + np.where(head() > 0, 20, 0)).astype(np.uint8)
    inside = head().max(axis=2) > 0
    assert np.allclose(standardize(head())[inside], standardize(dim)[inside], atol=1e-5)


@pytest.mark.parametrize("value", [0, 5, 255])
def test_a_flat_picture_stays_finite(value):
    values = standardize(np.full((16, 16, 3), value, np.uint8))
    assert np.isfinite(values).all() and np.abs(values).max() <= CLIP


def test_outliers_are_clipped():
    pixels = head(low=100, high=101)
    pixels[20, 20] = 255
    assert standardize(pixels).max() == CLIP


def test_the_input_is_not_changed():
    pixels = head()
    before = pixels.copy()
    normalize(pixels, (32, 32))
    assert (pixels == before).all()


@pytest.mark.parametrize(("rows", "cols"), [(64, 64), (100, 60), (31, 77), (512, 300)])
def test_fit_and_restore_keep_place_and_proportion(rows, cols):
    pixels = np.zeros((rows, cols, 3), np.uint8)
    pixels[rows // 4 : rows // 2, cols // 3 : 2 * cols // 3] = 255
    fitted = fit_to(pixels, (256, 256))
    assert fitted.shape == (256, 256, 3) and fitted.dtype == np.uint8
    back = restore(fitted[..., 0].astype(np.float32) / 255, rows, cols)
    assert back.shape == (rows, cols)
    assert np.mean((back > 0.5) == (pixels[..., 0] > 0)) > 0.97


def test_the_networks_own_size_is_left_alone():
    pixels = np.arange(64 * 64 * 3, dtype=np.uint32).reshape(64, 64, 3).astype(np.uint8)
    assert fit_to(pixels, (64, 64)) is pixels


def test_a_map_that_shrinks_is_averaged():
    probability = np.zeros((256, 256), np.float32)
    probability[::4, ::4] = 1.0
    # Each pixel of the small map stands for 4 x 4, of which one is certain.
    assert restore(probability, 64, 64) == pytest.approx(1 / 16)


def test_levels_round_to_255ths():
    assert quantize(np.array([-1.0, 0.0, 0.5, 0.501, 1.0, 2.0])).tolist() == [
        0,
        0,
        128,
        128,
        255,
        255,
    ]
