"""Similarity of two slices, the measure of leakage in a split by slice."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from btmodels.transforms.preprocess import normalize

SIZE = 64
"""Rows and columns that slices are compared at."""


def vectors(slices: Iterable[np.ndarray], size: int = SIZE) -> np.ndarray:
    """Return what slices are compared by: all channels, shrunk and standardized over the head.

    Args:
        slices: uint8, (rows, cols, 3), 0 to 255, each.
        size: Rows and columns to shrink to.

    Returns:
        float32, (slices, size * size * 3).
    """
    small = (cv2.resize(each, (size, size), interpolation=cv2.INTER_AREA) for each in slices)
    return np.stack([normalize(each, (size, size)).ravel() for each in small])


def distances(known: np.ndarray) -> np.ndarray:
    """Return how far each slice is from each other one: the root of the mean squared difference.

    Args:
        known: float32, (slices, values), as `vectors` returns.

    Returns:
        float32, (slices, slices); 0 for the same slice.
    """
    # |a - b|^2 as |a|^2 - 2 ab + |b|^2: a product of matrices instead of a loop over pairs.
    squares = np.mean(known**2, axis=1)
    apart = squares[:, None] + squares[None] - 2 * (known @ known.T) / known.shape[1]
    np.fill_diagonal(apart, 0)
    return np.sqrt(np.maximum(apart, 0)).astype(np.float32)
