"""EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946; the Lite variants by the same group, 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import layers

from btmodels.networks.blocks import norm


@dataclass(frozen=True)
class MBConvStage:
    """Inverted residual blocks of one width (Sandler et al. 2018, arXiv:1801.04381).

    Attributes:
        blocks: Number of blocks.
        kernel: Rows and columns of the depthwise kernels.
        stride: Stride of the first block; the others have stride 1.
        expand: Expansion factor of the channels within a block.
        filters: Output channels of each block.
    """

    blocks: int
    kernel: int
    stride: int
    expand: int
    filters: int


LITE0 = (
    MBConvStage(1, 3, 1, 1, 16),
    MBConvStage(2, 3, 2, 6, 24),
    MBConvStage(2, 5, 2, 6, 40),
    MBConvStage(3, 3, 2, 6, 80),
    MBConvStage(3, 5, 1, 6, 112),
    MBConvStage(4, 5, 2, 6, 192),
    MBConvStage(1, 3, 1, 6, 320),
)
"""The stages of EfficientNet-Lite0, after a first convolution with stride 2 and 32 channels."""

LITE2 = (
    MBConvStage(1, 3, 1, 1, 16),
    MBConvStage(3, 3, 2, 6, 24),
    MBConvStage(3, 5, 2, 6, 48),
    MBConvStage(4, 3, 2, 6, 88),
    MBConvStage(4, 5, 1, 6, 120),
    MBConvStage(5, 5, 2, 6, 208),
    MBConvStage(1, 3, 1, 6, 352),
)
"""The stages of EfficientNet-Lite2: 1.1 times as wide and 1.2 times as deep, rounded as by its authors."""


def pyramid(stages: Sequence[MBConvStage]) -> tuple[str, ...]:
    """Return the names of the last blocks at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input."""
    found = []
    for number, stage in enumerate(stages, start=1):
        if stage.stride > 1 or not found:
            found.append("")
        found[-1] = _block_name(number, stage.blocks - 1)
    return tuple(found)


def efficientnet_lite(
    inputs, stages: Sequence[MBConvStage] = LITE0, name: str = "efficientnet_lite0"
) -> keras.Model:
    """Return an EfficientNet-Lite without its head, from ``inputs`` to the last stage's feature maps at
    1/32.

    The Lite variants avoid operations that are slow on phones: they have no squeeze-and-excitation, and
    ReLU6 instead of swish. `keras.applications` only has the other variants.

    Args:
        inputs: Standardized slices, (batch, rows, cols, 3), of `keras.Input`.
        stages: `LITE0` or `LITE2`.
        name: Name of the model.
    """
    # In pretraining, the input's standard deviation was half that of standardized slices.
    x = layers.Rescaling(0.5, name="to_imagenet_range")(inputs)
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(x)
    x = norm(x, "stem_bn")
    x = layers.ReLU(6.0, name="stem_relu")(x)
    for number, stage in enumerate(stages, start=1):
        for step in range(stage.blocks):
            x = _block(x, stage, stage.stride if step == 0 else 1, _block_name(number, step))
    return keras.Model(inputs, x, name=name)


def weighted_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the encoder's layers with weights, in order: convolutions and their normalizations."""
    return [
        layer
        for layer in model.layers
        if layer.weights and layer.name.startswith(("stem_", "block"))
    ]


def _block_name(stage: int, step: int) -> str:
    return f"block{stage}{chr(ord('a') + step)}"


def _block(x, stage: MBConvStage, stride: int, name: str):
    y, width = x, x.shape[-1]
    if stage.expand > 1:
        y = layers.Conv2D(width * stage.expand, 1, use_bias=False, name=f"{name}_expand")(y)
        y = norm(y, f"{name}_expand_bn")
        y = layers.ReLU(6.0, name=f"{name}_expand_relu")(y)
    y = layers.DepthwiseConv2D(
        stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(y)
    y = norm(y, f"{name}_depthwise_bn")
    y = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(y)
    y = layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project")(y)
    if stride > 1 or width != stage.filters:
        return norm(y, name)
    return layers.Add(name=name)([x, norm(y, f"{name}_project_bn")])
