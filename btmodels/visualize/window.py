"""The display window of slices: gray values of the head fill the range of the screen.

MRI has no units, so a file's values often leave the brain nearly black. Only the display is windowed;
networks and measures get the unchanged slice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from btmodels.slices import FLAIR, Slice
from btmodels.transforms.postprocess import head_mask

PERCENTILES = (1.0, 98.0)
"""Percentiles of the values inside the head that become black and white."""

RIM = 0.1
"""Width of the excluded rim as a fraction of the head's width: fat under the skin outshines the brain."""

Window = tuple[int, int]
"""Values that become black and white, 0 to 255, the first below the second."""

FULL: Window = (0, 255)
_SLICES = 12


def windows_of(slices: Sequence[Slice]) -> list[tuple[Window, Window, Window]]:
    """Return the automatic window of each channel for each slice.

    Slices of one volume or one patient share their windows, so that brightness stays the same from slice
    to slice.
    """
    groups: dict[object, list[int]] = {}
    for index, each in enumerate(slices):
        one = each.position.volume if each.position else each.patient
        groups.setdefault(index if one is None else one, []).append(index)
    found: list[tuple[Window, Window, Window]] = [(FULL, FULL, FULL)] * len(slices)
    for members in groups.values():
        some = members[:: -(-len(members) // _SLICES)]
        windows = auto_windows([slices[index].pixels for index in some])
        for index in members:
            found[index] = windows
    return found


def auto_windows(pixels: Sequence[np.ndarray]) -> tuple[Window, Window, Window]:
    """Return the window of each channel: `PERCENTILES` inside the head.

    Args:
        pixels: uint8, (rows, cols, 3) each, 0 to 255.

    Returns:
        One window per channel; `FULL` if there is no head or it only has one value.
    """
    heads = [each[mask] for each in pixels if (mask := _inside(head_mask(each))).any()]
    if not heads:
        return FULL, FULL, FULL
    values = np.concatenate(heads)
    low, high = np.percentile(values, PERCENTILES, axis=0)
    return tuple(
        (int(a), int(np.ceil(b))) if b > a else FULL for a, b in zip(low, high, strict=True)
    )


def _inside(head: np.ndarray) -> np.ndarray:
    """Remove the rim of a head, bool, (rows, cols); the picture's edge counts as its border."""
    width = 2 * math.sqrt(np.count_nonzero(head) / math.pi)
    framed = cv2.copyMakeBorder(head.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    inside = depth > RIM * width
    return inside if inside.any() else head


def apply_window(values: np.ndarray, window: Window) -> np.ndarray:
    """Map the window's ends to 0 and 255; values beyond are clipped.

    Args:
        values: uint8, 0 to 255.
        window: As from `auto_windows`.

    Returns:
        uint8 of the same shape.
    """
    low, high = window
    table = np.clip((np.arange(256) - low) * (255 / (high - low)), 0, 255)
    return np.rint(table).astype(np.uint8)[values]


def shown_flair(pixels: np.ndarray, window: Window | None = None) -> np.ndarray:
    """Return a slice's FLAIR channel as displayed, uint8, (rows, cols).

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.
        window: Window of its volume; None uses the slice's automatic window.
    """
    flair = np.ascontiguousarray(pixels[..., FLAIR])
    return apply_window(flair, auto_windows([pixels])[FLAIR] if window is None else window)
