"""The naive baseline: convolutions one after another at full resolution, nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from btmodels.networks.blocks import conv, logits


def build_sequential(
    input_shape: tuple[int, int, int] = (128, 128, 3),
    filters: Sequence[int] = (16, 24, 32, 32, 24, 16),
    name: str = "sequential",
    kernel: int = 3,
) -> keras.Model:
    """Build a chain of same-padded convolutions with ReLU.

    There is no pooling, so every layer sees the slice at full resolution, and the receptive field is a
    square of ``(kernel - 1) * len(filters) + 1`` pixels: 13 by default. The network cannot use context
    farther away, for example to recognize a bright spot as a ventricle's edge. An encoder and decoder can.

    Args:
        input_shape: (rows, cols, channels).
        filters: Channels of each convolution.
        name: Name of the model.
        kernel: Rows and columns of each convolution, odd.

    Returns:
        A model from (batch, rows, cols, channels) to logits (batch, rows, cols, 1).
    """
    inputs = x = keras.Input(input_shape, name="slice")
    for step, width in enumerate(filters, start=1):
        x = conv(x, width, f"conv{step}", kernel)
        x = layers.ReLU(name=f"relu{step}")(x)
    return keras.Model(inputs, logits(x), name=name)
