"""Read TIFF in memory: tifffile for uncompressed and deflated values, Pillow and OpenCV for other codecs.

tifffile reads LZW, JPEG and similar codecs only with a package of 80 MB, which nothing else here needs.
Pillow's libtiff reads them, but not for all dtypes; OpenCV reads three 16-bit channels compressed with
LZW. A file that none of them reads exactly is rejected.
"""

from __future__ import annotations

import io
import logging
import math
import re
import zlib

import cv2
import numpy as np
import tifffile

from btmodels.errors import DecodeError
from btmodels.io.limits import MAX_PAGES
from btmodels.io.pillow import open_picture, values_of
from btmodels.io.raster import (
    Raster,
    check_pages,
    check_size,
    orient,
    turned_note,
    without_alpha,
)
from btmodels.io.sequences import recognize
from btmodels.words import counted

# It quotes damaged tags, which may hold a patient's name, on the server's console.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
_PHOTOMETRIC, _ORIENTATION = 262, 274
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB = 0, 1, 2
_NONE, _DEFLATE = 1, (8, 32946)
_LOSSY = (6, 7, 34712, 34892, 50001)  # JPEG, old and new, JPEG 2000, WebP
_LZW = 5
_ALPHA = (1, 2)
_MAX_SEGMENTS = 100_000
_NUMBERS = (
    "imagelength",
    "imagewidth",
    "imagedepth",
    "samplesperpixel",
    "planarconfig",
    "rowsperstrip",
    "tilelength",
    "tilewidth",
    "tiledepth",
)


