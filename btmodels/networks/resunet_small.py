"""ResUNet: a U-Net of pre-activation residual units (Zhang, Liu, Wang 2018, arXiv:1711.10684)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from btmodels.networks.blocks import check_shape, conv, logits, norm_relu, residual_unit


def build_resunet_small(
    input_shape: tuple[int, int, int] = (256, 256, 3),
    filters: Sequence[int] = (8, 16, 32, 64, 128, 256),
    name: str = "resunet_small",
) -> keras.Model:
    """Build a ResUNet: residual units, max pooling down, transposed convolutions up, skips by
    concatenation.

    It differs from the paper in two ways. Full resolution has one plain convolution each way instead of a
    residual unit, because normalization at 256 x 256 costs more than all levels below. And max pooling
    replaces strided convolutions, whose kernels in TensorFlow 2.21 crash at this size with eight channels.

    Args:
        input_shape: (rows, cols, channels); rows and cols multiples of ``2 ** (len(filters) - 1)``.
        filters: Channels of each level, from full resolution to the bottleneck.
        name: Name of the model.

    Returns:
        A model from (batch, rows, cols, channels) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved that often.
    """
    check_shape(input_shape, len(filters))
    inputs = keras.Input(input_shape, name="slice")

    x = conv(inputs, filters[0], "enc1_conv")
    skips = [x]
    for level, width in enumerate(filters[1:-1], start=2):
        x = layers.MaxPooling2D(2, name=f"enc{level}_pool")(x)
        x = residual_unit(x, width, f"enc{level}")
        skips.append(x)

    x = layers.MaxPooling2D(2, name="bottleneck_pool")(x)
    x = residual_unit(x, filters[-1], "bottleneck")

    for level in range(len(filters) - 1, 0, -1):
        width = filters[level - 1]
        x = norm_relu(x, f"dec{level}_in")
        x = layers.Conv2DTranspose(width, 2, strides=2, name=f"dec{level}_up")(x)
        x = layers.Concatenate(name=f"dec{level}_skip")([x, skips[level - 1]])
        if level > 1:
            x = residual_unit(x, width, f"dec{level}")
        else:
            x = layers.ReLU(name="dec1_relu1")(x)
            x = layers.ReLU(name="dec1_relu2")(conv(x, width, "dec1_conv"))

    return keras.Model(inputs, logits(x), name=name)
