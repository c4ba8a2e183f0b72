"""A U-Net whose encoder is ResNet50 (after Iglovikov & Shvets 2018, arXiv:1801.05746, with residuals)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from btmodels.networks.blocks import check_shape, conv, logits, merge_up
from btmodels.networks.resnet import PYRAMID, resnet50_encoder


def build_resnet50_unet(
    input_shape: tuple[int, int, int] = (128, 128, 3),
    filters: Sequence[int] = (16, 32, 64, 96, 128),
    name: str = "resnet50_unet",
) -> keras.Model:
    """Build ResNet50 with a decoder up to full resolution.

    The decoder is small: a 1 x 1 convolution reduces each skip before it is joined, so that the decoder has
    1.2 million parameters and the encoder 23.6 million.

    Args:
        input_shape: (rows, cols, 3); rows and cols multiples of 32.
        filters: Channels of the decoder's levels, from full resolution down.
        name: Name of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved five times.
    """
    check_shape(input_shape, 6)
    inputs = keras.Input(input_shape, name="slice")
    encoder = resnet50_encoder(inputs)
    x = conv(encoder.output, filters[-1], "bottleneck_narrow", kernel=1)
    stages = ("conv1_relu", *PYRAMID[:-1])
    for level in range(len(filters), 1, -1):
        width = filters[level - 1]
        skip = conv(
            encoder.get_layer(stages[level - 2]).output, width, f"skip{level}_narrow", kernel=1
        )
        x = merge_up(x, skip, width, f"dec{level}")
    # ResNet50 starts with stride 2, so there is no skip at full resolution.
    x = layers.Conv2DTranspose(filters[0], 2, strides=2, name="dec1_up")(x)
    x = layers.ReLU(name="dec1_relu")(conv(x, filters[0], "dec1_conv"))
    return keras.Model(inputs, logits(x), name=name)