def read_tiff(data: bytes, name: str) -> Raster:
    """Read the first picture of a TIFF or BigTIFF, of either byte order: one page, or two or three gray
    pages that are its channels.

    Args:
        data: The file.
        name: For messages.

    Raises:
        DecodeError: It is too large, or of a form that cannot be read exactly.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        _check_numbers(file.pages[0])
        notes = check_pages(name, _count_pages(file))
        # Load pages before accessing `series`, after which tifffile returns reduced frames for later pages.
        loaded = [file.pages[index] for index in range(len(file.pages))]
        pages = _full_pages(loaded)
        channels, more = _channels(file, loaded, pages, name)
        if len(pages) == 1 or len(channels) == len(pages):
            notes = ()  # nothing is left out
        rasters = [_read_page(loaded[i], i, data, name) for i in channels or pages[:1]]
    notes += more + tuple(dict.fromkeys(note for raster in rasters for note in raster.notes))
    if len(rasters) == 1:
        return Raster(rasters[0].values, notes, rasters[0].lossy)
    values = np.concatenate([raster.values for raster in rasters], axis=2)
    return Raster(values, notes, any(raster.lossy for raster in rasters))


def _full_pages(loaded: list[tifffile.TiffPage]) -> list[int]:
    """Return the indices of pages that are neither thumbnails nor transparency masks.

    A thumbnail may not be marked as such: it is any smaller page with the aspect ratio of the largest one.
    """
    pages = list(range(len(loaded)))
    pages = [i for i in pages if not int(loaded[i].subfiletype) & 5] or pages
    largest = max((loaded[i] for i in pages), key=lambda page: page.imagelength * page.imagewidth)
    return [i for i in pages if not _is_smaller(loaded[i], largest)]


def _is_smaller(page: tifffile.TiffPage, other: tifffile.TiffPage) -> bool:
    (rows, cols), (most_rows, most_cols) = ((p.imagelength, p.imagewidth) for p in (page, other))
    alike = abs(rows * most_cols - cols * most_rows) <= max(most_rows, most_cols)
    return alike and rows < most_rows and page.samplesperpixel == other.samplesperpixel


def _channels(
    file: tifffile.TiffFile, loaded: list[tifffile.TiffPage], pages: list[int], name: str
) -> tuple[list[int], tuple[str, ...]]:
    """Return the indices of the pages that are channels of one picture, if any, and a note.

    Raises:
        DecodeError: There are more than three channels.
    """
    kinds = {_layout(loaded[index]) for index in pages}
    if len(pages) < 2 or len(kinds) > 1 or kinds.pop()[-1] != 1:
        return [], ()
    axes, shape = file.series[0].axes, file.series[0].shape
    many, apart = len(pages), 1
    if "C" in axes:
        at = axes.index("C")
        many, apart = shape[at], math.prod(shape[at + 1 : axes.index("Y")])
    elif set(axes) - set("IQYXS") or len(pages) != 3:
        return [], ()  # slices, time points or unknown axes: separate pictures
    if many == 1 or (many - 1) * apart >= len(pages):
        return [], ()
    if many > 3:
        raise _too_many(name, many)
    order = _order(_names(file, apart)[:many])
    how = "by their names" if order else "in their order"
    note = f"{name} holds its channels in {many} pages; they were put together {how}."
    return [pages[channel * apart] for channel in order or range(many)], (note,)


def _too_many(name: str, channels: int) -> DecodeError:
    return DecodeError(
        f"{name} holds {channels} channels; a slice has three: pre-contrast, FLAIR, post-contrast."
    )


def _names(file: tifffile.TiffFile, apart: int) -> list[str]:
    """Return the names of channels: those that OME gives them, or ImageJ the pages, of which a channel
    has ``apart``; empty if there are none."""
    if file.is_imagej:
        return list(map(str, (file.imagej_metadata or {}).get("Labels") or ()))[::apart]
    return re.findall(r'<(?:\w+:)?Channel\b[^>]*?\bName="([^"]*)"', file.ome_metadata or "")


def _order(names: list[str]) -> list[int]:
    """Return the indices of the sequences of a slice among named channels; empty unless all are named."""
    found = [recognize(name) for name in names]
    roles = ("pre", "flair", "post")
    return [found.index(role) for role in roles] if sorted(map(str, found)) == sorted(roles) else []


def _layout(page: tifffile.TiffPage) -> tuple:
    return page.imagelength, page.imagewidth, page.bitspersample, page.samplesperpixel


def _read_page(page: tifffile.TiffPage, index: int, data: bytes, name: str) -> Raster:
    _check_numbers(page)
    if _PHOTOMETRIC not in page.tags:
        raise DecodeError(f"{name} does not say what its values mean (PhotometricInterpretation).")
    if page.imagedepth != 1:
        raise DecodeError(f"{name} holds a volume of {page.imagedepth} planes, not one slice.")
    # Compressed or not, a page must not decode to more than the memory holds.
    bits = int(np.max(page.bitspersample))
    num_bytes = page.imagelength * page.imagewidth * page.samplesperpixel * bits // 8
    check_size(name, page.imagelength, page.imagewidth, num_bytes)
    orientation = page.tags.valueof(_ORIENTATION, 1)
    # tifffile writes a bool mask as MinIsWhite although True stays 1.
    inverted = (
        page.photometric == _MIN_IS_WHITE
        and page.bitspersample == page.samplesperpixel == 1
        and str(page.software).startswith("tifffile")
    )
    notes = turned_note(name, orientation)
    if _is_plain(page):
        values, more = _read_plain(page, data, name)
        return Raster(orient(values, orientation), notes + more)
    if _is_deep_lzw(page) and index == 0:
        return Raster(orient(_read_deep_lzw(page, data, name), orientation), notes)
    if not _is_exact_in_pillow(page):
        raise DecodeError(
            f"{name} holds {_describe(page)}, a form of TIFF that is not supported; save it "
            "uncompressed or as PNG."
        )
    image = open_picture(data, name, "TIFF")
    image.seek(index)
    check_size(name, image.height, image.width)
    image.load()  # turns it upright too
    values, more = values_of(image, name)
    return Raster(~values if inverted else values, notes + more, page.compression in _LOSSY)


def _count_pages(file: tifffile.TiffFile) -> int:
    # Accessing one page beyond the limit reads no further pages; `len` would read all of them.
    try:
        file.pages[MAX_PAGES]
    except IndexError:
        return len(file.pages)
    return MAX_PAGES + 1


def _check_numbers(page: tifffile.TiffPage) -> None:
    # A damaged tag may hold text or a list instead of a number, and Python can multiply those too.
    numbers = [getattr(page, name) for name in _NUMBERS]
    bits = page.bitspersample if isinstance(page.bitspersample, tuple) else (page.bitspersample,)
    if not all(isinstance(number, int) and 0 <= number < 2**32 for number in (*numbers, *bits)):
        raise ValueError("a tag does not hold one number")
    if not page.samplesperpixel or not all(0 < number <= 64 for number in bits):
        raise ValueError("no values in a pixel")


def _is_plain(page: tifffile.TiffPage) -> bool:
    """Return whether tifffile reads the page exactly without codecs."""
    return (
        page.photometric in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB)
        and page.compression in (_NONE, *_DEFLATE)
        and page.predictor in (1, 2)
        and page.fillorder == 1
        and page.bitspersample in (8, 16, 32, 64)
        and page.dtype is not None
    )


def _is_exact_in_pillow(page: tifffile.TiffPage) -> bool:
    """Return whether Pillow keeps all bits, signs and channels of the page."""
    kind = page.bitspersample, page.sampleformat
    if page.samplesperpixel == 1 and page.photometric == _MIN_IS_BLACK and kind[0] != 8:
        return kind in ((1, 1), (2, 1), (4, 1), (12, 1), (16, 1), (16, 2), (32, 2), (32, 3))
    if page.samplesperpixel == 2 and page.extrasamples[:1] not in ((1,), (2,)):
        return False
    return np.max(page.bitspersample) <= 8 and page.sampleformat == 1


def _is_deep_lzw(page: tifffile.TiffPage) -> bool:
    """Return whether the page has three interleaved 16-bit channels, compressed with LZW."""
    return (
        page.compression == _LZW
        and page.photometric == _RGB
        and (page.samplesperpixel, page.bitspersample, page.sampleformat) == (3, 16, 1)
        and page.planarconfig == 1
        and page.predictor in (1, 2)
        and page.fillorder == 1
        and not page.is_tiled
    )


def _read_deep_lzw(page: tifffile.TiffPage, data: bytes, name: str) -> np.ndarray:
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(segments) != math.prod(page.chunked) or any(
        offset <= 0 or count <= 0 or offset + count > len(data) for offset, count in segments
    ):
        raise DecodeError(f"{name} is cut off or damaged: part of its picture is missing.")
    logging = cv2.utils.logging
    logging.setLogLevel(
        logging.LOG_LEVEL_SILENT
    )  # problems of a file are reported here, not on the console
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    values = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if values is None or values.dtype != np.uint16 or values.shape != page.shape:
        raise ValueError("OpenCV does not read this TIFF")
    return values[..., ::-1]


def _read_plain(
    page: tifffile.TiffPage, data: bytes, name: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    _check_segments(page, data, name)
    planes = page.asarray(squeeze=False, maxworkers=1)[:, 0]  # (planes, rows, cols, contiguous)
    values = np.moveaxis(planes, 0, 2).reshape(*planes.shape[1:3], -1)
    if page.photometric == _MIN_IS_WHITE:
        # Inversion within each dtype: 255 - v for uint8, negation for floats.
        values = -values if values.dtype.kind == "f" else np.invert(values)
    extra = len(page.extrasamples)
    channels = values.shape[2] - extra
    if page.photometric == _RGB:
        # RGB has three channels, whatever the ExtraSamples tag says.
        channels, extra = 3, values.shape[2] - 3
    elif extra and not any(sample in _ALPHA for sample in page.extrasamples):
        channels, extra = values.shape[2], 0
    if channels not in (1, 2, 3) or extra < 0:
        raise _too_many(name, values.shape[2])
    if not extra:
        return values, ()
    if extra == 1 and page.extrasamples[:1] != (0,):
        return without_alpha(values[..., :channels], values[..., channels], name)
    were = "it was" if extra == 1 else "they were"
    dropped = f"{name} holds {counted(extra, 'channel')} beyond its colors or gray; {were} dropped."
    return values[..., :channels], (dropped,)


def _check_segments(page: tifffile.TiffPage, data: bytes, name: str) -> None:
    """Reject strips or tiles that are missing, cut off, too short or far too long.

    tifffile fills missing segments with zeros and decompresses segments of any size.

    Raises:
        DecodeError: There is such a segment.
    """
    number = math.prod(page.chunked)
    size = math.prod(page.chunks) * page.dtype.itemsize
    check_size(name, page.imagelength, page.imagewidth, number * size)
    offsets, counts = page.dataoffsets, page.databytecounts
    damaged = DecodeError(f"{name} is cut off or damaged: part of its picture is missing.")
    if number > _MAX_SEGMENTS or not len(offsets) == len(counts) == number:
        raise damaged
    rows = page.imagelength % page.chunks[0] or page.chunks[0]
    per_plane = math.prod(page.chunked[-2:])
    for index, (offset, count) in enumerate(zip(offsets, counts, strict=True)):
        # The last strip holds the remaining rows; tiles always have full size.
        is_last = not page.is_tiled and (index + 1) % per_plane == 0
        needed = size // page.chunks[0] * rows if is_last else size
        if offset <= 0 or count <= 0 or offset + count > len(data):
            raise damaged
        if page.compression in _DEFLATE:
            packed = memoryview(data)[offset : offset + count]
            unpacked = zlib.decompressobj().decompress(packed, size + 1)
            if not needed <= len(unpacked) <= size:
                raise damaged
        elif count < needed:
            raise damaged


def _describe(page: tifffile.TiffPage) -> str:
    codec = getattr(page.compression, "name", page.compression)
    meaning = getattr(page.photometric, "name", page.photometric)
    return f"{page.samplesperpixel} x {page.bitspersample}-bit {meaning} values ({codec})"
