"""Decoded pictures before they become slices: values of any type and number of channels, and size limits.

Limits are checked on the size that a header declares, so that a decompression bomb is never decoded.
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
from btmodels.io.limits import MAX_BYTES, MAX_PAGES, MAX_PIXELS, MAX_SIDE
from btmodels.words import counted

LEAST_LEVELS = 25
"""Minimum range of gray levels in a slice: with fewer, it is noise or labels."""

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
"""Errors that Pillow, tifffile, OpenCV and NumPy raise on damaged files, and related ones."""


@dataclass(frozen=True, eq=False)
class Raster:
    """The first picture of a file.

    Attributes:
        values: Any real dtype, (rows, cols, channels) with 1 to 3 channels, upright.
        notes: Sentences on conversions.
        lossy: Whether the compression is lossy, as in JPEG.
    """

    values: np.ndarray
    notes: tuple[str, ...] = ()
    lossy: bool = False


def check_size(name: str, rows: int, cols: int, num_bytes: int = 0) -> None:
    """Reject a picture that is empty or too large; raise the limits for others (`btmodels.io.limits`).

    Args:
        name: For the message.
        rows, cols: As declared.
        num_bytes: Decompressed size of all values.

    Raises:
        DecodeError: The picture is empty or too large.
    """
    if rows < 1 or cols < 1:
        raise DecodeError(f"{name} declares a picture without pixels ({cols} x {rows}).")
    if rows * cols > MAX_PIXELS:
        raise DecodeError(
            f"{name} declares {cols} x {rows} pixels; at most {MAX_PIXELS // 1_000_000} megapixels "
            "are read. Save it smaller, or cut the slice out of it, and try again."
        )
    if max(rows, cols) > MAX_SIDE:
        raise DecodeError(
            f"{name} declares {cols} x {rows} pixels; a side of at most {MAX_SIDE:,} is read."
        )
    if num_bytes > MAX_BYTES:
        raise DecodeError(
            f"{name} would take {num_bytes // 1_000_000:,} MB unpacked; at most "
            f"{MAX_BYTES // 1_000_000} MB are read."
        )
    # Pillow uses up to four bytes per pixel for any file.
    limits.announce(max(num_bytes, 4 * rows * cols))


def check_pages(name: str, pages: int) -> tuple[str, ...]:
    """Return the note for a file of several pages.

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
        orientation: 1 to 8 as defined by TIFF 6.0 and EXIF; any other value means upright.
    """
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values


def turned_note(name: str, orientation: int) -> tuple[str, ...]:
    """Return the note on `orient`; none if nothing was turned."""
    if orientation not in range(2, 9):
        return ()
    return (f"{name} was turned or mirrored as its orientation tag ({orientation}) says.",)


def without_alpha(
    values: np.ndarray, alpha: np.ndarray, name: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Drop transparency; fully transparent pixels count as air.

    Args:
        values: (rows, cols, channels).
        alpha: (rows, cols); 0 is fully transparent.
        name: For the note.

    Returns:
        The values, 0 in fully transparent pixels unless all pixels are; and a note.
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
    """Convert values of any real type to 0 to 255.

    Integers from 0 to 255 are kept, whatever their type. Other values are mapped linearly, the minimum over
    all channels to 0 and the maximum to 255, so that channels keep their proportions. NaN becomes 0.

    Args:
        values: bool, integer or float, (rows, cols, channels).
        name: For notes.
        stretch: Also map integers from 0 to 255, so that 8-bit and 16-bit versions of a picture become the
            same, unless their range is less than `LEAST_LEVELS`. Head and air are separated by a fixed
            value, so the networks depend on brightness.

    Returns:
        uint8 of the same shape, and notes.

    Raises:
        DecodeError: No value is finite, the range is too large, or the type is not real.
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
    for start in range(0, len(values), 256):  # in parts: float64 takes 8 times the memory
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
