"""Find the slice in a screenshot: the largest rectangle that stands out from a plain background."""

from __future__ import annotations

import cv2
import numpy as np

LEAST_SIDE = 96
"""Pixels: a smaller picture in a picture is an icon."""

LEAST_SHARE, MOST_SHARE = 0.05, 0.9
"""Of the whole picture that the rectangle may take."""

_DIFFERENT = 24
_FILLED = 0.85


def find_slice(pixels: np.ndarray) -> tuple[slice, slice] | None:
    """Return rows and columns of the picture in a picture, None where there is none.

    The surrounding is what most of the picture's border is filled with: a page, a window, a slide. The
    rectangle is the largest part that differs from it and fills its own bounding box.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.
    """
    gray = pixels.mean(axis=2)
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    surrounding = float(np.median(border))
    differs = (np.abs(gray - surrounding) > _DIFFERENT).astype(np.uint8)
    # Lines of text and frames go; dark areas within a slice of a head are closed.
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
    """Return the picture in a picture; the whole where there is none."""
    found = find_slice(pixels)
    return pixels if found is None else np.ascontiguousarray(pixels[found])
