"""Similarity of two slices, the measure of leakage in a split by slice."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from btmodels.transforms.preprocess import normalize

SIZE = 64
"""Rows and columns at which slices are compared."""


def vectors(slices: Iterable[np.ndarray], size: int = SIZE) -> np.ndarray:
    """Return feature vectors of slices: all channels, downsampled and standardized over the head.

    Args:
        slices: uint8, (rows, cols, 3), 0 to 255, each.
        size: Rows and columns of the downsampled slices.

    Returns:
        float32, (slices, size * size * 3).
    """
    small = (cv2.resize(each, (size, size), interpolation=cv2.INTER_AREA) for each in slices)
    return np.stack([normalize(each, (size, size)).ravel() for each in small])


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the root-mean-square difference of each pair of slices.

    Args:
        one, other: float32, (slices, values), as `vectors` returns.

    Returns:
        float64, (slices of one, slices of other); 0 for the same slice.
    """
    from scipy.spatial.distance import cdist  # slow to import

    return cdist(one, other) / np.sqrt(one.shape[1])
