"""Grad-CAM: which parts of a slice spoke for "tumor" in the classifier (Selvaraju et al. 2017).

For the maps A of the last convolutional layer and the logit y,

    weight_k = mean over i, j of dy / dA_k[i, j]        heat = max(0, sum over k of weight_k A_k)

as in https://doi.org/10.1109/ICCV.2017.74. The heat has that layer's few rows and columns: it tells a
quarter of the head from another, not a border. It says where the verdict came from, not where a tumor is.

Importing this module is cheap: the web process names `compute_gradcam`, the worker runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from btmodels.inference import worker
from btmodels.transforms.preprocess import normalize, restore, to_levels

if TYPE_CHECKING:
    import keras

LAYERS = {"resnet50": "conv5_block3_out"}
"""The last layer with rows and columns, by registry name of a classifier."""


@dataclass(frozen=True, eq=False)
class GradCAM:
    """Grad-CAM of one slice.

    Attributes:
        levels: uint8, (rows, cols) of the slice: heat, its highest value as 255; all 0 where nothing in
            the slice speaks for a tumor.
        grid: (rows, cols) of the layer that it was computed at.
        layer: Name of that layer.
        classifier: Registry name.
    """

    levels: np.ndarray
    grid: tuple[int, int]
    layer: str
    classifier: str


def compute_gradcam(image: np.ndarray, classifier: str, assets: Path) -> GradCAM:
    """Compute Grad-CAM for a slice, in the worker.

    Where the classifier averages a slice with its mirror image, so does this.

    Args:
        image: uint8, (rows, cols, 3), 0 to 255.
        classifier: Registry name.
        assets: Folder that holds ``weights/``.

    Raises:
        KeyError: It is no classifier with a layer to look at.
        WeightsError: Its weights are missing or altered.
    """
    predictor = worker.get_predictor(classifier, assets)
    layer = LAYERS[predictor.spec.name]
    size = predictor.spec.input_shape[:2]
    values = normalize(image, size)[None]
    found = heatmap(predictor.model, layer, values)[0]
    grid = found.shape
    if predictor.record.flips:
        mirrored = heatmap(predictor.model, layer, np.ascontiguousarray(values[:, :, ::-1]))[0]
        found = (found + mirrored[:, ::-1]) / 2
    found = found / max(float(found.max()), 1e-12)
    # The layer's grid covers the squared slice; bilinear from there to the slice's own pixels.
    import cv2

    square = cv2.resize(found.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    levels = to_levels(restore(square, *image.shape[:2]))
    return GradCAM(levels, grid, layer, predictor.spec.name)


def heatmap(model: keras.Model, layer: str, batch: np.ndarray) -> np.ndarray:
    """Compute the heat of slices: the formula above.

    Args:
        model: Classifier, (batch, rows, cols, 3) to logits (batch, 1).
        layer: Name of the layer whose maps are weighted.
        batch: float32, normalized.

    Returns:
        float32, (batch, rows, cols) of the layer, at least 0.
    """
    maps, slopes = _maps_and_slopes(model, layer, batch)
    weights = slopes.mean(axis=(1, 2))  # (batch, channels)
    return np.maximum(0.0, np.einsum("nijk,nk->nij", maps, weights)).astype(np.float32)


def _maps_and_slopes(model: Any, layer: str, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Each of shape (batch, rows, cols, channels).
    import keras
    from keras import ops

    body = keras.Model(model.input, model.get_layer(layer).output)
    maps = body(batch, training=False)
    head = _head_of(model, layer)
    if keras.backend.backend() == "jax":
        import jax

        slopes = jax.grad(lambda x: ops.sum(head(x, training=False)))(maps)
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(maps)
            logit = ops.sum(head(maps, training=False))
        slopes = tape.gradient(logit, maps)
    # float32 from here on, whatever numbers the network computes in.
    return tuple(ops.convert_to_numpy(ops.cast(each, "float32")) for each in (maps, slopes))


def _head_of(model: Any, layer: str) -> Any:
    # What follows the layer, as a model of its own; in a chain, for nothing runs past the last maps.
    import keras

    start = model.get_layer(layer)
    names = [each.name for each in model.layers]
    inputs = keras.Input(start.output.shape[1:], name="maps")
    found = inputs
    for each in model.layers[names.index(layer) + 1 :]:
        found = each(found)
    return keras.Model(inputs, found)
