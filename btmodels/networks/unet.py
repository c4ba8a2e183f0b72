"""U-Net, as published but for same padding (Ronneberger, Fischer, Brox 2015, arXiv:1505.04597)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from btmodels.networks.blocks import check_shape, double_conv, logits


def build_unet(
    input_shape: tuple[int, int, int] = (256, 256, 3),
    filters: Sequence[int] = (16, 32, 64, 128, 256),
    name: str = "unet",
) -> keras.Model:
    """Build a U-Net: convolutions with ReLU and max pooling down, transposed convolutions up, skips
    by concatenation.

    Args:
        input_shape: (rows, cols, channels); rows and cols multiples of ``2 ** (len(filters) - 1)``.
        filters: Channels of each level, from full resolution to the bottleneck.
        name: Of the model.

    Returns:
        A model from (batch, rows, cols, channels) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved that often.
    """
    check_shape(input_shape, len(filters))
    inputs = x = keras.Input(input_shape, name="slice")

    skips = []
    for level, width in enumerate(filters[:-1], start=1):
        x = double_conv(x, width, f"enc{level}")
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"enc{level}_pool")(x)

    x = double_conv(x, filters[-1], "bottleneck")

    for level in range(len(filters) - 1, 0, -1):
        width = filters[level - 1]
        x = layers.Conv2DTranspose(
            width, 2, strides=2, kernel_initializer="he_normal", name=f"dec{level}_up"
        )(x)
        x = layers.Concatenate(name=f"dec{level}_skip")([x, skips[level - 1]])
        x = double_conv(x, width, f"dec{level}")

    return keras.Model(inputs, logits(x), name=name)
