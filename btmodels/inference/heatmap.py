"""A classifier with two outputs: its logit, and the contribution of each position of its last feature maps.

For the maps A of the last convolutional layer and the logit y,

    weight_k = mean over i, j of dy / dA_k[i, j]        heat = max(0, sum over k of weight_k A_k)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

LAYERS = {"resnet50": "conv5_block3_out"}
"""The last convolutional layer, by registry name of a classifier."""


def with_heatmap(model: keras.Model, layer: str) -> keras.Model:
    """Return a classifier that also outputs its heatmap by the formula above.

    Between the maps and the logit are global average pooling and one dense layer with a weight for each
    map. So dy / dA_k is that weight divided by the number of positions, and no gradient has to be computed.

    Args:
        model: Classifier, (batch, rows, cols, 3) to logits (batch, 1). Not modified.
        layer: Name of the layer whose maps are weighted.

    Returns:
        A model of the same input to logits (batch, 1) and heat, at least 0, (batch, rows, cols, 1) of the
        layer.

    Raises:
        ValueError: Other layers follow the layer.
    """
    import keras
    from keras import layers, ops

    start = model.get_layer(layer)
    after = model.layers[model.layers.index(start) + 1 :]
    kinds = [type(each) for each in after if not isinstance(each, layers.Dropout)]
    if kinds != [layers.GlobalAveragePooling2D, layers.Dense]:
        raise ValueError(
            "A mean of the maps and one dense layer must follow. Received: "
            f"{layer!r} of {model.name}, followed by {[each.name for each in after]}"
        )
    kernel = after[-1].get_weights()[0]  # (channels, 1)
    maps = start.output
    weigh = layers.Conv2D(1, 1, use_bias=False, dtype="float32", name="weigh_maps")
    heat = layers.Rescaling(1 / (maps.shape[1] * maps.shape[2]), dtype="float32")(weigh(maps))
    weigh.set_weights([ops.reshape(kernel, (1, 1, -1, 1))])
    heat = layers.ReLU(dtype="float32", name="heat")(heat)
    return keras.Model(model.input, [model.output, heat], name=model.name)
