"""What a file of a scanner holds: frames of a DICOM file, and scans of one sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from btmodels.geometry import VolumeGeometry
from btmodels.slices import Slice

BRIGHT, ROOM = 99.9, 1.5
"""Percentile of a volume's values, and how much brighter white is: a few very bright voxels must not
darken all, and what is bright must not be cut off."""

_SAMPLE = 1_000_000


@dataclass(frozen=True, eq=False)
class Scan:
    """Slices of one sequence: a NIfTI volume, a DICOM series or a gray picture.

    Attributes:
        id: Unlike any other scan's of the batch.
        name: For sentences: the file's name, or the series' description.
        values: uint8, (slices, rows, cols), or (slices, rows, cols, 3) of colors; 0 to 255, as shown.
        grid: Where they lie in the file; None of a picture.
        names: One for each slice.
        sequence: As `btmodels.io.sequences.recognize` has it, or None; "spare" is used only where the
            visitor says what it is.
        family: Scans of one patient and visit share it.
        reference: Scans whose coordinates are the same share it; "" where they are not known to be.
        notes: What reading had to do.
        picture: The slice itself where it is no volume but a picture.
    """

    id: str
    name: str
    values: np.ndarray
    grid: VolumeGeometry | None
    names: tuple[str, ...]
    sequence: str | None
    family: str
    reference: str
    notes: tuple[str, ...] = ()
    picture: Slice | None = None


def rescale_to_uint8(
    values: np.ndarray, name: str, window: tuple[float, float] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Bring a volume to 0 to 255 with one straight line for all its slices.

    Args:
        values: Integer or float, (slices, rows, cols).
        name: For notes.
        window: Values that become black and white. Without one whole numbers from 0 to 255 are kept;
            of others the smallest becomes black, and `ROOM` times the `BRIGHT` percentile white, or the
            largest if that is less.

    Returns:
        uint8 of the same shape, and notes.
    """
    sample = values.reshape(-1)[:: max(1, values.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)].astype(np.float64)
    smallest, largest = _range(values)
    notes: tuple[str, ...] = ()
    if window and sample.size and not _shows_something(sample, window):
        notes = (f"{name} names a window that shows next to nothing of it, so it was left out.",)
        window = None
    if window:
        low, high = window
        notes = (
            f"{name} was shown with the window its file names: values up to {low:g} are black, from "
            f"{high:g} on white.",
        )
    elif 0 <= smallest and largest <= 255 and all(map(_is_whole, values)):
        return values.astype(np.uint8), ()
    else:
        low = smallest
        high = largest
        if sample.size and (bright := float(np.percentile(sample, BRIGHT)) - low) > 0:
            high = min(largest, low + ROOM * bright)
        notes += (
            f"{name} holds values from {smallest:g} to {largest:g}; {low:g} became black, "
            f"{high:g}{'' if high == largest else ' and more'} white.",
        )
    result = np.empty(values.shape, np.uint8)
    span = (high - low) or 1.0
    for index, part in enumerate(values):  # in parts: float64 of all is many times the volume
        part = np.nan_to_num(part.astype(np.float64), nan=low, posinf=high, neginf=low)
        result[index] = np.rint(np.clip((part - low) * 255 / span, 0, 255))
    if values.dtype.kind == "f" and (bad := int(values.size - np.isfinite(values).sum())):
        notes += (f"{bad:,} values of {name} are NaN or infinite; they became black or white.",)
    return result, notes


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for part in values:
        if part.dtype.kind == "f":
            part = part[np.isfinite(part)]
        if part.size:
            low, high = min(low, float(part.min())), max(high, float(part.max()))
    return (low, high) if low <= high else (0.0, 0.0)


def _is_whole(part: np.ndarray) -> bool:
    return part.dtype.kind in "iu" or bool((part == np.rint(part)).all())  # NaN is not


def _shows_something(sample: np.ndarray, window: tuple[float, float]) -> bool:
    low, high = window
    if not low < high:
        return False
    smallest, largest = sample.min(), sample.max()
    if smallest == largest:
        return True
    # Air is often all one value, so what is not air counts.
    rest = sample[sample > smallest]
    return bool(np.count_nonzero((rest > low) & (rest <= high)) > 0.02 * rest.size)
