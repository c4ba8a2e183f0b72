"""Read single elements of a DICOM file, even if they are invalid: text, numbers, geometry, window."""

from __future__ import annotations

import math

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException

from btmodels.geometry import is_size
from btmodels.io.dicom.file import FrameHeader

_WRONG = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
"""Errors that pydicom raises for an element with an invalid value."""


def text_of(dataset: Dataset, key: str) -> str:
    """Return an element as one line of text; "" if it is missing or invalid."""
    try:
        value = dataset.get(key)
    except _WRONG:
        return ""
    return "" if value is None else " ".join(str(value).split())[:200]


def numbers_of(dataset: Dataset, key: str, count: int) -> tuple[float, ...] | None:
    """Return the ``count`` finite numbers of an element; None if it does not hold exactly that many."""
    try:
        value = dataset.get(key)
        values = [value] if isinstance(value, (int, float, str)) else list(value or ())
        numbers = tuple(float(each) for each in values)
    except _WRONG:
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None


def number_of(dataset: Dataset, key: str) -> float | None:
    """Return the one finite number of an element; None if it has none."""
    found = numbers_of(dataset, key, 1)
    return found[0] if found else None


def item_of(dataset: Dataset, index: int, group: str, key: str) -> Dataset:
    """Return the item that holds ``key`` for a frame: from the per-frame or the shared functional groups,
    or the file itself.

    Args:
        dataset: The file.
        index: Index of the frame, from 0.
        group: Keyword of the functional group, such as "PixelMeasuresSequence".
        key: Keyword of the element.
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
"""Functional group, "" for the file's top level, and keyword of the elements that distinguish passes."""


def frame_header(dataset: Dataset, index: int) -> FrameHeader:
    """Return the header of one frame, from per-frame or shared groups or the top level of the file.

    The spacing is that within the patient; the spacing on a detector, as in radiographs, is ignored.

    Args:
        dataset: The file.
        index: Index of the frame, from 0.
    """

    def item(group: str, key: str) -> Dataset:
        return item_of(dataset, index, group, key)

    def numbers(group: str, key: str, count: int) -> tuple[float, ...] | None:
        return numbers_of(item(group, key), key, count)

    directions = numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    spacing = numbers("PixelMeasuresSequence", "PixelSpacing", 2)
    line = item("PixelValueTransformationSequence", "RescaleSlope")
    window = item("FrameVOILUTSequence", "WindowCenter")
    return FrameHeader(
        position=numbers("PlanePositionSequence", "ImagePositionPatient", 3),
        directions=directions if directions and _are_directions(directions) else None,
        spacing=spacing if spacing and is_size(spacing) else None,
        slope=number_of(line, "RescaleSlope") or 1.0,
        intercept=number_of(line, "RescaleIntercept") or 0.0,
        center=_first(window, "WindowCenter"),
        width=_first(window, "WindowWidth"),
        function=text_of(window, "VOILUTFunction").upper() or "LINEAR",
        pass_keys=tuple(
            text_of(item(group, key) if group else dataset, key) for group, key in _PASS_KEYS
        ),
        location=number_of(dataset, "SliceLocation"),
    )


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
    # Some programs write only two digits.
    return all(abs(length - 1) < 0.02 for length in lengths) and abs(across) < 0.02
