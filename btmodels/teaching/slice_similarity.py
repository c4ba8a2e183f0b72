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


def distances(known: np.ndarray) -> np.ndarray:
    """Return the root-mean-square difference of each pair of slices.

    Args:
        known: float32, (slices, values), as `vectors` returns.

    Returns:
        float32, (slices, slices); 0 for the same slice.
    """
    # |a - b|^2 = |a|^2 - 2 ab + |b|^2: a matrix product instead of a loop over pairs.
    squares = np.mean(known**2, axis=1)
    apart = squares[:, None] + squares[None] - 2 * (known @ known.T) / known.shape[1]
    np.fill_diagonal(apart, 0)
    return np.sqrt(np.maximum(apart, 0)).astype(np.float32)
