"""U-Net as published, except for same padding (Ronneberger, Fischer, Brox 2015, arXiv:1505.04597)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from btmodels.networks.blocks import check_shape, conv_relu, logits


def build_unet(
    input_shape: tuple[int, int, int] = (256, 256, 3),
    filters: Sequence[int] = (16, 32, 64, 128, 256),
    name: str = "unet",
    convs: int = 2,
    kernel: int = 3,
    skips: Literal["joined", "zeroed", "absent"] = "joined",
) -> keras.Model:
    """Build a U-Net: convolutions with ReLU and max pooling down, transposed convolutions up, skips
    by concatenation.

    Args:
        input_shape: (rows, cols, channels); rows and cols multiples of ``2 ** (len(filters) - 1)``.
        filters: Channels of each level, from full resolution to the bottleneck.
        name: Name of the model.
        convs: Convolutions per level in encoder and decoder.
        kernel: Rows and columns of the kernels, odd.
        skips: "joined" concatenates the encoder's maps; "zeroed" replaces them by zeros and fits the same
            weights; "absent" builds a network without skips.

    Returns:
        A model from (batch, rows, cols, channels) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved that often.
    """
    check_shape(input_shape, len(filters))
    inputs = x = keras.Input(input_shape, name="slice")

    crossing = []
    for level, width in enumerate(filters[:-1], start=1):
        x = conv_relu(x, width, f"enc{level}", convs, kernel)
        zeroed = skips == "zeroed"
        crossing.append(layers.Rescaling(0.0, name=f"enc{level}_zeroed")(x) if zeroed else x)
        x = layers.MaxPooling2D(2, name=f"enc{level}_pool")(x)

    x = conv_relu(x, filters[-1], "bottleneck", convs, kernel)

    for level in range(len(filters) - 1, 0, -1):
        width = filters[level - 1]
        x = layers.Conv2DTranspose(
            width, 2, strides=2, kernel_initializer="he_normal", name=f"dec{level}_up"
        )(x)
        if skips != "absent":
            x = layers.Concatenate(name=f"dec{level}_skip")([x, crossing[level - 1]])
        x = conv_relu(x, width, f"dec{level}", convs, kernel)

    return keras.Model(inputs, logits(x), name=name)
