"""A U-Net whose encoder is EfficientNet-Lite0 (after Iglovikov & Shvets 2018, arXiv:1801.05746)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from btmodels.networks.blocks import check_shape, logits, merge_up
from btmodels.networks.efficientnet import LITE0, efficientnet_lite, pyramid


def build_efficientnet_unet(
    input_shape: tuple[int, int, int] = (192, 192, 3),
    filters: Sequence[int] = (24, 32, 64, 96),
    name: str = "efficientnet_unet",
) -> keras.Model:
    """Build EfficientNet-Lite0 with a decoder up to half resolution.

    The encoder starts with stride 2, so there is no skip at full resolution. The logits are upsampled by
    bilinear interpolation, because one more decoder level would cost as much as the others together.

    Args:
        input_shape: (rows, cols, 3); rows and cols multiples of 32.
        filters: Channels of the decoder's levels, from half resolution down.
        name: Name of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved five times.
    """
    check_shape(input_shape, 6)
    inputs = keras.Input(input_shape, name="slice")
    encoder = efficientnet_lite(inputs)
    x = encoder.output
    for level in range(len(filters), 0, -1):
        skip = encoder.get_layer(pyramid(LITE0)[level - 1]).output
        x = merge_up(x, skip, filters[level - 1], f"dec{level + 1}")
    x = logits(x, "half_logits")
    x = layers.UpSampling2D(2, interpolation="bilinear", dtype="float32", name="logits")(x)
    return keras.Model(inputs, x, name=name)
