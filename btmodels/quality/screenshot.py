"""Find the slice in a screenshot: the largest rectangle that stands out from a plain background."""

from __future__ import annotations

import cv2
import numpy as np

LEAST_SIDE = 96
"""Minimum side in pixels: a smaller rectangle is an icon."""

LEAST_SHARE, MOST_SHARE = 0.05, 0.9
"""Range of the rectangle's fraction of the picture."""

_DIFFERENT = 24
_FILLED = 0.85


def find_slice(pixels: np.ndarray) -> tuple[slice, slice] | None:
    """Return the rows and columns of the slice in a screenshot; None if there is none.

    The background is the median gray of the screenshot's border: a page, a window, a slide. The slice is
    the largest component that differs from it and fills its bounding box.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.
    """
    gray = pixels.mean(axis=2)
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    surrounding = float(np.median(border))
    differs = (np.abs(gray - surrounding) > _DIFFERENT).astype(np.uint8)
    # Opening removes lines of text and frames.
    differs = cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(differs, connectivity=8)
    total = gray.size
    for left, top, width, height, area in sorted(stats[1:].tolist(), key=lambda row: -row[4]):
        share = width * height / total
        square = 0.5 < width / height < 2
        fits = LEAST_SHARE <= share <= MOST_SHARE and min(width, height) >= LEAST_SIDE
        if fits and square and area >= _FILLED * width * height:
            return slice(top, top + height), slice(left, left + width)
    return None


def crop(pixels: np.ndarray) -> np.ndarray:
    """Return the slice in a screenshot; the whole picture if there is none."""
    found = find_slice(pixels)
    return pixels if found is None else np.ascontiguousarray(pixels[found])
