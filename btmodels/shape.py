"""The shape of a tumor in figures: how large, how irregular, in how many parts, where, how uneven.

Slices lie in a stack, first slice first; along the stack nothing is known in millimeters, so sizes are
counted in pixels and voxels (a voxel is a pixel of one slice). Three figures are those of Buda, Saha,
Mazurowski 2019 (Computers in Biology and Medicine 109:218-225, doi:10.1016/j.compbiomed.2019.05.002),
who relate them to genomic subtypes of lower-grade glioma. They take one part for the tumor, and so do we:
bounding-ellipsoid ratio, margin fluctuation and angular deviation are those of the largest part, the
latter two in the slice where that part is largest. What is undefined is None, never a number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from btmodels.measure import head_mask
from btmodels.slices import FLAIR

ANGULAR_BINS = 10
"""Equal angles around the centroid over which the angular standard deviation is averaged."""

SMOOTHED_SHARE = 0.1
"""Length of the averaging filter of the margin fluctuation, as a share of the outline's pixels."""

LEAST_OUTLINE = 30
"""An outline of fewer pixels is too coarse: less than 3 pixels in a bin and in the filter."""

ENTROPY_BINS = 32
"""Equal bins of the 256 gray levels over which the entropy is taken."""

_TOLERANCE = 1e-3
_MOST_STEPS = 20_000


@dataclass(frozen=True)
class Row:
    """One figure as a table shows it.

    Attributes:
        value: Formatted, "–" where undefined.
        unit: Empty where there is none.
        explanation: What it is, in plain words.
    """

    value: str
    unit: str
    explanation: str


@dataclass(frozen=True)
class Position:
    """Where a tumor lies in the head, by the box around the head in all slices.

    Attributes:
        side: "left" or "right" of the patient, "both" where each holds half.
        side_share: Share of the voxels on that side of the middle of the head, 0.5 to 1.
        from_front: Mean position of the voxels, 0 at the front of the head to 1 at its back.
        from_right: The same, 0 at the patient's right to 1 at the patient's left.
    """

    side: str
    side_share: float
    from_front: float
    from_right: float


