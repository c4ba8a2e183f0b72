"""Fold batch normalization into convolutions for inference: the same function in fewer steps.

Once trained, batch normalization scales and shifts each channel by constants (Ioffe & Szegedy 2015,
arXiv:1502.03167). After a convolution, these are folded into its kernel and bias; elsewhere they become
one multiplication and one addition in the network's dtype, where Keras would cast to float32 and back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers, ops, tree

Affine = tuple[np.ndarray, np.ndarray]
"""Scale and offset of each channel, float32."""

HALF_PRECISION = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}
"""Weight dtype for each mixed policy. A network that is never trained stores its weights in half precision,
which saves a cast in each call."""


def fold_batchnorm(model: keras.Model) -> keras.Model:
    """Return a copy that gives the same outputs and cannot be trained.

    Args:
        model: Functional, each layer called once; nested models are folded too. Not modified.

    Returns:
        A model with the same inputs and outputs. In float32, its logits differ only by rounding.
    """
    affine = {
        layer.name: _affine(layer)
        for layer in model.layers
        if isinstance(layer, layers.BatchNormalization)
    }
    before = _convolutions_before(model)
    into = {before[name].name: numbers for name, numbers in affine.items() if name in before}
    weights: dict[str, list[np.ndarray]] = {}

    def copy(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, keras.Model):
            return fold_batchnorm(layer)
        config = layer.get_config()
        if layer.name in affine:
            # After a convolution, the copy of a normalization is never called.
            factor, offset = affine[layer.name]
            return layers.Rescaling(factor, offset, name=layer.name, dtype=_numbers(layer))
        if layer.weights:
            weights[layer.name] = _joined(layer, into.get(layer.name))
            config["dtype"] = _numbers(layer)
            if "kernel_initializer" in config:
                config["kernel_initializer"] = "zeros"  # random initialization would waste time
            if layer.name in into:
                config["use_bias"] = True
        return type(layer).from_config(config)

    def call(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        if layer.name in before:
            return args[0]
        if layer.name in affine:
            return layer(args[0])  # Rescaling does not take the other arguments of a normalization
        return layer(*args, **kwargs)

    copied = keras.models.clone_model(model, clone_function=copy, call_function=call)
    for name, values in weights.items():
        copied.get_layer(name).set_weights(values)
    return copied


def factors(model: keras.Model) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yield the kernel of each layer, and the factors by which `fold_batchnorm` multiplies its channels.

    Args:
        model: As for `fold_batchnorm`.

    Yields:
        float32 kernel, and float32 factor of each output channel; None without a normalization.
    """
    into = {
        convolution.name: _affine(model.get_layer(name))[0]
        for name, convolution in _convolutions_before(model).items()
    }
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from factors(layer)
        elif layer.weights and not isinstance(layer, layers.BatchNormalization):
            yield layer.get_weights()[0], into.get(layer.name)


def _convolutions_before(model: keras.Model) -> dict[str, keras.Layer]:
    # For each normalization, by name: the linear convolution whose output only it uses.
    makers = {
        id(layer.output): layer
        for layer in model.layers
        if type(layer) in (layers.Conv2D, layers.DepthwiseConv2D)
        and layer.activation is keras.activations.linear
    }
    inputs = (
        each
        for layer in model.layers
        if not isinstance(layer, (layers.InputLayer, keras.Model))
        for each in tree.flatten(layer.input)
    )
    uses = Counter(id(each) for each in (*inputs, *model.outputs))
    return {
        layer.name: makers[id(layer.input)]
        for layer in model.layers
        if isinstance(layer, layers.BatchNormalization)
        and id(layer.input) in makers
        and uses[id(layer.input)] == 1
    }


def _affine(norm: layers.BatchNormalization) -> Affine:
    mean, variance = (ops.convert_to_numpy(v) for v in (norm.moving_mean, norm.moving_variance))
    factor = 1 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        factor = factor * ops.convert_to_numpy(norm.gamma)
    offset = -mean * factor
    if norm.center:
        offset = offset + ops.convert_to_numpy(norm.beta)
    return factor, offset


def _joined(layer: keras.Layer, affine: Affine | None) -> list[np.ndarray]:
    values = layer.get_weights()
    if affine is None:
        return values
    factor, offset = affine
    bias = values[1] if layer.use_bias else 0
    # The last axes of a depthwise kernel, channels and multiplier, together are its output channels.
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    kernel = values[0] * (factor.reshape(values[0].shape[2:]) if depthwise else factor)
    return [kernel, bias * factor + offset]


def _numbers(layer: keras.Layer) -> str:
    name = layer.dtype_policy.name
    return HALF_PRECISION.get(name, name)
