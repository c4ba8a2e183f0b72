"""Read a slice from the bytes of a picture, in memory: nothing is written, nothing in a file can run.

The first bytes of a file decide its format, not the ending of its name. A file that cannot be read
exactly is rejected with a sentence, and every conversion of values becomes a note of the slice.
"""

from __future__ import annotations

import numpy as np

from btmodels.errors import DecodeError, FormatError
from btmodels.filenames import (
    is_mask_name,
    pair_masks,
    parse_slice_name,
    plain_name,
    stem_of,
    suffix_of,
)
from btmodels.io.formats import _VOLUMES, SUFFIXES, _kind_of, _what_else, unread_image
from btmodels.io.limits import check_bytes
from btmodels.io.pillow import read_picture
from btmodels.io.raster import EXPECTED, LIBRARY_ERRORS, Raster, to_uint8
from btmodels.io.tiff import read_tiff
from btmodels.slices import Slice

__all__ = ["decode", "decode_mask", "is_mask_name", "pair_masks", "stem_of"]


_MASK_EDGES = 0.01
"""Maximum fraction of pixels between the two values of a lossy mask."""


def decode(data: bytes, name: str) -> Slice:
    """Read a slice.

    The resolution in TIFF and PNG is that of print, not of the patient, so the slice has no spacing.

    Args:
        data: A TIFF, PNG, JPEG, WebP or BMP.
        name: File name; if it has the data set's form, it gives patient and number.

    Returns:
        The slice without a true mask, with notes on all conversions.

    Raises:
        DecodeError: It is not such a file, damaged, too large or of an unsupported form.
    """
    name = plain_name(name)
    raster, notes = _read(data, name)
    channels = raster.values.shape[2]
    # The input check reports replaced channels, because it sees them in any format. Three channels are a
    # slice as in the data set, on whose unchanged values the networks were trained.
    pixels, more = to_uint8(raster.values, name, stretch=channels == 1)
    notes += raster.notes + more
    if channels == 1:
        pixels = pixels[:, :, [0, 0, 0]]
    elif channels == 2:
        pixels = pixels[:, :, [0, 1, 1]]
        notes += (f"{name} has two channels. They were taken for pre-contrast T1 and FLAIR.",)
    if _looks_like_mask(pixels):
        notes += (f"{name} holds only two values: this looks like a mask, not like a slice.",)
    patient, number = parse_slice_name(name)
    pixels = np.ascontiguousarray(pixels)
    return Slice(name, pixels, patient=patient, number=number, notes=notes)


def decode_mask(data: bytes, name: str) -> np.ndarray:
    """Read a mask: black and one other value or color, in any format that `decode` reads.

    Args:
        data: The file.
        name: For messages.

    Returns:
        bool, (rows, cols), True where it is not black.

    Raises:
        DecodeError: As for `decode`, or it holds more than two values.
    """
    name = plain_name(name)
    raster, _ = _read(data, name)
    pixels, _ = to_uint8(raster.values, name)
    brightest = pixels.max(axis=2)
    if raster.lossy:
        # JPEG blurs the step from 0 to 255, so the two values become two clusters.
        between = np.count_nonzero((brightest > 63) & (brightest < 192)) / brightest.size
        if between > _MASK_EDGES:
            raise DecodeError(f"{name} is not a mask: it holds shades between black and white.")
        return brightest > 127
    mask = brightest > 0
    marked = pixels[mask]
    if marked.size and (marked != marked[0]).any():
        raise DecodeError(
            f"{name} is not a mask: it holds more than two values, and a mask has black and one other."
        )
    return mask


def _read(data: bytes, name: str) -> tuple[Raster, tuple[str, ...]]:
    if not data:
        raise DecodeError(f"{name} is empty (0 bytes); {EXPECTED}.")
    check_bytes(name, len(data))
    kind = _kind_of(data)
    if kind is None and (what := unread_image(data)):
        raise FormatError(f"{name} is {what}, which is not supported; {EXPECTED}.")
    if kind is None:
        what = _what_else(data)
        expected = "a picture was expected here" if what in _VOLUMES else EXPECTED
        raise DecodeError(f"{name} is {what}; {expected}.")
    try:
        raster = read_tiff(data, name) if kind == "TIFF" else read_picture(data, name, kind)
    except LIBRARY_ERRORS as error:
        raise DecodeError(
            f"{name} starts as a {kind} but is cut off, damaged or of a form that is not read; "
            f"{EXPECTED}."
        ) from error
    suffix = suffix_of(stem_of(name) if suffix_of(name) == ".gz" else name)
    if not suffix or suffix in SUFFIXES[kind]:
        return raster, ()
    return raster, (f"{name} is a {kind} despite its extension and was read as one.",)


def _looks_like_mask(pixels: np.ndarray) -> bool:
    flat = pixels.reshape(-1, 3)
    if not (flat == flat[:, :1]).all():
        return False
    low, high = flat.min(), flat.max()
    return high in (1, 255) and low == 0 and bool(np.isin(flat[:, 0], (low, high)).all())
