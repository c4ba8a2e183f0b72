"""Resample scans of one patient onto a common voxel grid, by the coordinates in their files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from btmodels.errors import DecodeError
from btmodels.geometry import VolumeGeometry, same_positions
from btmodels.io.scan import Scan

LEAST_COVERED = 0.9
"""Minimum fraction of the head in a slice that another scan must cover to be used there."""

HEAD = 20
"""Gray level, of 255, from which a pixel counts as head here."""


def same_grid(scan: Scan, other: Scan) -> bool:
    """Return whether two scans have the same voxel grid by their coordinates."""
    if scan.values.shape[:3] != other.values.shape[:3]:
        return False
    grid, onto = scan.grid, other.grid
    if grid is None or onto is None:
        return grid is onto
    if grid.has_positions and onto.has_positions:
        both = grid.affine is not None and onto.affine is not None
        return both and same_positions(grid.shown_affine, onto.shown_affine, scan.values.shape[:3])
    lie = [
        (each.has_positions, each.kind, each.order, each.flips, each.shape) for each in (grid, onto)
    ]
    return lie[0] == lie[1]


def on_grid(
    scan: Scan, anchor: Scan, nearest: bool = False
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Put a scan on the voxel grid of another.

    Args:
        scan, anchor: Scans of one patient. If one has no coordinates and both are stored in the same size,
            voxels are matched as stored.
        nearest: Whether to use nearest-neighbor interpolation, as for masks, instead of linear.

    Returns:
        uint8, (slices, rows, cols) of the anchor; bool, (slices,), True where the scan covers the anchor's
        slice; and notes.

    Raises:
        DecodeError: They do not show the same place.
    """
    if same_grid(scan, anchor):
        return scan.values, _present(scan), _other_frame(scan, anchor)
    apart = DecodeError(f"{scan.name} and {anchor.name} differ in size or position.")
    if scan.grid is None or anchor.grid is None:
        raise apart
    unplaced = not (scan.grid.has_positions and anchor.grid.has_positions)
    if unplaced or _made_up(scan.grid, anchor.grid) or _made_up(anchor.grid, scan.grid):
        return _as_stored(scan, anchor, apart)
    if scan.reference != anchor.reference and scan.reference and anchor.reference:
        raise apart
    if scan.grid.affine is None or anchor.grid.affine is None:
        return _by_position(scan, anchor, apart)
    values, covered = _resampled(scan, anchor, 0 if nearest else 1)
    if not covered.any():
        raise apart
    note = (
        f"{scan.name} is on a different voxel grid from {anchor.name} and was resampled onto it by the "
        "coordinates in the files; movement in between is not corrected."
    )
    return values, covered, (note,)


def _other_frame(scan: Scan, anchor: Scan) -> tuple[str, ...]:
    """Return the note on two DICOM series with equal coordinates but different frames of reference."""
    apart = scan.reference and anchor.reference and scan.reference != anchor.reference
    if not apart or {scan.grid.kind, anchor.grid.kind} != {"DICOM"}:
        return ()
    return (
        f"{scan.name} and {anchor.name} have the same coordinates, but name two frames of reference; they "
        "were taken side by side. Compare both if the patient may have moved.",
    )


def _made_up(grid: VolumeGeometry, other: VolumeGeometry) -> bool:
    """Return whether voxels of 1 mm are only a program's default: the other volume has the same size, but
    another spacing."""
    if grid.shape != other.shape or grid.spacing is None or other.spacing is None:
        return False
    return set(grid.spacing) == {1.0} and not np.allclose(other.spacing, 1.0, atol=0.05)


def _present(scan: Scan) -> np.ndarray:
    """Return bool, (slices,), False where a displayed slice is missing from the file."""
    present = np.ones(len(scan.values), bool)
    if scan.grid is not None and scan.grid.order[0] == 0:
        for index in scan.grid.missing:
            present[len(present) - 1 - index if scan.grid.flips[0] else index] = False
    return present


def _as_stored(
    scan: Scan, anchor: Scan, apart: DecodeError
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    grid, onto = scan.grid, anchor.grid
    if grid.kind != onto.kind or grid.shape != onto.shape:
        raise apart
    lost = not grid.has_positions or _made_up(grid, onto)
    which = scan.name if lost else anchor.name
    note = (
        f"{which} does not say where it lies; it has the size of "
        f"{anchor.name if which == scan.name else scan.name} and was taken voxel by voxel as stored."
    )
    values = np.ascontiguousarray(onto.shown(grid.own(scan.values)))
    present = _present(replace(scan, values=values, grid=replace(onto, frames=grid.frames)))
    return values, present, (note,)


def _by_position(
    scan: Scan, anchor: Scan, apart: DecodeError
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Pair slices of equal size by position, whatever their spacing."""
    shape = scan.values.shape[1:]
    if shape != anchor.values.shape[1:]:
        raise apart
    own, present = _planes(scan), _present(scan)
    values = np.zeros((len(anchor.values), *shape), np.uint8)
    covered = np.zeros(len(values), bool)
    for index, plane in enumerate(_planes(anchor)):
        for other in np.flatnonzero(present):
            # A plane has one slice, so its corners determine it.
            if same_positions(_flat(plane), _flat(own[other]), (1, *shape)):
                values[index], covered[index] = scan.values[other], True
                break
    if not covered.any():
        raise apart
    return values, covered, ()


def _flat(plane: np.ndarray) -> np.ndarray:
    # The slice spacing is unknown, so a step of the size of a pixel is used.
    result = plane.copy()
    normal = np.cross(plane[:3, 1], plane[:3, 2])
    length = np.linalg.norm(normal)
    result[:3, 0] = normal / np.sqrt(length) if length else plane[:3, 0]
    return result


def _planes(scan: Scan) -> np.ndarray:
    if scan.grid.planes is not None:
        return scan.grid.planes
    shown = scan.grid.shown_affine
    planes = np.repeat(shown[None], len(scan.values), axis=0)
    planes[:, :3, 3] += np.outer(np.arange(len(planes)), shown[:3, 0])
    return planes


def _resampled(scan: Scan, anchor: Scan, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Resample a volume onto another's grid with spline order ``order``; uncovered voxels are black."""
    from scipy import ndimage

    way = np.linalg.inv(scan.grid.shown_affine) @ anchor.grid.shown_affine
    matrix, offset = way[:3, :3], way[:3, 3]
    shape = anchor.values.shape[:3]
    matrix, offset = _snapped(matrix), _snapped(offset)
    values = ndimage.affine_transform(
        scan.values, matrix, offset, shape, order=order, mode="nearest"
    )
    there = np.zeros(scan.values.shape, np.uint8)
    there[_present(scan)] = 1
    # A voxel extends half its size beyond its center.
    seen = ndimage.affine_transform(there, matrix, offset, shape, order=0, mode="grid-constant")
    values[seen == 0] = 0
    head = anchor.values >= HEAD
    sizes = head.sum(axis=(1, 2))
    shares = np.where(
        sizes > 0,
        (head & (seen > 0)).sum(axis=(1, 2)) / np.maximum(sizes, 1),
        seen.mean(axis=(1, 2)),
    )
    return values, shares >= LEAST_COVERED


def _snapped(numbers: np.ndarray) -> np.ndarray:
    # Round near-integer offsets, as between two runs of one scanner, so that values are kept exactly.
    whole = np.rint(numbers)
    return np.where(np.abs(numbers - whole) < 1e-3, whole, numbers)
