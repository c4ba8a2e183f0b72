"""What a file holds before it is a slice: values of any type in any number of channels, and limits.

Limits are checked on what a file's header announces, so that a bomb is refused before it is decoded.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from btmodels.errors import DecodeError
from btmodels.io import limits
from btmodels.words import counted

MAX_BYTES = 200_000_000
"""Of a file, and of its values once unpacked."""

MAX_PIXELS = 40_000_000
"""Rows times columns."""

MAX_SIDE = 10_000
"""Rows or columns: a network sees a square, so a thin strip would need the square of its length."""

LEAST_LEVELS = 25
"""Steps of gray from the darkest to the brightest pixel of a slice: fewer are noise or labels."""

MAX_PAGES = 1_000
"""A file with more is a video or an attack; of fewer the first is read."""

EXPECTED = "a TIFF, PNG, JPEG, WebP, BMP, DICOM or NIfTI file was expected"

LIBRARY_ERRORS = (
    ArithmeticError,  # OverflowError, ZeroDivisionError
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,  # tifffile without a codec
    LookupError,  # KeyError, IndexError
    MemoryError,
    OSError,  # Pillow: truncated, unidentified
    RuntimeError,  # NotImplementedError, RecursionError
    StopIteration,  # pydicom: fewer frames than announced
    SyntaxError,  # Pillow: broken PNG, unknown TIFF
    TypeError,
    ValueError,  # TiffFileError, UnicodeDecodeError
    Warning,  # where warnings are errors
    Image.DecompressionBombError,
    cv2.error,
    struct.error,
    zlib.error,
)
"""All that Pillow, tifffile, OpenCV and numpy were seen to raise on damaged files, and their kin."""


@dataclass(frozen=True, eq=False)
class Raster:
    """The first picture of a file.

    Attributes:
        values: Any real dtype, (rows, cols, channels) with 1 to 3 channels, upright.
        notes: What reading had to do, one plain sentence each.
        lossy: Whether the format changes values when it packs them, as JPEG does.
    """

    values: np.ndarray
    notes: tuple[str, ...] = ()
    lossy: bool = False


def check_size(name: str, rows: int, cols: int, num_bytes: int = 0) -> None:
    """Refuse a picture that is empty or too large; a large one gets time and memory (`btmodels.io.limits`).

    Args:
        name: For the message.
        rows, cols: As announced.
        num_bytes: Of all its values once unpacked.

    Raises:
        DecodeError: It is.
    """
    if rows < 1 or cols < 1:
        raise DecodeError(f"{name} announces a picture without pixels ({cols} x {rows}).")
    if rows * cols > MAX_PIXELS:
        raise DecodeError(
            f"{name} announces {cols} x {rows} pixels; at most {MAX_PIXELS // 1_000_000} megapixels "
            "are read. Save it smaller, or cut the slice out of it, and try again."
        )
    if max(rows, cols) > MAX_SIDE:
        raise DecodeError(
            f"{name} announces {cols} x {rows} pixels; a side of at most {MAX_SIDE:,} is read."
        )
    if num_bytes > MAX_BYTES:
        raise DecodeError(
            f"{name} would take {num_bytes // 1_000_000:,} MB unpacked; at most "
            f"{MAX_BYTES // 1_000_000} MB are read."
        )
    # Pillow keeps four bytes a pixel whatever the file has.
    limits.announce(max(num_bytes, 4 * rows * cols))


def check_pages(name: str, pages: int) -> tuple[str, ...]:
    """Return the note that a file of several pages gets.

    Raises:
        DecodeError: It has more than `MAX_PAGES`.
    """
    if pages > MAX_PAGES:
        raise DecodeError(
            f"{name} holds more than {MAX_PAGES:,} pages or frames; one slice was expected."
        )
    return (f"{name} holds {pages} pages; only the first one was read.",) if pages > 1 else ()


def orient(values: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a picture upright.

    Args:
        values: (rows, cols, channels).
        orientation: 1 to 8 as TIFF 6.0 and EXIF define it; anything else means upright already.
    """
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values


