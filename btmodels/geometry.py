"""The position of a volume's slices in their file, and conversion in both directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PLANES = ("sagittal", "coronal", "axial")
"""Planes perpendicular to the patient's left-right, back-front and foot-head axes."""

LEAST_STEP, MOST_STEP = 0.01, 100.0
"""Range of plausible voxel sizes for a head, in millimeters."""

LEAST_CUT = 16
"""Minimum number of slices in another plane to cut axial slices from: with fewer, as in a localizer, axial
slices would be strips."""

_TOWARD = {
    "axial": ((2, 1), (1, -1), (0, -1)),
    "sagittal": ((0, -1), (2, -1), (1, -1)),
    "coronal": ((1, -1), (2, -1), (0, -1)),
}
"""The RAS+ axis of slices, rows and columns in each plane, and its direction: axial slices run to the head,
others to the left or the back; rows run to the back or the feet; columns to the left or the back."""

_SAME_VOXEL = 0.25
"""Fraction of the smallest voxel spacing by which the corners of two equal grids may differ."""


@dataclass(frozen=True, eq=False)
class VolumeGeometry:
    """Axes of a volume in its file, and how they map to slices, rows and columns.

    Displayed slices are axial, from the feet up; rows run to the patient's left, columns to the
    back: the radiological convention, which the data set uses.

    Attributes:
        kind: "NIfTI" or "DICOM".
        shape: Shape of the volume in the file, three axes; for DICOM: frame, row, column.
        order: The file's axis for slices, rows and columns.
        flips: Whether slices, rows and columns run against the file's axis.
        affine: float64, (4, 4): the file's indices to millimeters in RAS+ orientation, as in NIfTI;
            None if the file does not say.
        header: Data needed to write a file of the same geometry: the NIfTI header, or each DICOM file
            without its pixels.
        frames: DICOM only. For each index of the first axis, the index into ``header`` and the frame
            in that file, from 0; None if a slice is missing.
        pixel: Row and column spacing of displayed slices in millimeters, if ``affine`` is None.
        planes: float64, (slices, 4, 4), for a stack with uneven spacing, if ``affine`` is None: for
            each displayed slice its `shown_affine` as if it were the first slice.
        placed: Whether the file gives voxel positions. If False, only the sizes in ``affine`` are valid.
    """

    kind: str
    shape: tuple[int, int, int]
    order: tuple[int, int, int] = (0, 1, 2)
    flips: tuple[bool, bool, bool] = (False, False, False)
    affine: np.ndarray | None = None
    header: tuple[bytes, ...] = ()
    frames: tuple[tuple[int, int] | None, ...] = ()
    pixel: tuple[float, float] | None = None
    planes: np.ndarray | None = None
    placed: bool = True

    def shown(self, values: np.ndarray) -> np.ndarray:
        """Return the file's volume as (slices, rows, cols, ...)."""
        values = values.transpose(*self.order, *range(3, values.ndim))
        return values[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]

    def own(self, values: np.ndarray) -> np.ndarray:
        """Return (slices, rows, cols) along the file's axes: the inverse of `shown`."""
        values = values[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]
        return np.ascontiguousarray(values.transpose(np.argsort(self.order)))

    @property
    def spacing(self) -> tuple[float, float, float] | None:
        """Spacing of slices, rows and columns in millimeters; None if unknown."""
        if self.affine is None:
            return None
        steps = np.linalg.norm(self.affine[:3, :3], axis=0)
        return tuple(float(steps[axis]) for axis in self.order)

    @property
    def pixel_spacing(self) -> tuple[float, float] | None:
        """Row and column spacing of a displayed slice in millimeters; None if unknown."""
        return self.pixel if self.spacing is None else self.spacing[1:]

    @property
    def shown_affine(self) -> np.ndarray | None:
        """float64, (4, 4): indices of slice, row and column to millimeters; None if unknown."""
        if self.affine is None:
            return None
        way = np.zeros((4, 4))
        way[3, 3] = 1
        for shown, (axis, flip) in enumerate(zip(self.order, self.flips, strict=True)):
            way[axis, shown] = -1 if flip else 1
            way[axis, 3] = self.shape[axis] - 1 if flip else 0
        return self.affine @ way

    @property
    def has_positions(self) -> bool:
        """Whether the file says where each slice is."""
        return self.planes is not None or self.affine is not None and self.placed

    @property
    def missing(self) -> tuple[int, ...]:
        """Indices of the file's first axis at which a slice is missing."""
        return tuple(index for index, frame in enumerate(self.frames) if frame is None)

    @property
    def plane(self) -> str:
        """The plane of the file's slices; "" if unknown."""
        if self.affine is None:
            return ""
        across = 0 if self.kind == "DICOM" else 2
        return PLANES[int(np.argmax(np.abs(self.affine[:3, across])))]


