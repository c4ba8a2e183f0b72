"""Count a network's multiply-adds from the shapes of its layers.

A multiply-add is one multiplication and one addition; twice their number is about the number of
floating-point operations. Only layers with a kernel are counted. Normalization, activations, pooling and
biases take a few operations per value, which is little compared with convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

import keras
from keras import layers


def multiply_adds(model: keras.Model) -> int:
    """Return the multiply-adds of one forward pass for one slice.

    By layer, with k the rows and columns of its kernel and c its channels:

    - `Conv2D`: rows_out * cols_out * k_rows * k_cols * (c_in / groups) * c_out. Products with padding
      count, as is usual.
    - `DepthwiseConv2D`: rows_out * cols_out * k_rows * k_cols * c_in * multiplier.
    - `Conv2DTranspose`: rows_in * cols_in * k_rows * k_cols * c_in * c_out: each input value is
      multiplied by the whole kernel once.
    - `Dense`: c_in * c_out at each position; there is one position after global pooling.

    Args:
        model: A functional model of known rows and columns, in which each layer is called once; nested
            models are counted layer by layer.

    Raises:
        ValueError: An unknown kind of layer has a kernel, or a size is undefined.
    """
    return sum(_of_layer(layer) for layer in _layers(model))


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _of_layer(layer: keras.Layer) -> int:
    formula = _FORMULAS.get(type(layer))
    if formula is None:
        if any(len(weight.shape) > 1 for weight in layer.weights):
            raise ValueError(
                "Multiply-adds are known of Conv2D, DepthwiseConv2D, Conv2DTranspose and Dense. "
                f"Received: {layer.name}, {type(layer).__name__}"
            )
        return 0
    factors = formula(layer)
    if None in factors:
        raise ValueError(f"Rows and columns must be known. Received: {layer.name}, {factors}")
    return prod(factors)


_FORMULAS: dict[type, Callable[[keras.Layer], tuple[int | None, ...]]] = {
    layers.Conv2D: lambda layer: (*layer.output.shape[1:-1], *layer.kernel.shape),
    layers.DepthwiseConv2D: lambda layer: (*layer.output.shape[1:-1], *layer.kernel.shape),
    layers.Conv2DTranspose: lambda layer: (*layer.input.shape[1:-1], *layer.kernel.shape),
    layers.Dense: lambda layer: (*layer.output.shape[1:-1], *layer.kernel.shape),
}
"""Factors by layer type; a kernel's shape holds its rows, columns, input and output channels."""
