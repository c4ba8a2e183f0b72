"""Scans of one patient voxel by voxel beside each other, by the coordinates in their files."""

from __future__ import annotations

import numpy as np

from btmodels.errors import DecodeError
from btmodels.geometry import VolumeGeometry
from btmodels.io.scan import Scan

LEAST_OVERLAP = 0.5
"""Share of a scan that another must cover to be put on its grid."""


def same_grid(scan: Scan, other: Scan) -> bool:
    """Whether two scans have voxels side by side; where one has no coordinates, its size alone counts."""
    if scan.values.shape[:3] != other.values.shape[:3]:
        return False
    grid, onto = scan.grid, other.grid
    if grid is None or onto is None or grid.affine is None or onto.affine is None:
        return True
    return np.allclose(grid.shown_affine, onto.shown_affine, atol=0.1)


def on_grid(scan: Scan, anchor: Scan) -> tuple[np.ndarray, tuple[str, ...]]:
    """Values of ``scan`` voxel by voxel beside those of ``anchor``.

    Raises:
        DecodeError: They do not show the same place.
    """
    if same_grid(scan, anchor):
        return scan.values, ()
    if not scan.reference or scan.reference != anchor.reference:
        raise DecodeError(f"{scan.name} and {anchor.name} are of other sizes or places.")
    values = resample(scan.values, scan.grid, anchor.grid, anchor.values.shape)
    return values, (
        f"{scan.name} has other voxels than {anchor.name} and was resampled onto those by the "
        "coordinates in the files; movement in between is not made up for.",
    )


def resample(
    values: np.ndarray, grid: VolumeGeometry, onto: VolumeGeometry, shape: tuple[int, ...]
) -> np.ndarray:
    """Put a volume on another's grid by straight lines between voxels; what is not covered is black.

    Args:
        values: uint8, (slices, rows, cols).
        grid, onto: Its own and the other's, both with an affine.
        shape: Of the other, as shown.

    Raises:
        DecodeError: Less than `LEAST_OVERLAP` of the other is covered.
    """
    from scipy import ndimage

    way = np.linalg.inv(grid.shown_affine) @ onto.shown_affine
    matrix, offset = way[:3, :3], way[:3, 3]
    covered = ndimage.affine_transform(
        np.ones(values.shape, np.uint8), matrix, offset, shape, order=0, cval=0
    )
    if covered.mean() < LEAST_OVERLAP:
        raise DecodeError("Two scans do not show the same place.")
    return ndimage.affine_transform(values, matrix, offset, shape, order=1, cval=0)
