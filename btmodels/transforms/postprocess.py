"""Convert logits to probabilities, and probability maps to masks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from btmodels.slices import FLAIR
from btmodels.transforms.preprocess import FOREGROUND_LEVEL

LEAST_HEAD = 0.01
"""A region below this fraction of the slice is noise, not a head."""


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, 0 to 1, for logits of any shape, in their dtype."""
    with np.errstate(
        over="ignore"
    ):  # the exponential may overflow to infinity, which correctly gives 0
        return 1 / (1 + np.exp(-logits))


def quantized_threshold(threshold: float) -> int:
    """Return the lowest value of a probability map, of 255, that is marked at a threshold from 0 to 1.

    0 is never marked: at threshold 0 the mask is "anything at all", not the whole slice.
    """
    # A threshold equal to a value must give that value despite rounding of the product.
    return max(1, math.ceil(threshold * 255 - 1e-9))


NETWORK_SIDE = 256
"""Side in pixels of the data set's slices, the scale of `Record.min_component_pixels`."""


def smallest_part(min_component_pixels: int, rows: int, cols: int) -> int:
    """Return the minimum number of pixels of a connected component in a slice of a given size.

    So a slice keeps the same components at any resolution.

    Args:
        min_component_pixels: From a record, counted at `NETWORK_SIDE`.
        rows, cols: Size of the slice, which is padded to a square for the network.
    """
    scale = (max(rows, cols) / NETWORK_SIDE) ** 2
    return math.ceil(min_component_pixels * scale - 1e-9)


def binarize(
    probability_map: np.ndarray, threshold: float, min_component_pixels: int = 0
) -> np.ndarray:
    """Threshold a probability map and remove small connected components.

    Args:
        probability_map: uint8, (rows, cols), in 255ths.
        threshold: 0 to 1.
        min_component_pixels: 8-connected components with fewer pixels are removed.

    Returns:
        bool, (rows, cols).
    """
    mask = probability_map >= quantized_threshold(threshold)
    if min_component_pixels < 2 or not mask.any():
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= min_component_pixels
    keep[0] = False  # label 0 is the background
    return keep[labels]


def outline(mask: np.ndarray) -> np.ndarray:
    """Return the border of a mask: marked pixels with an unmarked 4-neighbor or at the edge.

    Args:
        mask: bool, (rows, cols).

    Returns:
        bool, (rows, cols).
    """
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask.astype(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask & (inner == 0)


def head_mask(pixels: np.ndarray) -> np.ndarray:
    """Find the head: the largest foreground component of FLAIR by Otsu's threshold, with holes filled.

    Otsu's method (1979, IEEE Trans SMC 9:62) separates air from head by the histogram alone.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.

    Returns:
        bool, (rows, cols); empty if there is no head.
    """
    flair = np.ascontiguousarray(pixels[..., FLAIR])
    if int(flair.max()) - int(flair.min()) <= FOREGROUND_LEVEL:
        return np.zeros(flair.shape, bool)
    # Flood fill the air from a frame around the slice: background that it does not reach is a hole.
    # Fill holes before choosing a component: the scalp's ring often is not connected with the brain.
    _, foreground = cv2.threshold(flair, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    framed = cv2.copyMakeBorder(foreground, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(framed, None, (0, 0), 2, flags=4)
    filled = (framed[1:-1, 1:-1] != 2).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(filled, connectivity=8)
    head = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return head if head.mean() >= LEAST_HEAD else np.zeros(flair.shape, bool)


LEAST_SHARE = 0.1
"""Components with fewer pixels than this fraction of the largest are removed."""

RULE = (
    "Of the parts that connect across neighboring slices, those with fewer than "
    f"{100 * LEAST_SHARE:.0f}% of the largest part's pixels are dropped."
)
"""The rule in a sentence, for reports of scores."""


def drop_small_parts(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Keep a patient's largest 3-D connected component and those that are not much smaller.

    A tumor extends through neighboring slices; most false positives are specks in one or two of them. Buda
    et al. 2019 keep only the largest component, which loses part of a tumor with two components; a fraction
    of the largest keeps both. The fraction is a round number that was not fitted to any patients.

    Args:
        masks: bool, (rows, cols) each, slices in the order of the stack; components are 26-connected.
            Slices of different sizes are aligned at their upper left corner.

    Returns:
        bool, with the shapes of the masks.
    """
    from skimage.measure import label  # slow to import

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
