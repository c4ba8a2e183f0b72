"""Convert a slice to a network's input and a map back, identically in training and on the site."""

from __future__ import annotations

import cv2
import numpy as np

FOREGROUND_LEVEL = 10
"""A pixel belongs to the head if any channel is brighter than this (of 255): air and padding are not."""

CLIP = 6.0
"""Standardized values are clipped to +-CLIP, so that a single bright pixel cannot dominate a channel."""


def square_box(rows: int, cols: int) -> tuple[int, int, int]:
    """Return (side, top, left) of the smallest square with the image at its center."""
    side = max(rows, cols)
    return side, (side - rows) // 2, (side - cols) // 2


def fit_to(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pad an image to a square with black and resize it, so that proportions are kept.

    Args:
        pixels: uint8, (rows, cols, channels) or (rows, cols).
        size: Wanted (rows, cols), equal to each other.

    Returns:
        uint8 of the wanted size; the input itself if it already has that size.
    """
    rows, cols = pixels.shape[:2]
    if (rows, cols) == size:
        return pixels
    side, top, left = square_box(rows, cols)
    square = np.zeros((side, side, *pixels.shape[2:]), pixels.dtype)
    square[top : top + rows, left : left + cols] = pixels
    # Area averaging when shrinking: any other filter lets fine noise alias into the small image.
    method = cv2.INTER_AREA if side > size[0] else cv2.INTER_LINEAR
    return cv2.resize(square, size[::-1], interpolation=method)


def standardize(pixels: np.ndarray) -> np.ndarray:
    """Give each channel zero mean and unit standard deviation over the head.

    Scanners and sites differ in gain and offset, and standardizing removes both. The statistics are those
    of the head alone, because the share of black air differs from slice to slice.

    Args:
        pixels: uint8 or float, (rows, cols, 3), 0 to 255.

    Returns:
        float32, (rows, cols, 3), within +-`CLIP`; air keeps its (negative) value.
    """
    values = np.ascontiguousarray(pixels, dtype=np.float32)
    brightest = np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])
    head = (brightest > FOREGROUND_LEVEL).view(np.uint8)
    if cv2.countNonZero(head) < 0.01 * head.size:  # no head: use the whole picture
        head[:] = 1
    mean, deviation = cv2.meanStdDev(values, mask=head)
    mean = mean.ravel().astype(np.float32)
    gain = (1 / np.maximum(deviation.ravel(), 1.0)).astype(np.float32)
    values = (values - mean) * gain
    return np.clip(values, -CLIP, CLIP, out=values)


def normalize(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a network's input for a slice: padded to a square, resized, standardized.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.
        size: (rows, cols) of the network's input.

    Returns:
        float32, (*size, 3).
    """
    return standardize(fit_to(pixels, size))


def restore(probability: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Undo `fit_to` for a probability map.

    Args:
        probability: float32, square, 0 to 1.
        rows, cols: Size of the slice that was fitted.

    Returns:
        float32, (rows, cols), 0 to 1.
    """
    if probability.shape == (rows, cols):
        return probability
    side, top, left = square_box(rows, cols)
    # As in `fit_to`: when downsampling, bilinear interpolation would skip most pixels.
    method = cv2.INTER_AREA if side < len(probability) else cv2.INTER_LINEAR
    square = cv2.resize(probability, (side, side), interpolation=method)
    return square[top : top + rows, left : left + cols]


def quantize(probability: np.ndarray) -> np.ndarray:
    """Round probabilities to 255ths, the form in which they are sent and thresholded; uint8."""
    return np.rint(np.clip(probability, 0.0, 1.0) * 255.0).astype(np.uint8)
