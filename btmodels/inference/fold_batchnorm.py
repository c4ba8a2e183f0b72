"""Fold batch normalization into convolutions for inference: the same function in fewer steps.

Once trained, a batch normalization multiplies and shifts each channel by fixed numbers (Ioffe & Szegedy
2015, arXiv:1502.03167). After a convolution those go into its kernel and bias; elsewhere they are one
multiplication and one addition in the network's own numbers, where Keras goes to float32 and back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers, ops, tree

Affine = tuple[np.ndarray, np.ndarray]
"""Factor and offset of each channel, float32."""

HALF_PRECISION = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}
"""What computes in half precision and never learns holds its weights so: none is converted at each call."""


def fold_batchnorm(model: keras.Model) -> keras.Model:
    """Return a copy that gives the same answers and cannot be trained.

    Args:
        model: Functional, each layer called once; networks inside it are folded too. Not modified.

    Returns:
        A model of the same inputs and outputs. In float32 its logits differ by rounding alone.
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
            # The copy of a normalization after a convolution is never called.
            factor, offset = affine[layer.name]
            return layers.Rescaling(factor, offset, name=layer.name, dtype=_numbers(layer))
        if layer.weights:
            weights[layer.name] = _joined(layer, into.get(layer.name))
            config["dtype"] = _numbers(layer)
            if "kernel_initializer" in config:
                config["kernel_initializer"] = "zeros"  # drawing numbers for naught takes a while
            if layer.name in into:
                config["use_bias"] = True
        return type(layer).from_config(config)

    def call(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        if layer.name in before:
            return args[0]
        if layer.name in affine:
            return layer(args[0])  # what else a normalization is called with says nothing here
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
        float32 kernel, and float32 factor of each channel of its output; None without a normalization.
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
    # By a normalization's name the convolution that feeds it and nothing else, with no ReLU between.
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
    # A depthwise kernel ends in channels and multiplier, which together are the channels of its output.
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    kernel = values[0] * (factor.reshape(values[0].shape[2:]) if depthwise else factor)
    return [kernel, bias * factor + offset]


def _numbers(layer: keras.Layer) -> str:
    name = layer.dtype_policy.name
    return HALF_PRECISION.get(name, name)