@dataclass(frozen=True)
class ShapeFigures:
    """What `describe` finds in a stack of masks; None is undefined.

    Attributes:
        volume_voxels: Marked pixels over all slices.
        marked_slices: Slices that hold any.
        largest_slice: Index of the slice with the largest area, the first of equals.
        largest_area_pixels: Its marked pixels.
        parts: Parts of the volume, 26-connected.
        parts_in_slice: Parts in the largest slice, 8-connected.
        ellipsoid_ratio: Bounding-ellipsoid volume ratio of the largest part, 0 to 1.
        margin_fluctuation: Of the largest part where it is largest, 0 and up.
        angular_deviation: Likewise.
        position: None without a head.
        flair_variation: Coefficient of variation of FLAIR within the mask, 0 and up.
        flair_entropy: Entropy of FLAIR within the mask in bits, 0 to 5.
    """

    volume_voxels: int
    marked_slices: int
    largest_slice: int | None = None
    largest_area_pixels: int = 0
    parts: int = 0
    parts_in_slice: int = 0
    ellipsoid_ratio: float | None = None
    margin_fluctuation: float | None = None
    angular_deviation: float | None = None
    position: Position | None = None
    flair_variation: float | None = None
    flair_entropy: float | None = None

    def rows(self) -> dict[str, Row]:
        """Return the figures by label, in the order of a table; the labels are always the same."""
        where = self.position
        return {
            "Volume": Row(
                f"{self.volume_voxels:,}", "voxels", "Marked pixels of all slices together."
            ),
            "Largest area": Row(
                f"{self.largest_area_pixels:,}",
                "pixels",
                "Marked pixels in the slice that has most of them.",
            ),
            "Slices with a mark": Row(
                f"{self.marked_slices:,}", "slices", "Slices in which anything is marked."
            ),
            "Parts": Row(
                f"{self.parts:,}",
                "parts",
                "Separate pieces in the whole stack; pieces that touch, even at a corner, are one.",
            ),
            "Parts in the largest slice": Row(
                f"{self.parts_in_slice:,}",
                "parts",
                "Separate pieces in the slice with the largest area, counted in the same way.",
            ),
            "Bounding-ellipsoid ratio": Row(
                _number(self.ellipsoid_ratio, ".2f"),
                "",
                "Volume of the largest part over the volume of the smallest ellipsoid around it. "
                "Near 1: it fills the ellipsoid, a regular shape. Lower: less regular.",
            ),
            "Margin fluctuation": Row(
                _number(self.margin_fluctuation, ".3f"),
                "",
                "How rough the outline is: how far its distance from the middle jumps around a "
                "smoothed outline, as a share of the mean distance. 0: smooth.",
            ),
            "Angular standard deviation": Row(
                _number(self.angular_deviation, ".3f"),
                "",
                "How much the outline's distance from the middle varies within a tenth of a turn, "
                "as a share of the mean distance. 0: a disk.",
            ),
            "Side": Row(
                "–" if where is None else _side(where),
                "",
                "The half of the head that holds more of it, if slices follow the radiological "
                "convention: the patient's left is at the picture's right.",
            ),
            "Front to back": Row(
                _number(where and 100 * where.from_front, ".0f"),
                "%",
                "Mean position in the head: 0 % is the front, 100 % the back.",
            ),
            "Right to left": Row(
                _number(where and 100 * where.from_right, ".0f"),
                "%",
                "Mean position in the head: 0 % is the patient's right, 100 % the patient's left.",
            ),
            "Variation of FLAIR": Row(
                _number(self.flair_variation and 100 * self.flair_variation, ".0f"),
                "%",
                "Standard deviation of the gray levels within the mask over their mean. 0 %: all "
                "the same gray.",
            ),
            "Entropy of FLAIR": Row(
                _number(self.flair_entropy, ".2f"),
                "bits",
                f"How many grays are mixed within the mask, the 256 levels in {ENTROPY_BINS} bins. "
                f"0: all in one bin; {math.log2(ENTROPY_BINS):.0f}: evenly over all.",
            ),
        }


def describe(masks: np.ndarray, pixels: np.ndarray | None = None) -> ShapeFigures:
    """Measure the shape of what is marked in a patient's slices.

    Args:
        masks: bool, (slices, rows, cols), in the order of the stack.
        pixels: uint8, (slices, rows, cols, 3), 0 to 255; without them there is neither position nor
            heterogeneity.

    Raises:
        ValueError: The arrays have other shapes.
    """
    masks = np.asarray(masks, bool)
    if masks.ndim != 3:
        raise ValueError(f"Masks are (slices, rows, cols). Received: masks.shape={masks.shape}")
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
    outline = _outline(part[int(np.argmax(part.sum(axis=(1, 2))))])
    flair = None if pixels is None else np.asarray(pixels)[..., FLAIR][masks]
    return ShapeFigures(
        volume_voxels=int(areas.sum()),
        marked_slices=int(np.count_nonzero(areas)),
        largest_slice=largest,
        largest_area_pixels=int(areas[largest]),
        parts=parts,
        parts_in_slice=count_parts(masks[largest]),
        ellipsoid_ratio=ellipsoid_ratio(part),
        margin_fluctuation=margin_fluctuation(*outline),
        angular_deviation=angular_deviation(*outline),
        position=None if pixels is None else position(masks, np.asarray(pixels)),
        flair_variation=None if flair is None else variation(flair),
        flair_entropy=None if flair is None else entropy(flair),
    )


def count_parts(mask: np.ndarray) -> int:
    """Count the 8-connected parts of a mask, bool, (rows, cols)."""
    count, _ = cv2.connectedComponents(np.ascontiguousarray(mask, np.uint8), connectivity=8)
    return count - 1  # label 0 is what is not marked


