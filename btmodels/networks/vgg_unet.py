"""A U-Net whose encoder is VGG16, as in TernausNet (Iglovikov & Shvets 2018, arXiv:1801.05746)."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from btmodels.networks.blocks import check_shape, logits, merge_up, norm
from btmodels.networks.vgg import vgg16_encoder


def build_vgg16_unet(
    input_shape: tuple[int, int, int] = (128, 128, 3),
    filters: Sequence[int] = (16, 32, 64, 128),
    name: str = "vgg16_unet",
) -> keras.Model:
    """Build VGG16's thirteen convolutions with a decoder up to full resolution.

    Args:
        input_shape: (rows, cols, 3); rows and cols multiples of 16.
        filters: Channels of the decoder's levels, from full resolution down.
        name: Name of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved four times.
    """
    check_shape(input_shape, 5)
    inputs = keras.Input(input_shape, name="slice")
    *skips, x = vgg16_encoder(inputs)
    # VGG16 has no normalization: its activations reach thousands, too large for an untrained decoder.
    x = norm(x, "bottleneck_bn")
    for level in range(len(filters), 0, -1):
        skip = norm(skips[level - 1], f"skip{level}_bn")
        x = merge_up(x, skip, filters[level - 1], f"dec{level}", convs=2)
    return keras.Model(inputs, logits(x), name=name)
