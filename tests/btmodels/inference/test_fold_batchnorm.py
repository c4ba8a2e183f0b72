"""A network without its batch normalizations answers what it did with them."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from btmodels import registry, weights
from btmodels.inference import precision
from btmodels.inference.fold_batchnorm import fold_batchnorm


def lived(model: keras.Model) -> keras.Model:
    """Give every weight, statistics too, some value of its own, as training does."""
    random = np.random.default_rng(0)
    for variable in model.weights:
        if "variance" in variable.name or "gamma" in variable.name:
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        elif "kernel" not in variable.name:
            variable.assign(random.normal(0, 0.2, variable.shape))
    return model


def norms(model: keras.Model) -> int:
    """Count the batch normalizations, those of networks inside too."""
    return sum(isinstance(layer, layers.BatchNormalization) for layer in model._flatten_layers())


def test_factor_and_offset_go_into_kernel_and_bias():
    inputs = keras.Input((1, 1, 1))
    x = layers.Conv2D(1, 1, name="conv")(inputs)
    x = layers.BatchNormalization(epsilon=0.0, name="norm")(x)
    model = keras.Model(inputs, x)
    model.get_layer("conv").set_weights([np.full((1, 1, 1, 1), 2.0), np.array([1.0])])
    # gamma, beta, mean, variance: ((2 x + 1) - 3) / 2 * 6 + 5 = 6 x - 1
    model.get_layer("norm").set_weights([np.array([each]) for each in (6.0, 5.0, 3.0, 4.0)])
    found = fold_batchnorm(model)
    kernel, bias = found.get_layer("conv").get_weights()
    assert kernel.item() == pytest.approx(6) and bias.item() == pytest.approx(-1)
    assert found(np.full((1, 1, 1, 1), 0.5)).numpy().item() == pytest.approx(2)
    assert [type(layer).__name__ for layer in found.layers] == ["InputLayer", "Conv2D"]
    assert model.get_layer("conv").get_weights()[0].item() == 2  # left as it was


CONVOLUTIONS = [
    layers.Conv2D(4, 1, use_bias=False, name="conv"),
    layers.DepthwiseConv2D(3, use_bias=False, name="conv"),
    layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, name="conv"),
]


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_a_convolution_without_bias_gets_one(convolution):
    inputs = keras.Input((4, 4, 3))
    x = convolution(inputs)
    model = lived(keras.Model(inputs, layers.BatchNormalization()(x)))
    found = fold_batchnorm(model)
    assert found.get_layer("conv").use_bias and len(found.layers) == 2
    slices = np.random.default_rng(1).normal(size=(2, 4, 4, 3))
    np.testing.assert_allclose(found(slices), model(slices, training=False), atol=1e-5)


def branching(inputs):
    """A convolution that a normalization and a skip both read: its kernel must stay as it is."""
    x = layers.Conv2D(4, 1, name="conv")(inputs)
    return layers.Add()([x, layers.BatchNormalization(name="norm")(x)])


def activated(inputs):
    """A ReLU within the convolution: what comes after it cannot go into the kernel."""
    x = layers.Conv2D(4, 1, activation="relu", name="conv")(inputs)
    return layers.BatchNormalization(name="norm")(x)


def plain(inputs):
    """No gamma, no beta, and nothing before it."""
    return layers.BatchNormalization(center=False, scale=False, name="norm")(inputs)


@pytest.mark.parametrize("body", [branching, activated, plain])
def test_elsewhere_it_becomes_one_multiplication_and_one_addition(body):
    inputs = keras.Input((2, 2, 3))
    model = lived(keras.Model(inputs, body(inputs)))
    found = fold_batchnorm(model)
    assert not norms(found) and isinstance(found.get_layer("norm"), layers.Rescaling)
    slices = np.random.default_rng(1).normal(size=(2, 2, 2, 3))
    np.testing.assert_allclose(found(slices), model(slices, training=False), atol=1e-5)


def test_a_convolution_whose_maps_are_given_out_stays_as_it_is():
    inputs = keras.Input((2, 2, 3))
    x = layers.Conv2D(4, 1, name="conv")(inputs)
    model = lived(keras.Model(inputs, [x, layers.BatchNormalization()(x)]))
    slices = np.random.default_rng(1).normal(size=(2, 2, 2, 3))
    for mine, theirs in zip(
        fold_batchnorm(model)(slices), model(slices, training=False), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


@pytest.fixture
def small_inputs(monkeypatch):
    """What folding does depends on no size; 128 rows and columns are the fewest that all take."""
    for name, spec in list(registry.SPECS.items()):
        monkeypatch.setitem(registry.SPECS, name, replace(spec, input_shape=(128, 128, 3)))


@pytest.mark.usefixtures("small_inputs")
@pytest.mark.parametrize("name", list(registry.SPECS))
def test_each_network_answers_what_it_did(name):
    model = lived(weights.build(name))
    found = fold_batchnorm(model)
    assert norms(model) or name in ("unet", "vgg16_unet", "sequential")
    assert not norms(found)
    slices = np.random.default_rng(1).normal(size=(1, *registry.get(name).input_shape))
    mine, theirs = (each(slices, training=False).numpy() for each in (found, model))
    np.testing.assert_allclose(mine, theirs, atol=1e-4 * max(1.0, np.abs(theirs).max()))


@pytest.mark.usefixtures("small_inputs")
def test_in_half_precision_weights_are_held_so_and_no_more_is_lost():
    keras.utils.set_random_seed(0)
    with precision.using("mixed_bfloat16"):
        half = lived(weights.build("resunet_small"))
    full = weights.build("resunet_small")
    full.set_weights(half.get_weights())
    found = fold_batchnorm(half)
    kinds = {variable.dtype for layer in found.layers[:-1] for variable in layer.weights}
    assert kinds == {"bfloat16"} and {v.dtype for v in half.weights} == {"float32"}
    slices = np.random.default_rng(1).normal(size=(1, *registry.get("resunet_small").input_shape))
    mine, theirs, exact = (each(slices, training=False).numpy() for each in (found, half, full))
    assert mine.dtype == np.float32, "logits"
    assert np.abs(mine - exact).mean() < 1.3 * np.abs(theirs - exact).mean()
