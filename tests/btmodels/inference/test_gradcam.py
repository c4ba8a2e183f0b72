"""Grad-CAM is its formula: held to what a hand can compute."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels import paths, registry
from btmodels.inference import gradcam, heatmap


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
    """A slice whose channels are two given maps, and zeros."""
    return np.stack([np.array(first), np.array(second), np.zeros((2, 2))], -1)[None].astype(
        np.float32
    )


def test_after_a_mean_each_map_weighs_its_own_coefficient():
    # The kernel copies channel 0 to map 0 and channel 1 to map 1. With a mean over 4 pixels,
    # dy / dA_k = w_k / 4 in each pixel, so heat = max(0, (2 A_0 - 1 A_1) / 4).
    model = classifier([1, 0, 0, 1, 0, 0], [2, -1], pooled=True)
    slices = batch([[4, 0], [2, 0]], [[0, 4], [2, 0]])
    logits, found = heatmap.with_heatmap(model, "maps")(slices)
    assert np.asarray(found)[0, ..., 0] == pytest.approx(np.array([[2.0, 0.0], [0.5, 0.0]]))
    assert np.asarray(logits) == pytest.approx(np.asarray(model(slices)))


def test_heat_is_what_the_gradient_gives():
    import tensorflow as tf
    from keras import layers

    model = classifier([1, -2, 0.5, 1, 3, -1], [0.7, -1.3], pooled=True)
    slices = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype(np.float32)
    maps = tf.Variable(model.get_layer("maps")(slices))
    with tf.GradientTape() as tape:
        logit = model.get_layer("logits")(layers.GlobalAveragePooling2D()(maps))
    slopes = np.asarray(tape.gradient(logit, maps)).mean(axis=(1, 2))
    expected = np.maximum(0, (np.asarray(maps) * slopes[:, None, None]).sum(-1))
    found = heatmap.with_heatmap(model, "maps")(slices)[1]
    assert expected.max() > 0
    assert np.asarray(found)[..., 0] == pytest.approx(expected, abs=1e-6)


def test_another_head_is_refused():
    model = classifier([1, 0, 0, 1, 0, 0], [1, 0, 3, 0, 5, 0, 7, 0], pooled=False)
    with pytest.raises(ValueError, match="mean of the maps and one dense layer"):
        heatmap.with_heatmap(model, "maps")


@pytest.mark.usefixtures("eager")
def test_asking_again_adds_nothing_to_the_network():
    from btmodels.inference.predict import Predictor

    predictor = Predictor("resnet50", policy="float32")
    slices = np.zeros((1, *predictor.spec.input_shape), np.float32)
    predictor.heatmap(slices)
    nodes = [len(layer._inbound_nodes) for layer in predictor.model.layers]
    predictor.heatmap(slices)
    assert [len(layer._inbound_nodes) for layer in predictor.model.layers] == nodes


@pytest.mark.usefixtures("eager")
def test_gradcam_of_the_shipped_classifier_has_the_slices_size_and_mirrors_with_it():
    image = np.zeros((60, 90, 3), np.uint8)
    image[10:50, 20:70] = 90
    image[20:35, 25:40, 1] = 220
    name = registry.get("default-classifier").name
    found = gradcam.compute_gradcam(image, name, paths.ASSETS)
    assert found.heatmap.shape == (60, 90) and found.heatmap.dtype == np.uint8
    assert found.grid == (4, 4) and found.layer == gradcam.LAYERS[name]
    if registry.load_record(name).flips:
        turned = gradcam.compute_gradcam(np.ascontiguousarray(image[:, ::-1]), name, paths.ASSETS)
        difference = np.abs(turned.heatmap[:, ::-1].astype(int) - found.heatmap)
        assert difference.max() <= 2
