"""Single fields of a DICOM file, whatever stands in them: text, numbers, geometry, window."""

from __future__ import annotations

import math

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException

from btmodels.geometry import LEAST_STEP, MOST_STEP

_WRONG = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
"""What pydicom raises on a field that holds something else than it should."""


def text_of(dataset: Dataset, key: str) -> str:
    """Return a field as one line of text, "" where it is missing or holds something else."""
    try:
        value = dataset.get(key)
    except _WRONG:
        return ""
    return "" if value is None else " ".join(str(value).split())[:200]


def numbers_of(dataset: Dataset, key: str, count: int) -> tuple[float, ...] | None:
    """Return a field's ``count`` finite numbers, None where it does not hold so many."""
    try:
        value = dataset.get(key)
        values = [value] if isinstance(value, (int, float, str)) else list(value or ())
        numbers = tuple(float(each) for each in values)
    except _WRONG:
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None


def number_of(dataset: Dataset, key: str) -> float | None:
    """Return a field's one finite number, None without."""
    found = numbers_of(dataset, key, 1)
    return found[0] if found else None


def item_of(dataset: Dataset, index: int, group: str, key: str) -> Dataset:
    """Return the item that holds ``key`` for a frame: of its own group, of that which all frames share,
    or the file itself.

    Args:
        dataset: The file.
        index: Of the frame, from 0.
        group: Keyword of the functional group, as "PixelMeasuresSequence".
        key: Keyword of the field.
    """
    for kept, place in (
        ("PerFrameFunctionalGroupsSequence", index),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        groups = dataset.get(kept) or ()
        if place < len(groups):
            items = groups[place].get(group) or ()
            if len(items) and key in items[0]:
                return items[0]
    return dataset


def geometry_of(
    dataset: Dataset, index: int
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None, tuple[float, float] | None]:
    """Return (position, directions, spacing) of a frame as `btmodels.io.dicom.file.Frame` has them.

    The spacing is that within the patient; that on a detector, which radiographs have, is left out.
    """
    key = "ImagePositionPatient"
    position = numbers_of(item_of(dataset, index, "PlanePositionSequence", key), key, 3)
    key = "ImageOrientationPatient"
    directions = numbers_of(item_of(dataset, index, "PlaneOrientationSequence", key), key, 6)
    if directions and not _are_directions(directions):
        directions = None
    key = "PixelSpacing"
    spacing = numbers_of(item_of(dataset, index, "PixelMeasuresSequence", key), key, 2)
    if spacing and not all(LEAST_STEP < step < MOST_STEP for step in spacing):
        spacing = None
    return position, directions, spacing


_PASS_KEYS = (
    ("MREchoSequence", "EffectiveEchoTime"),
    ("", "EchoTime"),
    ("", "EchoNumbers"),
    ("MRImageFrameTypeSequence", "FrameType"),
    ("", "ImageType"),
    ("FrameContentSequence", "TemporalPositionIndex"),
    ("", "TemporalPositionIdentifier"),
    ("MRDiffusionSequence", "DiffusionBValue"),
    ("", "AcquisitionNumber"),
    ("", "AcquisitionTime"),
)
"""Functional group, "" for the file's own level, and keyword of what tells passes apart."""


def pass_keys_of(dataset: Dataset, index: int) -> tuple[str, ...]:
    """Return what tells a frame from others at its place, as `btmodels.io.dicom.file.Frame` has it."""
    return tuple(
        text_of(item_of(dataset, index, group, key) if group else dataset, key)
        for group, key in _PASS_KEYS
    )


def window_of(dataset: Dataset, index: int) -> tuple[float, float] | None:
    """Return the values that a frame's first window makes black and white (DICOM PS3.3 C.11.2.1.2).

    None without a window, or with one that is no straight line, as SIGMOID: see `btmodels.io.dicom.pixels`.
    """
    center, width = center_and_width(dataset, index)
    function = function_of(dataset, index)
    if center is None or width is None or width <= 0:
        return None
    if function == "LINEAR_EXACT":
        return center - width / 2, center + width / 2
    if function != "LINEAR" or width < 1:
        return None
    # Width counts values, not steps between them: 256 values have 255 steps.
    return center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2


def center_and_width(dataset: Dataset, index: int) -> tuple[float | None, float | None]:
    """Return where a frame's first window lies, in the file's own values; None for what is missing."""
    item = item_of(dataset, index, "FrameVOILUTSequence", "WindowCenter")
    center, width = (_first(item, key) for key in ("WindowCenter", "WindowWidth"))
    return center, width


def function_of(dataset: Dataset, index: int) -> str:
    """Return how a frame's window is meant: LINEAR where it does not say, LINEAR_EXACT, SIGMOID."""
    item = item_of(dataset, index, "FrameVOILUTSequence", "WindowCenter")
    return text_of(item, "VOILUTFunction").upper() or "LINEAR"


def _first(dataset: Dataset, key: str) -> float | None:
    try:
        value = dataset.get(key)
        if value is None or isinstance(value, str):
            number = float(value) if value else None
        else:
            number = float(value) if isinstance(value, (int, float)) else float(value[0])
    except _WRONG:
        return None
    return number if number is not None and math.isfinite(number) else None


def _are_directions(six: tuple[float, ...]) -> bool:
    row, column = six[:3], six[3:]
    lengths = [math.hypot(*row), math.hypot(*column)]
    across = sum(a * b for a, b in zip(row, column, strict=True))
    # Some programs write two digits.
    return all(abs(length - 1) < 0.02 for length in lengths) and abs(across) < 0.02
