"""A ResUNet (Zhang, Liu, Wang 2018, arXiv:1711.10684) with an encoder pretrained on ImageNet,
EfficientNet-Lite2, and a decoder of residual units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from btmodels.networks.blocks import check_shape, logits, merge_up, norm_relu, residual_unit
from btmodels.networks.efficientnet import LITE2, efficientnet_lite, pyramid


def build_resunet(
    input_shape: tuple[int, int, int] = (192, 192, 3),
    filters: Sequence[int] = (24, 32, 64, 96),
    decoder: Literal["residual", "plain"] = "residual",
    name: str = "resunet",
) -> keras.Model:
    """Build EfficientNet-Lite2 with a decoder of residual units up to half resolution; the logits are
    upsampled by bilinear interpolation.

    Args:
        input_shape: (rows, cols, 3); rows and cols multiples of 32.
        filters: Channels of the decoder's levels, from half resolution down.
        decoder: "plain" has the same convolutions, each with normalization and ReLU, but no shortcuts, to
            measure the effect of residual units.
        name: Name of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved five times.
    """
    check_shape(input_shape, 6)
    inputs = keras.Input(input_shape, name="slice")
    encoder = efficientnet_lite(inputs, LITE2, "efficientnet_lite2")
    x = encoder.output
    for level in range(len(filters), 0, -1):
        skip = encoder.get_layer(pyramid(LITE2)[level - 1]).output
        width, prefix = filters[level - 1], f"dec{level + 1}"
        if decoder == "plain":
            x = merge_up(x, skip, width, prefix, convs=2)
        else:
            x = layers.Conv2DTranspose(width, 2, strides=2, name=f"{prefix}_up")(x)
            x = layers.Concatenate(name=f"{prefix}_skip")([x, skip])
            x = residual_unit(x, width, prefix)
    if decoder == "residual":
        x = norm_relu(x, "out")  # a residual unit ends in a sum without activation
    x = logits(x, "half_logits")
    x = layers.UpSampling2D(2, interpolation="bilinear", dtype="float32", name="logits")(x)
    return keras.Model(inputs, x, name=name)
