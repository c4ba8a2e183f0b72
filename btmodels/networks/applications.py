"""Classifiers and U-Nets on encoders of `keras.applications`, for the study of transfer learning.

Their ImageNet weights are a download, so none of them is a network of the site; whoever has a connection
compares them with `python -m train transfer --encoders`.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from btmodels.networks.blocks import check_shape, conv, logits, merge_up

STAGES = {
    "ResNet50": (
        "conv1_relu",
        "conv2_block3_out",
        "conv3_block4_out",
        "conv4_block6_out",
        "conv5_block3_out",
    ),
    "MobileNetV2": (
        "block_1_expand_relu",
        "block_3_expand_relu",
        "block_6_expand_relu",
        "block_13_expand_relu",
        "out_relu",
    ),
    "EfficientNetB0": (
        "block2a_expand_activation",
        "block3a_expand_activation",
        "block4a_expand_activation",
        "block6a_expand_activation",
        "top_activation",
    ),
    "DenseNet121": ("conv1_relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"),
}
"""Last layer of each encoder at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input."""

_RANGES = {
    "ResNet50": (64.0, 0.0),  # zero-centered pixels of some hundred
    "MobileNetV2": (0.5, 0.0),  # -1 to 1
    "EfficientNetB0": (64.0, 128.0),  # 0 to 255; it standardizes within
    "DenseNet121": (1.0, 0.0),  # unit deviation
}
"""Factor and offset that bring standardized slices to the range each was trained on."""


def encoder_of(name: str, inputs, weights: str | None = None) -> keras.Model:
    """Return an encoder without its top, from ``inputs`` to maps at 1/32.

    Args:
        name: A key of `STAGES`.
        inputs: Standardized slices, (batch, rows, cols, 3).
        weights: "imagenet" downloads; None starts from random ones.
    """
    factor, offset = _RANGES[name]
    x = layers.Rescaling(factor, offset, name="to_imagenet_range")(inputs)
    return getattr(keras.applications, name)(include_top=False, weights=weights, input_tensor=x)


def build_application_classifier(
    encoder: str, input_shape: tuple[int, int, int] = (128, 128, 3), weights: str | None = None
) -> keras.Model:
    """Build an encoder with one logit: does this slice show a tumor?

    Args:
        encoder: A key of `STAGES`.
        input_shape: (rows, cols, 3), at least 32 each.
        weights: As for `encoder_of`.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, 1).
    """
    inputs = keras.Input(input_shape, name="slice")
    x = layers.GlobalAveragePooling2D(name="pool")(encoder_of(encoder, inputs, weights).output)
    out = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, out, name=encoder.lower())


def build_application_unet(
    encoder: str,
    input_shape: tuple[int, int, int] = (128, 128, 3),
    filters: Sequence[int] = (16, 32, 64, 96, 128),
    weights: str | None = None,
) -> keras.Model:
    """Build an encoder with a slim decoder, as `btmodels.networks.resnet_unet` has it.

    Args:
        encoder: A key of `STAGES`.
        input_shape: (rows, cols, 3); rows and cols multiples of 32.
        filters: Channels of the decoder's levels, from full resolution down.
        weights: As for `encoder_of`.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved five times.
    """
    check_shape(input_shape, 6)
    inputs = keras.Input(input_shape, name="slice")
    found = encoder_of(encoder, inputs, weights)
    x = conv(found.output, filters[-1], "bottleneck_narrow", kernel=1)
    for level in range(len(filters), 1, -1):
        width = filters[level - 1]
        skip = found.get_layer(STAGES[encoder][level - 2]).output
        x = merge_up(x, conv(skip, width, f"skip{level}_narrow", kernel=1), width, f"dec{level}")
    x = layers.Conv2DTranspose(filters[0], 2, strides=2, name="dec1_up")(x)
    x = layers.ReLU(name="dec1_relu")(conv(x, filters[0], "dec1_conv"))
    return keras.Model(inputs, logits(x), name=f"{encoder.lower()}_unet")
