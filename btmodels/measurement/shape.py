"""Shape features of a tumor: size, irregularity, number of parts, location, heterogeneity.

Slices form a stack. The slice spacing is unknown, so sizes are counted in pixels and voxels (a voxel is a
pixel of one slice). Three figures are those of Buda, Saha, Mazurowski 2019 (Computers in Biology and
Medicine 109:218-225, doi:10.1016/j.compbiomed.2019.05.002), who relate them to genomic subtypes of
lower-grade glioma. They measure one connected component, and so do we: bounding-ellipsoid ratio, margin
fluctuation and angular deviation are those of the largest component, the latter two in the slice where
it is largest. Undefined figures are None.
"""

from __future__ import annotations

import cv2
import numpy as np

from btmodels.measurement.ellipsoid import bounding_ellipsoid_volume
from btmodels.measurement.shape_table import ENTROPY_BINS, LEVELS, Position, ShapeFigures
from btmodels.measurement.surface import head_volume
from btmodels.slices import FLAIR

ANGULAR_BINS = 10
"""Number of equal angular bins around the centroid for the angular standard deviation."""

SMOOTHED_SHARE = 0.1
"""Length of the averaging filter of the margin fluctuation, as a fraction of the outline's pixels."""

LEAST_OUTLINE = 30
"""Minimum number of outline pixels; with fewer, bins and filter have less than 3 pixels."""


def describe(
    masks: np.ndarray, pixels: np.ndarray | None = None, heads: np.ndarray | None = None
) -> ShapeFigures:
    """Measure the shape of the marked region in a patient's slices.

    Args:
        masks: bool, (slices, rows, cols), in the order of the stack.
        pixels: uint8, (slices, rows, cols, 3), 0 to 255; without them, position and heterogeneity are None.
        heads: `btmodels.measurement.surface.head_volume` of the pixels; computed here if None.

    Raises:
        ValueError: The shapes do not match.
    """
    masks = np.asarray(masks, bool)
    if masks.ndim != 3:
        raise ValueError(f"Masks are (slices, rows, cols). Received: masks.shape={masks.shape}")
    if heads is not None and np.shape(heads) != masks.shape:
        raise ValueError(
            "Heads must have the masks' shape. Received: "
            f"masks.shape={masks.shape}, heads.shape={np.shape(heads)}"
        )
    if pixels is not None and np.shape(pixels) != (*masks.shape, 3):
        raise ValueError(
            "Pixels must be those of the masks, with 3 channels. Received: "
            f"masks.shape={masks.shape}, pixels.shape={np.shape(pixels)}"
        )
    areas = masks.sum(axis=(1, 2))
    if not areas.any():
        return ShapeFigures(volume_voxels=0, marked_slices=0)
    largest = int(np.argmax(areas))
    part, parts = largest_part(masks)
    distances, angles = _outline(part[int(np.argmax(part.sum(axis=(1, 2))))])
    flair = None if pixels is None else np.asarray(pixels)[..., FLAIR][masks]
    if heads is None and pixels is not None:
        heads = head_volume(pixels)
    return ShapeFigures(
        volume_voxels=int(areas.sum()),
        marked_slices=int(np.count_nonzero(areas)),
        largest_slice=largest,
        largest_area_pixels=int(areas[largest]),
        parts=parts,
        parts_in_slice=count_parts(masks[largest]),
        ellipsoid_ratio=ellipsoid_ratio(part),
        margin_fluctuation=margin_fluctuation(distances),
        angular_deviation=angular_deviation(distances, angles),
        position=None if heads is None else position(masks, heads),
        flair_variation=None if flair is None else variation(flair),
        flair_entropy=None if flair is None else entropy(flair),
    )


def count_parts(mask: np.ndarray) -> int:
    """Count the 8-connected components of a mask, bool, (rows, cols)."""
    count, _ = cv2.connectedComponents(np.ascontiguousarray(mask, np.uint8), connectivity=8)
    return count - 1  # label 0 is the background


