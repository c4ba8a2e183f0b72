"""Resample a slice whose pixels are not square, and a map of it back to its own pixels."""

from __future__ import annotations

import cv2
import numpy as np

MOST_SIDE = 1024
"""Maximum number of rows or columns of a resampled slice."""

UNEQUAL = 1.2
"""Minimum aspect ratio of a pixel for resampling."""


def square_shape(pixels: np.ndarray, spacing: tuple[float, float] | None) -> tuple[int, int]:
    """Return the rows and columns of the result of `in_proportion`, whose arguments these are."""
    if spacing is None or max(spacing) < UNEQUAL * min(spacing):
        return pixels.shape[:2]
    size = np.array(pixels.shape[:2]) * spacing
    rows, cols = size / max(min(spacing), float(size.max()) / MOST_SIDE)
    return max(1, round(rows)), max(1, round(cols))


def in_proportion(pixels: np.ndarray, spacing: tuple[float, float] | None) -> np.ndarray:
    """Return a slice with square pixels, as large as the shorter side of its own, or with `MOST_SIDE` rows
    or columns.

    The networks and the input check know heads in their true proportions.

    Args:
        pixels: uint8, (rows, cols, 3).
        spacing: Row and column spacing in millimeters; None if unknown.

    Returns:
        uint8, (rows, cols, 3); the slice itself if its pixels are nearly square or their size is unknown.
    """
    return _resize(pixels, square_shape(pixels, spacing))


def to_own_pixels(probability_map: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Undo `in_proportion` for a map.

    Args:
        probability_map: uint8, (rows, cols) of the result of `in_proportion`.
        pixels: The slice that was resampled.

    Returns:
        uint8, (rows, cols) of ``pixels``; ``probability_map`` itself if nothing was resampled.
    """
    return _resize(probability_map, pixels.shape[:2])


def _resize(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if values.shape[:2] == shape:
        return values
    rows, cols = shape
    # Area averaging when shrinking: linear interpolation would skip most pixels.
    smaller = rows < values.shape[0] or cols < values.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(values, (cols, rows), interpolation=method)
