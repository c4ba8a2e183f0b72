"""Grad-CAM: the parts of a slice that support the classifier's "tumor" (Selvaraju et al. 2017).

For the maps A of the last convolutional layer and the logit y,

    weight_k = mean over i, j of dy / dA_k[i, j]        heat = max(0, sum over k of weight_k A_k)

(`btmodels.inference.heatmap`), as in https://doi.org/10.1109/ICCV.2017.74. The heatmap has the low
resolution of that layer: it can tell one quarter of the head from another, but shows no border. It shows
which parts support the verdict, not where a tumor is.

Importing this module is cheap: the web process refers to `compute_gradcam`, the worker runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from btmodels.inference import worker
from btmodels.inference.heatmap import LAYERS
from btmodels.transforms.preprocess import normalize, quantize, restore


@dataclass(frozen=True, eq=False)
class GradCAM:
    """Grad-CAM of one slice.

    Attributes:
        heatmap: uint8, (rows, cols) of the slice: heat, scaled so that its maximum is 255; all 0 if nothing
            in the slice supports a tumor.
        grid: (rows, cols) of the layer at which it was computed.
        layer: Name of that layer.
        classifier: Registry name.
    """

    heatmap: np.ndarray
    grid: tuple[int, int]
    layer: str
    classifier: str


@worker.by_graphs
def compute_gradcam(image: np.ndarray, classifier: str, assets: Path) -> GradCAM:
    """Compute Grad-CAM for a slice, in the worker.

    If the classifier averages a slice with its mirror image, the heatmap does too.

    Args:
        image: uint8, (rows, cols, 3), 0 to 255.
        classifier: Registry name.
        assets: Folder that holds ``weights/``.

    Raises:
        KeyError: It is not a classifier with a layer in `LAYERS`.
        WeightsError: Its weights are missing or altered.
    """
    predictor = worker.get_predictor(classifier, assets)
    layer = LAYERS[predictor.spec.name]
    size = predictor.spec.input_shape[:2]
    values = normalize(image, size)
    views = [values, values[:, ::-1]] if predictor.record.flips else [values]
    found, *mirrored = predictor.heatmap(np.stack(views))
    grid = found.shape
    if mirrored:
        found = (found + mirrored[0][:, ::-1]) / 2
    found = found / max(float(found.max()), 1e-12)
    # The layer's grid covers the slice padded to a square; restore undoes the padding.
    import cv2

    square = cv2.resize(found.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    heatmap = quantize(restore(square, *image.shape[:2]))
    return GradCAM(heatmap, grid, layer, predictor.spec.name)
