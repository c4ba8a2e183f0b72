"""ResNet50 as a classifier (He, Zhang, Ren, Sun 2016, arXiv:1512.03385), from `keras.applications`."""

from __future__ import annotations

import keras
from keras import layers

PYRAMID = ("conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out")
"""Last layer of each of ResNet50's stages, at 1/4, 1/8, 1/16 and 1/32 of the input."""


def resnet50_encoder(inputs, weights: str | None = None) -> keras.Model:
    """Return ResNet50 without its top, from ``inputs`` to 2048 feature maps at 1/32.

    Args:
        inputs: Standardized slices, (batch, rows, cols, 3).
        weights: As for `build_resnet50`.
    """
    # Standardized slices span a few units, ImageNet's zero-centered pixels about a hundred. For random
    # weights the factor has no effect, because batch normalization follows the first convolution.
    x = layers.Rescaling(64.0, name="to_imagenet_range")(inputs)
    return keras.applications.ResNet50(include_top=False, weights=weights, input_tensor=x)


def build_resnet50(
    input_shape: tuple[int, int, int] = (128, 128, 3),
    weights: str | None = None,
    name: str = "resnet50",
) -> keras.Model:
    """Build ResNet50 with one logit: does this slice show a tumor?

    Args:
        input_shape: (rows, cols, 3), at least 32 each.
        weights: "imagenet" for pretrained weights, which Keras downloads on first use; None for random
            ones.
        name: Name of the model.

    Returns:
        A model from (batch, rows, cols, 3) to logits (batch, 1).
    """
    inputs = keras.Input(input_shape, name="slice")
    encoder = resnet50_encoder(inputs, weights)
    x = layers.GlobalAveragePooling2D(name="pool")(encoder.output)
    return keras.Model(inputs, layers.Dense(1, dtype="float32", name="logits")(x), name=name)


def with_localizer(classifier: keras.Model, width: int = 64) -> keras.Model:
    """Add a small decoder for training, so that the network also has to locate the tumor.

    Labels of slices from seventy patients are too little for 23 million weights; the masks of the same
    patients supervise every stage. The decoder is a feature pyramid (Lin et al. 2017, arXiv:1612.03144)
    and is discarded after training. Encoder and verdict are shared with ``classifier``, not copied.

    Args:
        classifier: From `build_resnet50`.
        width: Channels of the pyramid.

    Returns:
        A model from (batch, rows, cols, 3) to {"verdict": logits (batch, 1), "where": logits
        (batch, rows / 4, cols / 4, 1)}.
    """
    x = None
    for stage in reversed(PYRAMID):
        lateral = layers.Conv2D(width, 1, name=f"{stage}_lateral")(
            classifier.get_layer(stage).output
        )
        if x is None:
            x = lateral
        else:
            x = layers.UpSampling2D(2, name=f"{stage}_up")(x)
            x = layers.Add(name=f"{stage}_merge")([x, lateral])
    x = layers.Conv2D(width, 3, padding="same", activation="relu", name="where_conv")(x)
    where = layers.Conv2D(1, 1, dtype="float32", name="where")(x)
    return keras.Model(
        classifier.input, {"verdict": classifier.output, "where": where}, name="localizer"
    )
