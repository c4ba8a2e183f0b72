"""The convolutions of VGG16 (Simonyan & Zisserman 2015, arXiv:1409.1556)."""

from __future__ import annotations

import keras
from keras import layers

from btmodels.networks.blocks import check_shape, conv, norm

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of each convolution, one row per block; every block except the first begins with pooling."""

ENCODER_LAYERS = tuple(
    f"block{block}_conv{step}"
    for block, row in enumerate(WIDTHS, start=1)
    for step in range(1, len(row) + 1)
)
"""Names of the thirteen convolutions, as in `keras.applications`."""


def vgg16_encoder(inputs) -> list:
    """Apply the thirteen convolutions.

    Args:
        inputs: Standardized slices, (batch, rows, cols, 3); rows and cols multiples of 16.

    Returns:
        The last feature maps of each block, at 1, 1/2, 1/4, 1/8 and 1/16 of the input, with 64, 128, 256,
        512 and 512 channels.
    """
    # Pre-trained VGG16 expects zero-centered pixels that span about a hundred; slices span a few units.
    x = layers.Rescaling(64.0, name="to_imagenet_range")(inputs)
    maps = []
    for block, row in enumerate(WIDTHS, start=1):
        if block > 1:
            x = layers.MaxPooling2D(2, name=f"block{block - 1}_pool")(x)
        for step, width in enumerate(row, start=1):
            x = conv(x, width, f"block{block}_conv{step}")
            x = layers.ReLU(name=f"block{block}_relu{step}")(x)
        maps.append(x)
    return maps


def build_vgg16(
    input_shape: tuple[int, int, int] = (128, 128, 3), name: str = "vgg16"
) -> keras.Model:
    """Build VGG16's convolutions with one logit: does this slice show a tumor?

    Global average pooling replaces the paper's two dense layers of 4096 units, which hold nine tenths of
    its weights.

    Args:
        input_shape: (rows, cols, 3); rows and cols multiples of 16.
        name: Name of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, 1).

    Raises:
        ValueError: The input cannot be halved four times.
    """
    check_shape(input_shape, 5)
    inputs = keras.Input(input_shape, name="slice")
    x = norm(vgg16_encoder(inputs)[-1], "bottleneck_bn")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(1, dtype="float32", name="logits")(x), name=name)
