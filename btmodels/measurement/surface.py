"""A patient's stack in 3-D: masks as a volume, the surfaces around them, and the known spacing.

Coordinates are those of the picture: x along a row (to the patient's left, if slices follow the
radiological convention), y down a column (to the back), z along the stack, first slice lowest. With the
first slice at the patient's feet, these axes are right-handed, so nothing is drawn mirrored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from btmodels.slices import FLAIR, Slice
from btmodels.transforms.postprocess import LEAST_HEAD, head_mask

TUMOR_TRIANGLES = 20_000
"""Maximum number of triangles in the surface of a tumor."""

HEAD_TRIANGLES = 16_000
"""Maximum number of triangles in the surface of a head."""

TUMOR_SMOOTHING = (0.6, 1.0)
"""Standard deviation of the filter on a tumor's mask, in slices and in pixels."""

HEAD_SMOOTHING = (1.0, 4.0)
"""The same for a head's mask, of which only the overall shape matters."""

_INSIDE = 0.5


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed surface of triangles.

    Attributes:
        vertices: float32, (vertices, 3), as x, y, z.
        triangles: int32, (triangles, 3), indices of vertices, counterclockwise as seen from outside.
    """

    vertices: np.ndarray
    triangles: np.ndarray


@dataclass(frozen=True)
class Proportions:
    """Spacing of a stack as it is drawn.

    Attributes:
        steps: Spacing of slices, rows and columns.
        unit: "mm", or "pixels" if no spacing is known.
        captions: Sentences about the accuracy of the proportions.
    """

    steps: tuple[float, float, float]
    unit: str
    captions: tuple[str, ...]


def stack_masks(masks: Sequence[np.ndarray | None]) -> np.ndarray:
    """Stack a patient's masks; a slice without one counts as empty.

    Args:
        masks: bool, (rows, cols) each, all of one size; at least one is not None.

    Returns:
        bool, (slices, rows, cols).

    Raises:
        ValueError: The sizes differ, or there is no mask.
    """
    sizes = {np.shape(mask) for mask in masks if mask is not None}
    if len(sizes) != 1:
        raise ValueError(f"Masks of a stack must be there and of one size. Received: {sizes}")
    empty = np.zeros(sizes.pop(), bool)
    return np.stack([empty if mask is None else np.asarray(mask, bool) for mask in masks])


def head_volume(pixels: np.ndarray) -> np.ndarray:
    """Return the head in each slice, to draw it around a tumor.

    It is the convex hull of `btmodels.transforms.postprocess.head_mask`, which is ragged at the skull
    base, and what lies between head above and head below: where fat behind the eyes is much brighter than
    the brain, Otsu's threshold of a slice misses most of it. A slice with few pixels above Otsu's threshold
    of the whole stack holds noise, not a head.

    Args:
        pixels: uint8, (slices, rows, cols, 3), 0 to 255.

    Returns:
        bool, (slices, rows, cols).
    """
    pixels = np.asarray(pixels)
    flair = np.ascontiguousarray(pixels[..., FLAIR])
    level, _ = cv2.threshold(flair.reshape(-1, 1), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = (flair > level).mean(axis=(1, 2)) >= LEAST_HEAD
    heads = np.stack(
        [
            _hull(head_mask(each)) if there else np.zeros(flair.shape[1:], bool)
            for each, there in zip(pixels, bright, strict=True)
        ]
    )
    from_first = np.logical_or.accumulate(heads)
    from_last = np.logical_or.accumulate(heads[::-1])[::-1]
    return from_first & from_last


def spacing_of(slices: Sequence[Slice]) -> tuple[float, ...] | None:
    """Return the spacing of slices, rows and columns in millimeters.

    Args:
        slices: Slices of one stack, at least one.

    Returns:
        Three numbers; only the latter two if the slice spacing is unknown; None if nothing is known.
    """
    position = slices[0].position
    known = position.grid.spacing if position and slices[0].turn is None else None
    if known is None:
        return slices[0].spacing
    # In a volume with thin slices, only every n-th is analyzed.
    step = slices[1].position.index - position.index if len(slices) > 1 else 1
    return (step * known[0], *known[1:])


def proportions_of(
    shape: tuple[int, int, int],
    heads: np.ndarray | None = None,
    spacing: tuple[float, ...] | None = None,
) -> Proportions:
    """Choose the spacing with which a stack is drawn, and describe its accuracy.

    If the slice spacing is unknown, the stack is drawn as tall as the head (or, without a head, the
    picture) is wide, which is about the height from the skull base to the top.

    Args:
        shape: Number of slices, rows and columns.
        heads: bool, of that shape.
        spacing: Spacing of slices, rows and columns in millimeters, or only the latter two.

    Raises:
        ValueError: The spacing has another length or is not positive.
    """
    if spacing is not None and (
        len(spacing) not in (2, 3) or not all(0 < step < math.inf for step in spacing)
    ):
        raise ValueError(f"Spacing is two or three positive numbers. Received: spacing={spacing}")
    if spacing is not None and len(spacing) == 3:
        return Proportions(
            tuple(spacing), "mm", ("Proportions are true: the files give the spacing.",)
        )
    row, column = spacing or (1.0, 1.0)
    unit = "pixels" if spacing is None else "mm"
    across = np.flatnonzero(heads.any(axis=(0, 1))) if heads is not None else np.empty(0, int)
    width = int(across[-1] - across[0]) + 1 if across.size else shape[2]
    step = width * column / shape[0]
    what = "head" if across.size else "picture"
    inside = (
        "Within a slice, pixels are drawn as squares; the files give no millimeters."
        if spacing is None
        else "Within a slice, proportions are true: the files give the spacing."
    )
    along = (
        "How far apart the slices lie is not in the files, so proportions along the stack are "
        f"unknown: it is drawn as tall as the {what} is wide, {step:.1f} {unit} from slice to slice."
    )
    return Proportions((step, row, column), unit, (along, inside))


def surface(
    mask: np.ndarray,
    steps: tuple[float, float, float],
    most_triangles: int = TUMOR_TRIANGLES,
    smoothing: tuple[float, float] = TUMOR_SMOOTHING,
) -> Mesh | None:
    """Compute a smooth surface with few triangles around the marked region.

    Marching cubes (Lewiner et al. 2003, Journal of Graphics Tools 8:1-15) on the mask after a Gaussian
    filter, on a grid that is downsampled until the surface has few enough triangles. A component so small
    that the filter would remove it is not filtered.

    Args:
        mask: bool, (slices, rows, cols).
        steps: Spacing of slices, rows and columns.
        most_triangles: Maximum number of triangles, at least 100.
        smoothing: Standard deviation of the filter, in slices and in pixels.

    Returns:
        The surface, in the unit of ``steps``; None for an empty mask.
    """
    from skimage.measure import marching_cubes  # slow to import

    if not mask.any():
        return None
    box, corner = _crop(np.asarray(mask, bool))
    widths = np.array(smoothing)[[0, 1, 1]]
    # A voxel face becomes about two triangles; downsampling by n leaves at least 1 in n * n of them.
    padded = np.pad(box, 1)
    faces = sum(np.count_nonzero(np.diff(padded, axis=axis)) for axis in range(3))
    thin = max(1, math.floor(math.sqrt(2 * faces / most_triangles)))
    while True:
        # There are few slices and many pixels: slices are only downsampled while their spacing is finer.
        factors = (max(1, round(thin * steps[1] / steps[0])), thin, thin)
        factors = tuple(min(f, n) for f, n in zip(factors, box.shape, strict=True))
        field = np.pad(_smooth(*_thin_out(box, factors), widths / factors), 1)
        vertices, triangles, _, _ = marching_cubes(field, _INSIDE)
        if len(triangles) <= most_triangles or factors == box.shape:
            break
        thin += 1
    # Index i of the padded grid is the center of the i-th cell, the first of which is padding.
    vertices = (vertices - 0.5) * factors + corner
    places = (vertices * steps)[:, ::-1]
    return Mesh(places.astype(np.float32), triangles.astype(np.int32))


def _hull(mask: np.ndarray) -> np.ndarray:
    filled = np.zeros(mask.shape, np.uint8)
    points = cv2.findNonZero(mask.astype(np.uint8))
    if points is not None:
        cv2.fillConvexPoly(filled, cv2.convexHull(points), 1)
    return filled > 0


def _crop(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    marked = np.nonzero(mask)
    low = np.array([each.min() for each in marked])
    high = np.array([each.max() + 1 for each in marked])
    return mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], low


def _thin_out(mask: np.ndarray, factors: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and maximum of the mask over blocks; the last blocks are padded with empty pixels."""
    missing = [(0, -size % factor) for size, factor in zip(mask.shape, factors, strict=True)]
    padded = np.pad(mask, missing)
    split = [part for n, f in zip(padded.shape, factors, strict=True) for part in (n // f, f)]
    blocks = padded.reshape(split)
    return blocks.mean(axis=(1, 3, 5), dtype=np.float32), blocks.any(axis=(1, 3, 5))


def _smooth(field: np.ndarray, anything: np.ndarray, widths: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    # Zero padding: other modes would extend the mask beyond the border.
    smooth = ndimage.gaussian_filter(field, widths, mode="constant")
    labels, count = ndimage.label(anything, structure=np.ones((3, 3, 3)))
    peaks = ndimage.maximum(smooth, labels, range(1, count + 1))
    lost = 1 + np.flatnonzero(np.asarray(peaks) <= _INSIDE)
    return np.where(np.isin(labels, lost), np.float32(1), smooth) if lost.size else smooth