def turned_note(name: str, orientation: int) -> tuple[str, ...]:
    """Return the note on `orient`, none where nothing was turned."""
    if orientation not in range(2, 9):
        return ()
    return (f"{name} was turned or mirrored as its orientation tag ({orientation}) says.",)


def without_alpha(
    values: np.ndarray, alpha: np.ndarray, name: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Drop transparency, which no slice has; what cannot be seen at all is air.

    Args:
        values: (rows, cols, channels).
        alpha: Of the same rows and columns; 0 where nothing is seen.
        name: For the note.

    Returns:
        The values, 0 where nothing is seen unless nothing is seen anywhere; and a note.
    """
    note = f"{name} has an alpha channel (transparency), which was dropped"
    clear = alpha == 0
    if not clear.any() or clear.all():
        return values, (f"{note}.",)
    values = values.copy()
    values[clear] = 0
    return values, (f"{note}; what is wholly transparent became black.",)


def to_uint8(
    values: np.ndarray, name: str, stretch: bool = False
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Bring values of any real type to 0 to 255.

    Whole numbers from 0 to 255 are kept whatever the type they are stored in. Anything else is mapped
    linearly, the smallest value of all channels together to 0 and the largest to 255, so that channels
    keep their proportions. What is not a number becomes 0.

    Args:
        values: bool, integer or float, (rows, cols, channels).
        name: For notes.
        stretch: Map whole numbers from 0 to 255 as well, so that a picture of 8 bits and one of 16 become
            the same; those of fewer than `LEAST_LEVELS` are kept. The networks tell head from air by a
            fixed value, and so depend on brightness.

    Returns:
        uint8 of the same shape, and notes.

    Raises:
        DecodeError: There is no number in it, or they are too far apart.
    """
    if values.dtype == np.uint8 and not (stretch and LEAST_LEVELS <= np.ptp(values) < 255):
        return values, ()
    if values.dtype == bool:
        return values.astype(np.uint8) * 255, (
            f"{name} has 1 bit a pixel; its two values became 0 and 255.",
        )
    if values.dtype.kind not in "iuf":
        raise DecodeError(
            f"{name} holds values of type {values.dtype}; plain numbers were expected."
        )
    bad = ~np.isfinite(values) if values.dtype.kind == "f" else None
    good = values if bad is None or not bad.any() else values[~bad]
    if not good.size:
        raise DecodeError(f"{name} holds no number at all: every value is NaN or infinite.")
    low, high = float(good.min()), float(good.max())
    keep = low >= 0 and high <= 255 and (bad is None or bool((good == np.rint(good)).all()))
    keep = keep and not (stretch and high - low >= LEAST_LEVELS)
    shift, factor, divisor = (0.0, 1.0, 1.0) if keep else (low, 255.0, (high - low) or 1.0)
    if not np.isfinite(high - low):
        raise DecodeError(f"{name} holds values from {low:g} to {high:g}, too far apart to show.")
    result = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), 256):  # in parts: float64 of all is 8 times the picture
        part = values[start : start + 256].astype(np.float64)
        part = np.rint((part - shift) * factor / divisor)
        result[start : start + 256] = np.clip(np.nan_to_num(part, posinf=0, neginf=0), 0, 255)
    if bad is not None:
        result[bad] = 0
    return result, _scaling_notes(name, values.dtype, low, high, keep, bad)


def _scaling_notes(name, dtype, low, high, keep, bad) -> tuple[str, ...]:
    span = f"{low:g} to {high:g}"
    kind = {"i": "signed integers", "u": "integers", "f": "floating-point numbers"}[dtype.kind]
    held = f"{name} holds {8 * dtype.itemsize}-bit {kind}"
    if keep:
        notes = (f"{held}, all whole numbers from {span}; they were kept as they are.",)
    else:
        notes = (f"{held}; their range, {span}, was rescaled to 0 to 255.",)
    if bad is not None and bad.any():
        count = int(np.count_nonzero(bad))
        are = "is NaN or infinite; it" if count == 1 else "are NaN or infinite; they"
        notes += (f"{counted(count, 'value')} of {name} {are} became 0.",)
    return notes
