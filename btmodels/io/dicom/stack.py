"""Geometry of the slices of a DICOM series: evenly spaced, with gaps, tilted, or uneven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from btmodels.geometry import is_affine
from btmodels.io.dicom.file import FrameHeader

_EVEN, _ROUNDED = 0.05, 0.06
"""Tolerance of slice positions as a fraction of the slice spacing, and in millimeters: scanners write
positions with few digits."""

_MOST_MISSING = 0.25
"""Maximum fraction of missing slices that are interpolated for reformatting to axial."""

_TO_RIGHT_FRONT_TOP = np.array([-1.0, -1.0, 1.0])
"""From DICOM coordinates (LPS+) to NIfTI coordinates (RAS+)."""


@dataclass(frozen=True, eq=False)
class DicomStack:
    """Slices sorted along their normal.

    Attributes:
        indices: Index of each slice along the stack, from 0; indices of missing slices are skipped.
        affine: float64, (4, 4), indices of slice, row and column to RAS+ millimeters; None if positions
            are unknown.
        step: Slice spacing in millimeters; None if unknown or uneven, in which case only the directions
            in ``affine`` are valid.
        planes: float64, (slices, 4, 4), ``affine`` of each slice alone; None if not needed.
        flat: Whether the stack cannot be reformatted to another plane.
        notes: Sentences about the geometry.
    """

    indices: tuple[int, ...]
    affine: np.ndarray | None = None
    step: float | None = None
    planes: np.ndarray | None = None
    flat: bool = False
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[int, ...]:
        """Indices of missing slices."""
        return tuple(sorted(set(range(self.indices[-1] + 1)) - set(self.indices)))


def stack_of(frames: Sequence[FrameHeader], thickness: float | None, title: str) -> DicomStack:
    """Determine the geometry of slices.

    Args:
        frames: Sorted along their normal, or without positions.
        thickness: Slice spacing in millimeters as the file says, for a single slice; None if unknown.
        title: For notes.
    """
    count = len(frames)
    plain = tuple(range(count))
    if frames[0].spacing is None:
        note = f"{title} does not say how large its pixels are, so figures are in pixels."
        return DicomStack(plain, notes=(note,))
    if frames[0].position is None or frames[0].directions is None:
        by = "locations" if in_order_of_locations(frames) else "numbers"
        note = (
            f"{title} does not say where its slices lie; they were put in the order of their {by}."
        )
        return DicomStack(plain, notes=(note,) if count > 1 else ())
    directions = np.mean([frame.directions for frame in frames], axis=0)
    row, column = (part / np.linalg.norm(part) for part in (directions[:3], directions[3:]))
    normal = np.cross(row, column)
    positions = np.array([frame.position for frame in frames])
    sides = np.column_stack([column * frames[0].spacing[0], row * frames[0].spacing[1]])
    if count == 1:
        # For a single slice of unknown thickness, only the directions are valid.
        affine = _affine(normal * (thickness or 1.0), sides, positions[0])
        if not is_affine(affine):
            return DicomStack(plain)
        return DicomStack(plain, affine, thickness, None if thickness else affine[None], flat=True)
    along = positions @ normal
    indices = _indices(along)
    steps = np.diff(along)
    planes = np.stack([_affine(normal, sides, position) for position in positions])
    if indices is None:
        affine = _affine(normal * max(float(np.median(steps)), 0.01), sides, positions[0])
        note = (
            f"{title} has slices at uneven distances ({steps.min():.2f} to {steps.max():.2f} mm), so "
            "some may be missing and no volume can be given."
        )
        return DicomStack(plain, affine, None, planes, flat=True, notes=(note,))
    # Gantry tilt shifts slices against each other, so the step follows the line through their positions.
    start, step = positions[0], (positions[-1] - positions[0]) / indices[-1]
    affine = _affine(step, sides, start)
    distance = float(np.linalg.norm(step))
    away = np.abs(start + np.outer(indices, step) - positions).max()
    if away > max(_EVEN * distance, 2 * _ROUNDED) or not is_affine(affine):
        affine = _affine(normal * distance, sides, positions[0])
        note = (
            f"{title} has slices that are shifted against each other by up to {away:.1f} mm, so they "
            "make no volume."
        )
        return DicomStack(plain, affine, None, planes, flat=True, notes=(note,))
    missing = indices[-1] + 1 - count
    flat = missing > _MOST_MISSING * count
    notes = _missing_notes(along, indices, normal, title) if missing else ()
    return DicomStack(tuple(indices), affine, distance, None, flat, notes)


def in_order_of_locations(frames: Sequence[FrameHeader]) -> bool:
    """Return whether each slice states a unique location along the stack."""
    locations = {frame.location for frame in frames}
    return None not in locations and len(locations) == len(frames)


def _missing_notes(
    along: np.ndarray, indices: Sequence[int], normal: np.ndarray, title: str
) -> tuple[str, ...]:
    gaps = sorted(set(range(indices[-1] + 1)) - set(indices))
    step = (along[-1] - along[0]) / indices[-1]
    places = ", ".join(f"{along[0] + index * step:.1f}" for index in gaps[:6])
    some = "a slice is" if len(gaps) == 1 else f"{len(gaps)} slices are"
    is_axial = int(np.argmax(np.abs(normal))) == 2
    filled = "" if is_axial else "; axial slices show what lies between their neighbors there"
    return (
        f"{title} is incomplete: {some} missing at {places}{', …' if len(gaps) > 6 else ''} mm along its "
        f"direction{filled}.",
    )


def _indices(along: np.ndarray) -> list[int] | None:
    """Return integers proportional to the positions; None if the positions are uneven."""
    steps = np.diff(along)
    for step in (float(np.median(steps)), float(steps.min())):
        if step <= 0:
            continue
        between = np.rint(steps / step)
        if (between < 1).any():
            continue
        indices = np.concatenate([[0], np.cumsum(between)])
        if indices[-1] > 3 * len(along):
            continue
        slope, start = np.polyfit(indices, along, 1)
        if np.abs(slope * indices + start - along).max() <= max(_EVEN * slope, _ROUNDED):
            return [int(index) for index in indices]
    return None


def _affine(step: np.ndarray, sides: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return the affine from indices of slice, row and column to RAS+ millimeters.

    Args:
        step: (3,), vector from slice to slice, in DICOM coordinates.
        sides: (3, 2), vectors from row to row and column to column.
        position: (3,), position of the first pixel.
    """
    affine = np.eye(4)
    affine[:3] = np.column_stack([step, sides, position]) * _TO_RIGHT_FRONT_TOP[:, None]
    return affine
