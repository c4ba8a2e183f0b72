"""Lossless compression of pixel planes for the browser; ``unpack`` in masks.js reverses it."""

from __future__ import annotations

import math
import zlib

import numpy as np

SHOWN_PIXELS = 4_000_000
"""Most pixels in the viewer; a larger slice is subsampled, and its caption says so."""


def thinning(rows: int, cols: int) -> int:
    """Return the step between the displayed rows and columns of a slice; 1 shows all."""
    return math.ceil(math.sqrt(rows * cols / SHOWN_PIXELS))


def pack(planes: np.ndarray) -> bytes:
    """Deflate planes, each row as differences between neighbors.

    Picture formats are avoided: browsers may apply color management to a PNG, and some add
    noise to pixels read back from a canvas. Differences make MRI a tenth smaller.

    Args:
        planes: uint8, (planes, rows, cols), 0 to 255.
    """
    differences = np.ascontiguousarray(planes)
    differences = differences.copy()
    differences[:, :, 1:] -= planes[:, :, :-1]
    return zlib.compress(differences.tobytes(), level=1)


def pack_pixels(pixels: np.ndarray, step: int = 1) -> bytes:
    """Pack a slice's channels.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.
        step: Step between the rows and columns to keep; 1 keeps all.
    """
    return pack(pixels[::step, ::step].transpose(2, 0, 1))


def pack_maps(
    probability_map: np.ndarray | None,
    truth: np.ndarray | None,
    head: np.ndarray | None,
    step: int = 1,
    heat: np.ndarray | None = None,
) -> bytes | None:
    """Pack the layers over a slice; a missing map becomes a plane of zeros. None if all are missing.

    Args:
        probability_map: uint8, (rows, cols), the segmenter's probability in 255ths.
        truth, head: bool, (rows, cols).
        step: As for `pack_pixels`.
        heat: uint8, (rows, cols), Grad-CAM in 255ths of its highest value; adds a fourth plane.
    """
    there = [plane for plane in (probability_map, truth, head, heat) if plane is not None]
    if not there:
        return None
    planes = np.zeros((3 if heat is None else 4, *there[0][::step, ::step].shape), np.uint8)
    for index, plane in enumerate((probability_map, truth, head, heat)):
        if plane is not None:
            planes[index] = plane[::step, ::step]
    return pack(planes)
