"""Convert logits to probabilities, and probability maps to masks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from btmodels.slices import FLAIR
from btmodels.transforms.preprocess import FOREGROUND_LEVEL

LEAST_HEAD = 0.01
"""A region below this share of the slice is noise, not a head."""


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, 0 to 1, of logits of any shape, in their own float type."""
    with np.errstate(
        over="ignore"
    ):  # the exponential runs to infinity, which gives the 0 that is meant
        return 1 / (1 + np.exp(-logits))


def lowest_level(threshold: float) -> int:
    """Return the lowest level (of 255) that counts as marked at a threshold from 0 to 1.

    Level 0 is never marked: at threshold 0 the mask is "anything at all", not the whole slice.
    """
    # A threshold that names a level must stay at that level, however the product is rounded.
    return max(1, math.ceil(threshold * 255 - 1e-9))


NETWORK_SIDE = 256
"""Pixels of a slice's side in the data set: the scale on which a smallest part was chosen."""


def smallest_part(min_component_pixels: int, rows: int, cols: int) -> int:
    """Return how many pixels of a slice's own make the smallest part that is kept.

    The same slice then keeps the same parts at any size of its file.

    Args:
        min_component_pixels: As a record has it, counted at `NETWORK_SIDE`.
        rows, cols: Of the slice, which networks see as a square of its longer side.
    """
    scale = (max(rows, cols) / NETWORK_SIDE) ** 2
    return math.ceil(min_component_pixels * scale - 1e-9)


def cut(levels: np.ndarray, threshold: float, min_component_pixels: int = 0) -> np.ndarray:
    """Threshold a probability map and remove small parts.

    Args:
        levels: uint8, (rows, cols), probability in 255ths.
        threshold: 0 to 1.
        min_component_pixels: Connected parts (8 neighbors) with fewer pixels are dropped.

    Returns:
        bool, (rows, cols).
    """
    mask = levels >= lowest_level(threshold)
    if min_component_pixels < 2 or not mask.any():
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= min_component_pixels
    keep[0] = False  # label 0 is the background
    return keep[labels]


def outline(mask: np.ndarray) -> np.ndarray:
    """Return the border of a mask: marked pixels beside (4 neighbors) an unmarked one or the edge.

    Args:
        mask: bool, (rows, cols).

    Returns:
        bool, (rows, cols).
    """
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask.astype(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask & (inner == 0)


def head_mask(pixels: np.ndarray) -> np.ndarray:
    """Find the head: the largest foreground part of FLAIR after Otsu, with its holes filled.

    Otsu 1979, IEEE Trans SMC 9:62, splits air from head by the histogram alone.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.

    Returns:
        bool, (rows, cols); empty if there is no head.
    """
    flair = np.ascontiguousarray(pixels[..., FLAIR])
    if int(flair.max()) - int(flair.min()) <= FOREGROUND_LEVEL:
        return np.zeros(flair.shape, bool)
    # Framed in air, so that it runs around the head: what it cannot reach (4 neighbors) is a hole.
    # Holes come first: the ring of the scalp then holds the brain, which is often no part of it.
    _, foreground = cv2.threshold(flair, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    framed = cv2.copyMakeBorder(foreground, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(framed, None, (0, 0), 2, flags=4)
    filled = (framed[1:-1, 1:-1] != 2).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(filled, connectivity=8)
    head = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return head if head.mean() >= LEAST_HEAD else np.zeros(flair.shape, bool)


LEAST_SHARE = 0.1
"""Parts with fewer pixels than this share of the largest are dropped."""

RULE = (
    "Of the parts that connect across neighboring slices, those with fewer than "
    f"{100 * LEAST_SHARE:.0f}% of the largest part's pixels are dropped."
)
"""The rule in a sentence, for those who report a score with it."""


def drop_small_parts(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Keep a patient's largest connected part and those that are not much smaller, in three dimensions.

    A tumor runs through neighboring slices; most false alarms are specks in one or two of them. Buda et
    al. 2019 keep only the largest part and so lose the smaller part of a tumor in two; a share of the
    largest keeps both. The share is a round number that was not fitted to any patients.

    Args:
        masks: bool, (rows, cols) each, slices in the order of the stack. Pixels that touch, by a corner
            or from one slice to the next, belong to one part. Slices of different sizes are
            aligned at their upper left corner.

    Returns:
        bool, the masks' own shapes.
    """
    from skimage.measure import label  # takes longer to import than most pages to draw

    if not masks:
        return []
    rows, cols = np.max([mask.shape for mask in masks], axis=0)
    volume = np.zeros((len(masks), rows, cols), bool)
    for layer, mask in zip(volume, masks, strict=True):
        layer[: mask.shape[0], : mask.shape[1]] = mask
    labels = label(volume, connectivity=3)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0  # label 0 is the background
    keep = (sizes >= LEAST_SHARE * sizes.max()) & (sizes > 0)
    return [
        keep[layer[: mask.shape[0], : mask.shape[1]]]
        for layer, mask in zip(labels, masks, strict=True)
    ]
