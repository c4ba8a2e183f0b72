"""Two segmenters that were trained apart and answer together."""

from __future__ import annotations

import keras
from keras import layers

from btmodels.networks.resunet import build_resunet
from btmodels.networks.unet import build_unet

MEMBERS = ("resunet", "unet")
"""Names of the members, in the registry and as layers here."""


def build_ensemble(
    input_shape: tuple[int, int, int] = (256, 256, 3), name: str = "ensemble"
) -> keras.Model:
    """Build the mean of a ResUNet's and a U-Net's logits (Hansen & Salamon 1990).

    Networks that differ in design and in the resolution they look at err in different places; their mean
    errs less than either. The ResUNet looks at the slice as it is, the U-Net at half as many rows and
    columns, where the same number of layers sees twice as far.

    Args:
        input_shape: (rows, cols, 3); rows and cols multiples of 32.
        name: Of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: The input cannot be halved five times.
    """
    rows, cols, channels = input_shape
    inputs = keras.Input(input_shape, name="slice")
    fine = build_resunet(input_shape, name=MEMBERS[0])(inputs)

    # Averaging four pixels is what preprocessing does to a slice for a network of half the size.
    half = layers.AveragePooling2D(2, name="halve")(inputs)
    coarse = build_unet((rows // 2, cols // 2, channels), name=MEMBERS[1])(half)
    coarse = layers.UpSampling2D(2, interpolation="bilinear", dtype="float32", name="double")(
        coarse
    )

    mean = layers.Average(dtype="float32", name="logits")([fine, coarse])
    return keras.Model(inputs, mean, name=name)