def toward(plane: str, affine: np.ndarray) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Return ``order`` and ``flips`` of the `VolumeGeometry` whose displayed slices are closest to a plane.

    Args:
        plane: One of `PLANES`.
        affine: float64, (4, 4), as in `VolumeGeometry.affine`.

    Raises:
        ValueError: The file's axes are not independent.
    """
    from nibabel.orientations import io_orientation

    axes = io_orientation(affine)
    if np.isnan(axes).any():
        raise ValueError(f"Axes of a volume must be independent. Received: affine={affine}")
    order, flips = [], []
    for world, wanted in _TOWARD[plane]:
        axis = int(np.flatnonzero(axes[:, 0] == world)[0])
        order.append(axis)
        flips.append(bool(axes[axis, 1] != wanted))
    return tuple(order), tuple(flips)


def toward_axial(affine: np.ndarray) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Like `toward` for the axial plane."""
    return toward("axial", affine)


def few_slices_note(name: str, count: int, plane: str) -> str:
    """Return the note for a volume of too few slices in another plane to cut axial ones from it."""
    which = f"is a {plane} slice" if count == 1 else f"was recorded in {plane} slices"
    return f"{name} {which}; the networks know only axial ones."


def is_affine(affine: np.ndarray) -> bool:
    """Return whether a matrix is a finite, invertible affine."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        return False
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    if not (steps > 0).all():
        return False
    return abs(np.linalg.det(affine[:3, :3] / steps)) > 1e-3


def is_size(steps: np.ndarray | tuple[float, ...]) -> bool:
    """Return whether numbers are a plausible voxel spacing in millimeters."""
    return bool(np.isfinite(steps).all() and min(steps) > LEAST_STEP and max(steps) < MOST_STEP)


def same_positions(one: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return whether two affines put the corners of a volume at the same places, up to rounding.

    Args:
        one, other: float64, (4, 4).
        shape: Shape of the volume, three axes.
    """
    from nibabel.affines import apply_affine, voxel_sizes

    ends = [(0, max(size - 1, 1)) for size in shape]
    corners = np.array([(i, j, k) for i in ends[0] for j in ends[1] for k in ends[2]])
    away = np.linalg.norm(apply_affine(one, corners) - apply_affine(other, corners), axis=1)
    return bool(away.max() <= _SAME_VOXEL * voxel_sizes(one).min())


def shear_of(affine: np.ndarray) -> float:
    """Return the largest deviation of a volume's axes from right angles, in degrees."""
    sides = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = np.abs(sides.T @ sides)[np.triu_indices(3, 1)]
    return float(np.degrees(np.arcsin(min(1.0, cosines.max()))))


_SHEARED, _TILTED = 0.5, 20.0
"""Degrees above which a shear, and a tilt of slices against the axial plane, is reported."""


def plane_notes(grid: VolumeGeometry, name: str) -> tuple[str, ...]:
    """Return notes on a volume whose axial slices are tilted, sheared or have anisotropic pixels."""
    if grid.affine is None or grid.spacing is None:
        return ()
    _, row, column = grid.spacing
    notes: tuple[str, ...] = ()
    if max(row, column) > 1.5 * min(row, column):
        notes += (
            f"{name} has pixels of {row:.2g} x {column:.2g} mm in axial slices: the networks see them "
            "resampled to square ones, without the detail that such pixels lack, and are less sure.",
        )
    shown = grid.shown_affine
    normal = np.cross(shown[:3, 1], shown[:3, 2])
    tilt = float(np.degrees(np.arccos(min(1.0, abs(normal[2]) / np.linalg.norm(normal)))))
    if tilt > _TILTED:
        notes += (f"{name} has slices that are tilted by {tilt:.0f} degrees against axial ones.",)
    if (shear := shear_of(grid.affine)) > _SHEARED:
        notes += (
            f"{name} has slices that are shifted against each other, by {shear:.1f} degrees (a tilted "
            "scanner); masks keep that shift.",
        )
    return notes
