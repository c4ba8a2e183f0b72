"""Grad-CAM is its formula: held to what a hand can compute."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels import paths, registry
from btmodels.inference import gradcam


def classifier(kernel, dense, pooled: bool):
    """One 1 x 1 convolution to two maps, then a mean or nothing, then one logit."""
    import keras
    from keras import layers

    inputs = keras.Input((2, 2, 3))
    x = layers.Conv2D(2, 1, use_bias=False, name="maps")(inputs)
    x = layers.GlobalAveragePooling2D(name="pool")(x) if pooled else layers.Flatten(name="pool")(x)
    model = keras.Model(inputs, layers.Dense(1, name="logits")(x))
    model.get_layer("maps").set_weights([np.array(kernel, np.float32).reshape(1, 1, 3, 2)])
    bias = np.zeros(1, np.float32)
    model.get_layer("logits").set_weights([np.array(dense, np.float32).reshape(-1, 1), bias])
    return model


def batch(first, second) -> np.ndarray:
    """A slice whose channels are two maps given by hand, and zeros."""
    return np.stack([np.array(first), np.array(second), np.zeros((2, 2))], -1)[None].astype(
        np.float32
    )


def test_after_a_mean_each_map_weighs_its_own_coefficient():
    # The kernel copies channel 0 to map 0 and channel 1 to map 1. With a mean over 4 pixels,
    # dy / dA_k = w_k / 4 in each pixel, so heat = max(0, (2 A_0 - 1 A_1) / 4).
    model = classifier([1, 0, 0, 1, 0, 0], [2, -1], pooled=True)
    found = gradcam.heatmap(model, "maps", batch([[4, 0], [2, 0]], [[0, 4], [2, 0]]))
    assert found == pytest.approx(np.array([[[2.0, 0.0], [0.5, 0.0]]]))


def test_without_a_mean_the_slopes_of_a_map_are_averaged():
    # Flattened as (row, col, map): map 0 meets 1, 3, 5, 7, whose mean is 4, map 1 meets zeros.
    model = classifier([1, 0, 0, 1, 0, 0], [1, 0, 3, 0, 5, 0, 7, 0], pooled=False)
    found = gradcam.heatmap(model, "maps", batch([[1, 2], [0, -3]], [[9, 9], [9, 9]]))
    assert found == pytest.approx(np.array([[[4.0, 8.0], [0.0, 0.0]]]))


def test_attention_of_the_shipped_classifier_has_the_slices_size_and_mirrors_with_it():
    image = np.zeros((60, 90, 3), np.uint8)
    image[10:50, 20:70] = 90
    image[20:35, 25:40, 1] = 220
    name = registry.get("default-classifier").name
    found = gradcam.compute_gradcam(image, name, paths.ASSETS)
    assert found.levels.shape == (60, 90) and found.levels.dtype == np.uint8
    assert found.grid == (4, 4) and found.layer == gradcam.LAYERS[name]
    if registry.load_record(name).flips:
        turned = gradcam.compute_gradcam(np.ascontiguousarray(image[:, ::-1]), name, paths.ASSETS)
        difference = np.abs(turned.levels[:, ::-1].astype(int) - found.levels)
        assert difference.max() <= 2
