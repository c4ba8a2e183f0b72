"""Multiply-adds of small networks, counted manually."""

import keras
import pytest
from keras import layers

from btmodels import registry, weights
from btmodels.networks.multiply_adds import multiply_adds
from btmodels.networks.unet import build_unet


def model_of(*chain: keras.Layer, shape: tuple = (8, 6, 3)) -> keras.Model:
    inputs = x = keras.Input(shape)
    for layer in chain:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Conv2D(5, 3, padding="same"), 8 * 6 * 9 * 3 * 5),
        (layers.Conv2D(5, 3), 6 * 4 * 9 * 3 * 5),
        (layers.Conv2D(5, (1, 3), strides=2, padding="same"), 4 * 3 * 3 * 3 * 5),
        (layers.Conv2D(6, 3, padding="same", groups=3), 8 * 6 * 9 * 1 * 6),
        (layers.DepthwiseConv2D(3, padding="same"), 8 * 6 * 9 * 3),
        (layers.DepthwiseConv2D(5, strides=2, padding="same"), 4 * 3 * 25 * 3),
        (layers.Conv2DTranspose(4, 2, strides=2), 8 * 6 * 4 * 3 * 4),
        (layers.Conv2DTranspose(4, 3, strides=2, padding="same"), 8 * 6 * 9 * 3 * 4),
        (layers.Dense(7), 8 * 6 * 3 * 7),
        (layers.BatchNormalization(), 0),
        (layers.MaxPooling2D(2), 0),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_one_layer(layer, expected):
    assert multiply_adds(model_of(layer)) == expected


def test_a_verdict():
    chain = layers.Conv2D(5, 3, padding="same"), layers.GlobalAveragePooling2D(), layers.Dense(1)
    assert multiply_adds(model_of(*chain)) == 8 * 6 * 9 * 3 * 5 + 5


def test_a_unet():
    full, half = 8 * 8, 4 * 4
    down = full * 9 * (3 * 2 + 2 * 2) + half * 9 * (2 * 4 + 4 * 4)
    up = half * 4 * 4 * 2 + full * 9 * (4 * 2 + 2 * 2)
    assert multiply_adds(build_unet((8, 8, 3), (2, 4))) == down + up + full * 2


def test_networks_within_a_network_are_counted():
    one = build_unet((8, 8, 3), (2, 4), name="one")
    two = build_unet((8, 8, 3), (3, 5), name="two")
    inputs = keras.Input((8, 8, 3))
    both = keras.Model(inputs, layers.Average()([one(inputs), two(inputs)]))
    assert multiply_adds(both) == multiply_adds(one) + multiply_adds(two)


def test_what_is_not_known_is_refused():
    with pytest.raises(ValueError, match="SeparableConv2D$"):
        multiply_adds(model_of(layers.SeparableConv2D(3, 3)))
    with pytest.raises(ValueError, match="must be known"):
        multiply_adds(model_of(layers.Conv2D(2, 3), shape=(None, None, 3)))


@pytest.mark.parametrize("name", registry.SPECS)
def test_every_network_of_the_registry_can_be_counted(name):
    model = weights.build(name)
    # Each kernel is used at one position or more, most of them at many.
    assert multiply_adds(model) > model.count_params()
