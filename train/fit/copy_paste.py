"""Paste lesions of one patient into slices of another (after Yang et al. 2021, TumorCP, arXiv:2107.09843,
and Zhang et al. 2021, CarveMix, arXiv:2108.06883)."""

from __future__ import annotations

import cv2
import numpy as np

from btmodels.transforms.preprocess import FOREGROUND_LEVEL

RIM = 24
"""The assumed thickness of scalp and skull is the slice's rows divided by this."""

FITS = 0.95
"""Smallest share of a pasted lesion's pixels within the rim of the head."""

TOUCHES = 0.25
"""Largest share of a pasted lesion's pixels that overlap the slice's own lesion."""


def paste_lesion(
    pixels: np.ndarray,
    mask: np.ndarray,
    donor: np.ndarray,
    donor_mask: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Blend the lesion of one slice into another slice, and its mask into that slice's mask.

    The lesion is mirrored, rotated, scaled, and shifted at random, and stays near its original location,
    since tissue varies with location. It keeps its contrast, not its brightness: each channel keeps the
    lesion's distance from the head around it, scaled to the standard deviation of the new head. The edge
    is blended over a few pixels.

    Args:
        pixels: uint8, (size, size, 3).
        mask: uint8, (size, size), 0 to 255.
        donor: uint8, (size, size, 3), a slice with a lesion.
        donor_mask: uint8, (size, size), 0 to 255.
        rng: Random generator.

    Returns:
        New arrays like ``pixels`` and ``mask``, or these arrays themselves if the lesion does not fit.
    """
    lesion, shape = _move(donor, donor_mask, rng)
    inside, head = shape > 127, _head(pixels)
    number = np.count_nonzero(inside)
    if (
        number == 0
        or np.count_nonzero(inside & _within_rim(head)) < FITS * number
        or np.count_nonzero(inside & (mask > 127)) > TOUCHES * number
    ):
        return pixels, mask
    size = pixels.shape[0]
    soft = cv2.GaussianBlur(shape, (0, 0), size / 128).astype(np.float32) / np.float32(255)
    around, here = _head(donor) & (donor_mask <= 127), head & (mask <= 127)
    result = pixels.astype(np.float32)
    for channel in range(3):
        source, target = donor[..., channel][around], pixels[..., channel][here]
        if not source.size or not target.size:
            return pixels, mask
        gain = np.clip(target.std() / max(source.std(), 1.0), 0.5, 2.0)
        brought = (lesion[..., channel] - source.mean()) * gain + target.mean()
        result[..., channel] += soft * (brought - result[..., channel])
    return np.rint(np.clip(result, 0, 255)).astype(np.uint8), np.maximum(mask, shape)


def _move(
    donor: np.ndarray, donor_mask: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    size = donor.shape[0]
    if rng.random() < 0.5:
        donor, donor_mask = donor[:, ::-1], donor_mask[:, ::-1]
    rows, cols = np.nonzero(donor_mask > 127)
    middle = (float(cols.mean()), float(rows.mean())) if rows.size else (size / 2, size / 2)
    matrix = cv2.getRotationMatrix2D(middle, rng.uniform(-30, 30), rng.uniform(0.7, 1.3))
    matrix[:, 2] += rng.uniform(-0.06, 0.06, 2) * size
    moved = (
        cv2.warpAffine(np.ascontiguousarray(plane), matrix, (size, size), flags=cv2.INTER_LINEAR)
        for plane in (donor, donor_mask)
    )
    lesion, shape = moved
    return lesion.astype(np.float32), shape


def _head(pixels: np.ndarray) -> np.ndarray:
    return pixels.max(axis=2) > FOREGROUND_LEVEL


def _within_rim(head: np.ndarray) -> np.ndarray:
    thickness = max(head.shape[0] // RIM, 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thickness + 1, 2 * thickness + 1))
    closed = cv2.morphologyEx(head.astype(np.uint8), cv2.MORPH_CLOSE, disk)  # close dark ventricles
    return cv2.erode(closed, disk) > 0
