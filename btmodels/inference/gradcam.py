"""Grad-CAM: the parts of a slice that support the classifier's "tumor" (Selvaraju et al. 2017).

For the maps A of the last convolutional layer and the logit y,

    weight_k = mean over i, j of dy / dA_k[i, j]        heat = max(0, sum over k of weight_k A_k)

(`btmodels.inference.heatmap`), as in https://doi.org/10.1109/ICCV.2017.74. The heat has that layer's
few rows and columns: it tells a quarter of the head from another, not a border. It says where the
verdict came from, not where a tumor is.

Importing this module is cheap: the web process names `compute_gradcam`, the worker runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from btmodels.inference import worker
from btmodels.inference.heatmap import LAYERS
from btmodels.transforms.preprocess import normalize, restore, to_levels


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


@worker.by_graphs
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
    values = normalize(image, size)
    views = [values, values[:, ::-1]] if predictor.record.flips else [values]
    found, *mirrored = predictor.heatmap(np.stack(views))
    grid = found.shape
    if mirrored:
        found = (found + mirrored[0][:, ::-1]) / 2
    found = found / max(float(found.max()), 1e-12)
    # The layer's grid covers the squared slice; bilinear from there to the slice's own pixels.
    import cv2

    square = cv2.resize(found.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    levels = to_levels(restore(square, *image.shape[:2]))
    return GradCAM(levels, grid, layer, predictor.spec.name)
