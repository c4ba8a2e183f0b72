"""The smallest ellipsoid around a volume."""

from __future__ import annotations

import math

import numpy as np

_TOLERANCE = 1e-3
_MOST_STEPS = 20_000


def bounding_ellipsoid_volume(mask: np.ndarray) -> float:
    """Return the volume of the smallest ellipsoid that holds all marked voxels, corners included.

    Khachiyan's method with the away steps of Todd and Yildirim 2007 (Discrete Applied Mathematics
    155:1731-1744), accurate to 0.2% of the volume and never too small.

    Args:
        mask: bool, (slices, rows, cols); at least one voxel is marked.

    Returns:
        In voxels.
    """
    return _smallest_ellipsoid(_hull_corners(mask))


def _hull_corners(mask: np.ndarray) -> np.ndarray:
    """Return the corners of marked voxels that are vertices of their convex hull, (points, 3)."""
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


def _smallest_ellipsoid(points: np.ndarray) -> float:
    """Return the volume of the smallest ellipsoid around points, (points, 3), that are not coplanar."""
    center, scale = points.mean(axis=0), points.std(axis=0)
    points = (points - center) / scale
    count, size = points.shape
    lifted = np.column_stack([points, np.ones(count)])
    weights = np.full(count, 1 / count)
    for _ in range(_MOST_STEPS):
        spread = np.linalg.inv((lifted * weights[:, None]).T @ lifted)
        reach = np.einsum("ij,jk,ik->i", lifted, spread, lifted)
        # Either the farthest point gains weight, or an inner point loses weight.
        far = int(np.argmax(reach))
        near = int(np.argmin(np.where(weights > 0, reach, np.inf)))
        beyond, within = reach[far] / (size + 1) - 1, 1 - reach[near] / (size + 1)
        if max(beyond, within) <= _TOLERANCE:
            break
        each = far if beyond > within else near
        lost = -weights[each] / (1 - weights[each])  # the step that removes all of a point's weight
        apart = reach[each] - 1  # 0 for a point at the center
        step = max(lost, (apart - size) / ((size + 1) * apart)) if apart > 1e-9 else lost
        weights *= 1 - step
        weights[each] += step
        if each == near and weights[near] < 1e-12:
            weights[near] = 0.0
    middle = weights @ points
    shape = np.linalg.inv((points * weights[:, None]).T @ points - np.outer(middle, middle)) / size
    away = points - middle
    # Enlarge it until it holds every point, so that the ratio is never above 1.
    farthest = float(np.einsum("ij,jk,ik->i", away, shape, away).max())
    radii = np.sqrt(farthest**size / np.linalg.det(shape))
    return 4 / 3 * math.pi * float(radii) * float(np.prod(scale))
