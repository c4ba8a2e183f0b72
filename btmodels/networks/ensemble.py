"""Two segmenters that were trained apart and answer together."""

from __future__ import annotations

import keras
from keras import layers

from btmodels.networks.blocks import check_shape
from btmodels.networks.efficientnet_unet import build_efficientnet_unet
from btmodels.networks.resunet import build_resunet

MEMBERS = ("resunet", "efficientnet_unet")
"""Names of the members, in the registry and as layers here."""


def build_ensemble(
    input_shape: tuple[int, int, int] = (256, 256, 3), name: str = "ensemble"
) -> keras.Model:
    """Build the mean of a ResUNet's and an EfficientNet U-Net's logits (Hansen & Salamon 1990).

    Networks that differ in design, in what they learned before and in the resolution they look at err in
    different places; their mean errs less than either. The ResUNet looks at the slice as it is, the
    EfficientNet U-Net at three quarters of its rows and columns.

    Args:
        input_shape: (rows, cols, 3); rows and cols multiples of 128.
        name: Of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, rows, cols, 1).

    Raises:
        ValueError: Three quarters of the input cannot be halved five times.
    """
    check_shape(input_shape, 8)
    rows, cols, channels = input_shape
    inputs = keras.Input(input_shape, name="slice")
    fine = build_resunet(input_shape, name=MEMBERS[0])(inputs)

    # Three pixels of four, each the mean of the area it covers, as preprocessing makes them for a
    # smaller network: every pixel thrice each way, then means of four by four.
    coarse = layers.UpSampling2D(3, interpolation="nearest", name="triple")(inputs)
    coarse = layers.AveragePooling2D(4, name="quarter")(coarse)
    coarse = build_efficientnet_unet((rows * 3 // 4, cols * 3 // 4, channels), name=MEMBERS[1])(
        coarse
    )
    coarse = layers.Resizing(rows, cols, dtype="float32", name="enlarge")(coarse)

    mean = layers.Average(dtype="float32", name="logits")([fine, coarse])
    return keras.Model(inputs, mean, name=name)
