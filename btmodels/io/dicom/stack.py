"""How the slices of a DICOM series lie above each other: even, with gaps, tilted, or uneven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from btmodels.geometry import is_affine
from btmodels.io.dicom.file import FrameHeader

_EVEN, _ROUNDED = 0.05, 0.06
"""Share of the distance between slices, or millimeters, by which a slice may be off its place: scanners
write positions with few digits."""

_MOST_MISSING = 0.25
"""Share of slices up to which missing ones are filled where other planes are cut out of them."""

_TO_RIGHT_FRONT_TOP = np.array([-1.0, -1.0, 1.0])
"""DICOM counts to the left, back and top, NIfTI to the right, front and top."""


@dataclass(frozen=True, eq=False)
class DicomStack:
    """Slices in order through the patient.

    Attributes:
        indices: Of each slice along the stack, from 0; numbers are left out where slices are missing.
        affine: float64, (4, 4), indices of slice, row and column to millimeters to the right, front and
            top; None where positions are not known.
        step: Millimeters from slice to slice; None where they are not known or uneven, so that of
            ``affine`` only the directions count.
        planes: float64, (slices, 4, 4), ``affine`` of each slice alone; None where it is not needed.
        flat: Whether slices of another plane cannot be cut out of it.
        notes: What is to be said of all that.
    """

    indices: tuple[int, ...]
    affine: np.ndarray | None = None
    step: float | None = None
    planes: np.ndarray | None = None
    flat: bool = False
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[int, ...]:
        """Indices at which there is no slice."""
        return tuple(sorted(set(range(self.indices[-1] + 1)) - set(self.indices)))


def stack_of(frames: Sequence[FrameHeader], thickness: float | None, title: str) -> DicomStack:
    """Find out how slices lie.

    Args:
        frames: In order along their normal, or without positions.
        thickness: Millimeters between slices as the file says, for a single one; None unknown.
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
        # Of a single slice of unknown thickness only the directions count.
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
            "some may be missing and no volume can be told."
        )
        return DicomStack(plain, affine, None, planes, flat=True, notes=(note,))
    # Slices may be shifted against each other, as a tilted scanner does: the straight line through them.
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
    """Whether each slice states a location along the stack that no other has."""
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
        f"{title} is not whole: {some} missing at {places}{', …' if len(gaps) > 6 else ''} mm along its "
        f"direction{filled}.",
    )


def _indices(along: np.ndarray) -> list[int] | None:
    """Whole numbers in proportion to positions, None where there are none."""
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
    """Indices of slice, row and column to millimeters to the right, front and top.

    Args:
        step: From slice to slice.
        sides: (3, 2), from row to row and column to column.
        position: Of the first pixel.
    """
    affine = np.eye(4)
    affine[:3] = np.column_stack([step, sides, position]) * _TO_RIGHT_FRONT_TOP[:, None]
    return affine