def largest_part(masks: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the largest 26-connected component of a volume and the number of components.

    Args:
        masks: bool, (slices, rows, cols).

    Returns:
        bool, (slices, rows, cols), the first of equal size, or empty; and the number of components.
    """
    from scipy import ndimage  # slow to import

    labels, count = ndimage.label(masks, structure=np.ones((3, 3, 3)))
    if not count:
        return np.zeros(masks.shape, bool), 0
    return labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:])), count


def ellipsoid_ratio(mask: np.ndarray) -> float | None:
    """Return the bounding-ellipsoid volume ratio (Buda et al. 2019).

    Volume of the mask divided by the volume of the smallest ellipsoid that holds it. The ratio is invariant
    to scaling of axes, so it does not depend on the slice spacing. The ellipsoid holds whole voxels,
    corners included: a box has 2 / (pi * sqrt(3)) = 0.37, a ball of many voxels nearly 1.

    Args:
        mask: bool, (slices, rows, cols).

    Returns:
        0 to 1; None for an empty mask.
    """
    if not mask.any():
        return None
    return float(np.count_nonzero(mask)) / bounding_ellipsoid_volume(mask)


def margin_fluctuation(distances: np.ndarray) -> float | None:
    """Return the margin fluctuation (Buda et al. 2019, after Giger et al. 1994, Cancer Lett 77:201-211).

    The distances from the centroid to the outline's pixels are divided by their mean. A circular moving
    average over a tenth of the outline's length is subtracted. The result is the standard deviation.

    Args:
        distances: Distances of an outline's pixels from the centroid, in the order of the outline.

    Returns:
        0 and up; None for an outline of fewer than `LEAST_OUTLINE` pixels.
    """
    if len(distances) < LEAST_OUTLINE:
        return None
    normal = distances / distances.mean()
    half = round(SMOOTHED_SHARE * len(normal) / 2)
    length = 2 * half + 1  # odd, so that the filter is centered
    smooth = np.convolve(np.pad(normal, half, mode="wrap"), np.full(length, 1 / length), "valid")
    return float(np.std(normal - smooth))


def angular_deviation(distances: np.ndarray, angles: np.ndarray) -> float | None:
    """Return the angular standard deviation (Buda et al. 2019, after Georgiou et al. 2007, Artif Intell
    Med 41:39-55).

    The distances from the centroid to the outline's pixels are divided by their mean. The result is the
    mean of their standard deviations in ten equal angular bins around the centroid, without empty bins.

    Args:
        distances, angles: Polar coordinates of an outline's pixels around the centroid; angles in radians.

    Returns:
        0 and up; None for an outline of fewer than `LEAST_OUTLINE` pixels.
    """
    if len(distances) < LEAST_OUTLINE:
        return None
    normal = distances / distances.mean()
    turn = (angles / (2 * np.pi)) % 1
    bins = np.minimum((turn * ANGULAR_BINS).astype(int), ANGULAR_BINS - 1)
    return float(np.mean([np.std(normal[bins == each]) for each in np.unique(bins)]))


def position(masks: np.ndarray, heads: np.ndarray) -> Position | None:
    """Locate the marked region in the bounding box of the head in all slices.

    Slices are assumed to follow the radiological convention, front up: the patient's left is at the
    picture's right.

    Args:
        masks, heads: bool, (slices, rows, cols).

    Returns:
        None if nothing is marked or no slice has a head.
    """
    if not masks.any() or not heads.any():
        return None
    top, bottom = _extent(heads.any(axis=(0, 2)))
    left, right = _extent(heads.any(axis=(0, 1)))
    _, rows, cols = np.nonzero(masks)
    middle = (left + right) / 2
    # A pixel on the midline counts half on either side.
    at_left = float(np.mean((cols + 0.5 > middle) + 0.5 * (cols + 0.5 == middle)))
    side = "both" if at_left == 0.5 else "left" if at_left > 0.5 else "right"
    return Position(
        side=side,
        side_share=max(at_left, 1 - at_left),
        from_front=float(np.mean(rows + 0.5) - top) / (bottom - top),
        from_right=float(np.mean(cols + 0.5) - left) / (right - left),
    )


def variation(values: np.ndarray) -> float | None:
    """Return the coefficient of variation, standard deviation over mean; None if the mean is 0."""
    mean = float(np.mean(values)) if values.size else 0.0
    return float(np.std(values)) / mean if mean else None


def entropy(levels: np.ndarray) -> float | None:
    """Return the entropy of gray levels in bits.

    ``-sum(p * log2(p))`` over the frequencies of `ENTROPY_BINS` equal bins of the levels 0 to 255: the
    "discretized intensity entropy" of Zwanenburg et al. 2020 (Radiology 295:328-338) with the same bins
    for every patient.

    Args:
        levels: uint8, any shape.

    Returns:
        0 to 5; None for an empty array.
    """
    if not levels.size:
        return None
    counts = np.bincount(levels.ravel() // (LEVELS // ENTROPY_BINS), minlength=ENTROPY_BINS)
    shares = counts[counts > 0] / levels.size
    return float(-np.sum(shares * np.log2(shares))) + 0.0  # no minus zero


def _outline(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distances and angles of the outer outline's pixels around the centroid of the largest
    component."""
    count, labels, stats, centers = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(mask, np.uint8), connectivity=8
    )
    if count == 1:
        return np.empty(0), np.empty(0)
    part = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    lines, _ = cv2.findContours(
        (labels == part).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    points = max(lines, key=len).reshape(-1, 2) - centers[part]
    return np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])


def _extent(marked: np.ndarray) -> tuple[int, int]:
    """Return the first and one past the last True index of a bool vector."""
    indices = np.flatnonzero(marked)
    return int(indices[0]), int(indices[-1]) + 1
