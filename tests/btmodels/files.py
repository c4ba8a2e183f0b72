"""Small files of every kind, built byte by byte or with the libraries that read them."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import tifffile
from PIL import Image


def stretched(gray: np.ndarray) -> np.ndarray:
    """A picture of one channel as it is read: its darkest pixel black, its brightest white."""
    low, high = int(gray.min()), int(gray.max())
    return np.rint((gray - float(low)) * 255 / (high - low)).astype(np.uint8)


def tiff(values, **options) -> bytes:
    """A TIFF as tifffile writes it."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


def saved(image, kind: str, **options) -> bytes:
    """A file as Pillow writes it, of an array or an image."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16-bit channels in red, green, blue(, alpha) order, which Pillow cannot write."""
    order = [2, 1, 0, 3][: values.shape[2]]
    return cv2.imencode(".png", values[..., order])[1].tobytes()


def bare_png(rows: int, cols: int) -> bytes:
    """A sound PNG that announces a size and holds nothing of it."""
    png = b"\x89PNG\r\n\x1a\n"
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ):
        png += struct.pack(">I", len(body)) + kind + body
        png += struct.pack(">I", zlib.crc32(kind + body))
    return png


def bare_tiff(strip: bytes, next_page: int = 0, **tags: int) -> bytes:
    """A TIFF of one gray strip, 8 x 8 unless ``tags`` (``_<code>=value``) say otherwise."""
    values = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: len(strip)}
    values |= {int(code[1:]): value for code, value in tags.items()}
    directory = struct.pack("<H", len(values))
    for code, value in sorted(values.items()):
        directory += struct.pack("<HHII", code, 4, 1, value)
    start = 8 + len(strip)
    return struct.pack("<4sI", b"II*\0", start) + strip + directory + struct.pack("<I", next_page)