def largest_part(masks: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the largest 26-connected part of a volume and the number of parts.

    Args:
        masks: bool, (slices, rows, cols).

    Returns:
        bool, (slices, rows, cols), the first of equals, empty without any; and the count.
    """
    from scipy import ndimage  # takes longer to import than most pages to draw

    labels, count = ndimage.label(masks, structure=np.ones((3, 3, 3)))
    if not count:
        return np.zeros(masks.shape, bool), 0
    return labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:])), count


def ellipsoid_ratio(mask: np.ndarray) -> float | None:
    """Return the bounding-ellipsoid volume ratio (Buda et al. 2019).

    Volume of the mask over the volume of the smallest ellipsoid that holds it. An ellipsoid stretches
    with the space around it, so the ratio is the same whatever the distance between slices is. The
    ellipsoid holds whole voxels, corners included: a box has 2 / (pi * sqrt(3)) = 0.37, a ball of many
    voxels nearly 1. The smallest ellipsoid is found by Khachiyan's method with the away steps of Todd
    and Yildirim 2007 (Discrete Applied Mathematics 155:1731-1744), to 0.2 % of its volume.

    Args:
        mask: bool, (slices, rows, cols).

    Returns:
        0 to 1, None where nothing is marked.
    """
    if not mask.any():
        return None
    return float(np.count_nonzero(mask)) / _bounding_ellipsoid_volume(_hull_corners(mask))


def margin_fluctuation(distances: np.ndarray, angles: np.ndarray) -> float | None:
    """Return the margin fluctuation (Buda et al. 2019; Giger et al. 1994 for spiculation).

    Distances from the centroid to the pixels of the outline, divided by their mean, less the same after
    an averaging filter of a tenth of the outline's length that runs around it: the standard deviation.

    Args:
        distances, angles: Of an outline's pixels around its centroid, in order.

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
    """Return the angular standard deviation (Buda et al. 2019; Georgiou et al. 2007).

    Distances from the centroid to the pixels of the outline, divided by their mean; their standard
    deviation in each of ten equal angles around the centroid; the mean of those ten. An angle in which
    the outline has no pixel is left out.

    Args, Returns: As of `margin_fluctuation`.
    """
    if len(distances) < LEAST_OUTLINE:
        return None
    normal = distances / distances.mean()
    turn = (angles / (2 * np.pi)) % 1
    bins = np.minimum((turn * ANGULAR_BINS).astype(int), ANGULAR_BINS - 1)
    return float(np.mean([np.std(normal[bins == each]) for each in np.unique(bins)]))


def position(masks: np.ndarray, pixels: np.ndarray) -> Position | None:
    """Locate what is marked in the box around the head of all slices.

    Slices are taken to follow the radiological convention, front up: the patient's left is at the
    picture's right.

    Args:
        masks: bool, (slices, rows, cols).
        pixels: uint8, (slices, rows, cols, 3).

    Returns:
        None where nothing is marked or no slice has a head.
    """
    heads = np.stack([head_mask(each) for each in pixels]).any(axis=0)
    if not masks.any() or not heads.any():
        return None
    top, bottom = _extent(heads.any(axis=1))
    left, right = _extent(heads.any(axis=0))
    _, rows, cols = np.nonzero(masks)
    middle = (left + right) / 2
    # A pixel that the midline cuts counts half on either side.
    at_left = float(np.mean((cols + 0.5 > middle) + 0.5 * (cols + 0.5 == middle)))
    side = "both" if at_left == 0.5 else "left" if at_left > 0.5 else "right"
    return Position(
        side=side,
        side_share=max(at_left, 1 - at_left),
        from_front=float(np.mean(rows + 0.5) - top) / (bottom - top),
        from_right=float(np.mean(cols + 0.5) - left) / (right - left),
    )


def variation(values: np.ndarray) -> float | None:
    """Return the coefficient of variation: standard deviation over mean; None where the mean is 0."""
    mean = float(np.mean(values)) if values.size else 0.0
    return float(np.std(values)) / mean if mean else None


def entropy(levels: np.ndarray) -> float | None:
    """Return the entropy of gray levels in bits.

    ``-sum(p * log2(p))`` over the shares of `ENTROPY_BINS` equal bins of the levels 0 to 255, the
    "discretized intensity entropy" of Zwanenburg et al. 2020 (Radiology 295:328-338) with bins that
    are the same for every patient.

    Args:
        levels: uint8, any shape.

    Returns:
        0 to 5; None where there is no level.
    """
    if not levels.size:
        return None
    counts = np.bincount(levels.ravel() // (256 // ENTROPY_BINS), minlength=ENTROPY_BINS)
    shares = counts[counts > 0] / levels.size
    return float(-np.sum(shares * np.log2(shares))) + 0.0  # no minus zero


def _outline(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances and angles of the outer outline's pixels around the centroid of the largest part."""
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
    """First and one past the last index of a bool vector's marks."""
    indices = np.flatnonzero(marked)
    return int(indices[0]), int(indices[-1]) + 1


def _hull_corners(mask: np.ndarray) -> np.ndarray:
    """Corners of the marked voxels that span their convex hull, (points, 3)."""
    from scipy.spatial import ConvexHull

    # In each row of voxels only the two ends can be corners of the hull.
    slices, rows = np.nonzero(mask.any(axis=2))
    lines = mask[slices, rows]
    first = lines.argmax(axis=1)
    last = lines.shape[1] - lines[:, ::-1].argmax(axis=1)
    corners = [
        np.stack([slices + up, rows + down, cols], axis=1)
        for up in (0, 1)
        for down in (0, 1)
        for cols in (first, last)
    ]
    points = np.unique(np.concatenate(corners), axis=0).astype(float)
    return points[ConvexHull(points).vertices]


def _bounding_ellipsoid_volume(points: np.ndarray) -> float:
    """Volume of the smallest ellipsoid around points, (points, 3), that do not lie in one plane."""
    center, scale = points.mean(axis=0), points.std(axis=0)
    points = (points - center) / scale
    count, size = points.shape
    lifted = np.column_stack([points, np.ones(count)])
    weights = np.full(count, 1 / count)
    for _ in range(_MOST_STEPS):
        spread = np.linalg.inv((lifted * weights[:, None]).T @ lifted)
        reach = np.einsum("ij,jk,ik->i", lifted, spread, lifted)
        # Either the farthest point gains weight, or one inside that has some loses it.
        far = int(np.argmax(reach))
        near = int(np.argmin(np.where(weights > 0, reach, np.inf)))
        beyond, within = reach[far] / (size + 1) - 1, 1 - reach[near] / (size + 1)
        if max(beyond, within) <= _TOLERANCE:
            break
        each = far if beyond > within else near
        step = (reach[each] - size - 1) / ((size + 1) * (reach[each] - 1))
        step = max(step, -weights[each] / (1 - weights[each]))
        weights *= 1 - step
        weights[each] += step
        if each == near and weights[near] < 1e-12:
            weights[near] = 0.0
    middle = weights @ points
    shape = np.linalg.inv((points * weights[:, None]).T @ points - np.outer(middle, middle)) / size
    away = points - middle
    # Blown up until it holds every point, so that the ratio is never above 1.
    farthest = float(np.einsum("ij,jk,ik->i", away, shape, away).max())
    radii = np.sqrt(farthest**size / np.linalg.det(shape))
    return 4 / 3 * math.pi * float(radii) * float(np.prod(scale))


def _side(where: Position) -> str:
    if where.side == "both":
        return "half on either side"
    return f"{where.side} ({100 * where.side_share:.0f} %)"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
