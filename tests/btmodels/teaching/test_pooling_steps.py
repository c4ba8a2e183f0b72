"""Small grids, pooled and enlarged manually and by Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from btmodels.teaching.pooling_steps import max_pool, transpose_convolve, upsample

GRID = np.array([[1.0, 3.0, 2.0, 0.0], [0.0, 2.0, 5.0, 1.0]])


def by_keras(layer: keras.Layer, grid: np.ndarray, kernel: np.ndarray | None = None) -> np.ndarray:
    layer.build((None, *grid.shape, 1))
    if kernel is not None:
        layer.set_weights([kernel[..., None, None]])
    return np.asarray(layer(grid[None, ..., None].astype(np.float32)))[0, ..., 0]


def test_pooling_keeps_the_largest():
    steps = max_pool(GRID)
    assert [(step.read, step.written) for step in steps] == [
        ((0, 1, 0, 1), (0, 0, 0, 0)),
        ((0, 1, 2, 3), (0, 0, 1, 1)),
    ]
    assert np.isnan(steps[0].output[0, 1]), "what has not been reached is not known"
    assert steps[-1].output.tolist() == [[3.0, 5.0]]
    assert (steps[-1].output == by_keras(keras.layers.MaxPooling2D(2), GRID)).all()


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_upsampling_repeats(factor):
    steps = upsample(GRID, factor)
    assert len(steps) == GRID.size
    expected = by_keras(keras.layers.UpSampling2D(factor), GRID)
    assert (steps[-1].output == expected).all()


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (4, 2), (3, 3), (3, 1)])
def test_a_transposed_convolution_is_that_of_keras(size, stride):
    kernel = np.random.default_rng(0).normal(size=(size, size))
    layer = keras.layers.Conv2DTranspose(1, size, strides=stride, use_bias=False)
    steps = transpose_convolve(GRID, kernel, stride)
    assert steps[-1].output == pytest.approx(by_keras(layer, GRID, kernel), abs=1e-5)


def test_stamps_add_up_to_a_checkerboard_where_the_stride_does_not_divide():
    flat, ones = np.ones((2, 2)), np.ones((3, 3))
    *_, last = transpose_convolve(flat, ones, 2)
    assert last.output.tolist() == [
        [1, 1, 2, 1, 1],
        [1, 1, 2, 1, 1],
        [2, 2, 4, 2, 2],
        [1, 1, 2, 1, 1],
        [1, 1, 2, 1, 1],
    ]
    *_, even = transpose_convolve(flat, np.ones((2, 2)), 2)
    assert (even.output == 1).all(), "and nowhere else"


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="fill the grid"):
        max_pool(GRID, 3)
    with pytest.raises(ValueError, match="no smaller than the stride"):
        transpose_convolve(GRID, np.ones((2, 2)), 3)
    with pytest.raises(ValueError, match="rows and columns"):
        upsample(np.zeros(3))
