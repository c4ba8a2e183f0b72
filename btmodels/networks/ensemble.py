"""The mean of two segmenters that were trained separately."""

from __future__ import annotations

import keras
from keras import layers

from btmodels.networks.blocks import check_shape
from btmodels.networks.efficientnet_unet import build_efficientnet_unet
from btmodels.networks.unet import build_unet
from btmodels.registry import SPECS

MEMBERS = SPECS["ensemble"].members
"""Names of the members, in the registry and as layers here."""


def build_ensemble(
    input_shape: tuple[int, int, int] = (256, 256, 3), name: str = "ensemble"
) -> keras.Model:
    """Build the mean of a U-Net's and an EfficientNet U-Net's logits, the latter counted twice.

    Networks that differ in architecture, pretraining and resolution make different errors; their mean has
    fewer errors than either (Hansen & Salamon 1990). The U-Net, which was only trained on slices, sees half
    of the input resolution, the EfficientNet U-Net three quarters. The weight of 2 was chosen in the folds
    of `train crossval`, which contain no test patients.

    Args:
        input_shape: (rows, cols, 3); rows and cols multiples of 128.
        name: Name of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: Three quarters of the input cannot be halved five times.
    """
    check_shape(input_shape, 8)
    rows, cols, channels = input_shape
    inputs = keras.Input(input_shape, name="slice")

    # Averaging four pixels equals the preprocessing for a network of half the size.
    half = layers.AveragePooling2D(2, name="halve")(inputs)
    half = build_unet((rows // 2, cols // 2, channels), name=MEMBERS[0])(half)
    half = layers.UpSampling2D(2, interpolation="bilinear", dtype="float32", name="double")(half)

    # Area-averaged downsampling to three quarters, as in preprocessing: repeat each pixel three times
    # along both axes, then average 4 x 4 blocks.
    most = layers.UpSampling2D(3, interpolation="nearest", name="triple")(inputs)
    most = layers.AveragePooling2D(4, name="quarter")(most)
    most = build_efficientnet_unet((rows * 3 // 4, cols * 3 // 4, channels), name=MEMBERS[1])(most)
    most = layers.Resizing(rows, cols, dtype="float32", name="enlarge")(most)

    mean = layers.Average(dtype="float32", name="logits")([half, most, most])
    return keras.Model(inputs, mean, name=name)
