"""How far the outlines of two masks lie apart, in pixels of the slice's own grid."""

from __future__ import annotations

import cv2
import numpy as np

from btmodels.metrics.overlap import check_same_shape

PERCENTILE = 95.0
"""Of the distances: the farthest twentieth, often a stray pixel, does not decide."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def hausdorff95(prediction: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the 95 % Hausdorff distance between the outlines of two masks.

    From each outline's pixels to the nearest pixel of the other outline; of both directions' 95th
    percentiles the larger one (Huttenlocher et al. 1993, IEEE Trans PAMI 15:850, with a percentile in
    place of the maximum). An outline is the mask's pixels with a side at a pixel outside it; what lies
    beyond the slice's edge counts as outside.

    Args:
        prediction: bool, (rows, cols).
        truth: bool, the same shape.

    Returns:
        Pixels, 0 where the outlines are the same; None where either mask is empty.

    Raises:
        ValueError: The shapes differ.
    """
    check_same_shape(prediction, truth)
    if not prediction.any() or not truth.any():
        return None
    one, other = _outline(prediction), _outline(truth)
    return max(_farthest(one, other), _farthest(other, one))


def _outline(mask: np.ndarray) -> np.ndarray:
    mask = mask.astype(np.uint8)
    inner = cv2.erode(mask, _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask > inner


def _farthest(start: np.ndarray, goal: np.ndarray) -> float:
    distances = cv2.distanceTransform((~goal).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(np.percentile(distances[start].astype(np.float64), PERCENTILE))
