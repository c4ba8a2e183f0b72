"""What a prediction says of a slice: mask, head, shares, score, and sentences that must not be missed."""

from __future__ import annotations

import math

import cv2
import numpy as np

from btmodels.metrics.overlap import count, dice
from btmodels.registry import Record, get
from btmodels.slices import FLAIR, Analysis, Prediction, Slice
from btmodels.transforms.preprocess import FOREGROUND_LEVEL

LEAST_HEAD = 0.01
"""A region below this share of the slice is noise, not a head."""


def lowest_level(threshold: float) -> int:
    """Return the lowest level (of 255) that counts as marked at a threshold from 0 to 1.

    Level 0 is never marked: at threshold 0 the mask is "anything at all", not the whole slice.
    """
    # A threshold that names a level must stay at that level, however the product is rounded.
    return max(1, math.ceil(threshold * 255 - 1e-9))


def cut(levels: np.ndarray, threshold: float, min_component_pixels: int = 0) -> np.ndarray:
    """Cut a mask from a probability map and clean it up.

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
    keep[0] = False  # label 0 is what is not marked
    return keep[labels]


def head_mask(pixels: np.ndarray) -> np.ndarray:
    """Find the head: the largest foreground part of FLAIR after Otsu, with its holes filled.

    Otsu 1979, IEEE Trans SMC 9:62, splits air from head by the histogram alone.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.

    Returns:
        bool, (rows, cols); nothing marked where there is no head to be found.
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


def measure(
    slice: Slice,
    prediction: Prediction,
    segmenter_record: Record,
    classifier_record: Record,
    model: str,
    classifier: str,
    threshold: float | None = None,
) -> Analysis:
    """Turn a prediction into all that is shown of a slice.

    The mask is the segmenter's own and the verdict the classifier's: where they contradict each other,
    both stay and a warning says so.

    Args:
        slice: What was predicted.
        prediction: Of the networks.
        segmenter_record, classifier_record: What training decided about each.
        model, classifier: Registry names.
        threshold: On the segmenter's probability, 0 to 1; the record's where None.

    Raises:
        ValueError: The prediction has another size than the slice.
    """
    if prediction.levels.shape != slice.pixels.shape[:2]:
        raise ValueError(
            "A prediction must have its slice's size. Received: "
            f"levels.shape={prediction.levels.shape}, pixels.shape={slice.pixels.shape}"
        )
    threshold = segmenter_record.threshold if threshold is None else threshold
    mask = cut(prediction.levels, threshold, segmenter_record.min_component_pixels)
    head = head_mask(slice.pixels)
    marked, head_pixels = int(np.count_nonzero(mask)), int(np.count_nonzero(head))
    tumor = prediction.tumor_probability >= classifier_record.threshold
    warnings = list(slice.notes)
    if tumor != (marked > 0):
        warnings.append(_contradiction(prediction.tumor_probability, threshold, marked))
    if not head_pixels:
        warnings.append("No head was found in this slice, so no share of it is given.")
    for record in (segmenter_record, classifier_record):
        if not record.complete:
            title = get(record.name).title
            warnings.append(f"The {title} has not been trained to the end; better weights follow.")
    return Analysis(
        slice=slice,
        prediction=prediction,
        model=model,
        classifier=classifier,
        weights_sha256=segmenter_record.sha256,
        threshold=threshold,
        tumor=bool(tumor),
        mask=mask,
        head=head,
        marked_pixels=marked,
        slice_share=marked / mask.size,
        head_share=np.count_nonzero(mask & head) / head_pixels if head_pixels else None,
        dice=None if slice.truth is None else dice(count(mask, slice.truth)),
        warnings=tuple(warnings),
    )


def _contradiction(probability: float, threshold: float, marked: int) -> str:
    if marked:
        pixels = "1 pixel" if marked == 1 else f"{marked:,} pixels"
        return (
            f"The classifier finds no tumor in this slice ({100 * probability:.1f} %), yet the "
            f"segmenter marks {pixels}. The two contradict each other: neither is to be trusted here."
        )
    return (
        f"The classifier finds a tumor in this slice ({100 * probability:.1f} %), yet the segmenter "
        f"marks nothing at threshold {threshold:.2f}. The two contradict each other: neither is to "
        "be trusted here."
    )


def square_millimeters(analysis: Analysis) -> float | None:
    """Return the area of the mask where the file says how large its pixels are, else None."""
    if analysis.slice.spacing is None:
        return None
    return analysis.marked_pixels * analysis.slice.spacing[0] * analysis.slice.spacing[1]
