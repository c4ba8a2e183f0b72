"""Draw masks on a slice: the prediction filled with a solid outline, the true mask with a dashed one.

Orange and light blue are distinguishable with any color vision, and the line styles differ too. The
viewer uses the same two colors (``ui/viewer/viewer.css``).
"""

from __future__ import annotations

import io
import math

import cv2
import numpy as np
from PIL import Image

from btmodels.slices import Analysis, Slice
from btmodels.transforms.postprocess import outline
from btmodels.visualize.window import Window, shown_flair

PREDICTION_COLOR = (255, 176, 0)
"""Red, green, blue; 0 to 255. ``#ffb000``."""

TRUTH_COLOR = (92, 200, 255)
"""``#5cc8ff``."""

FILL_OPACITY = 0.35

TINT_OPACITY = 0.6
"""Opacity of the color over a mask, here and in the viewer."""

TINT_BASE = 0.45
"""Fraction of its brightness that the color keeps over black pixels; over white pixels it keeps all."""

LARGE = 1024
"""Minimum length of an exported picture's longer side in pixels."""

_DASH, _GAP = 4, 3


def blend(
    pixels: np.ndarray,
    mask: np.ndarray,
    color: tuple[int, int, int] = PREDICTION_COLOR,
    opacity: float = FILL_OPACITY,
) -> np.ndarray:
    """Lay a color over the marked pixels of a picture.

    Args:
        pixels: uint8, (rows, cols, 3) or (rows, cols), 0 to 255; not modified.
        mask: bool, (rows, cols).
        color: Red, green, blue; 0 to 255.
        opacity: 0 (invisible) to 1.

    Returns:
        uint8, (rows, cols, 3), a new array.

    Raises:
        ValueError: The sizes differ, or the opacity is out of its range.
    """
    if mask.shape != pixels.shape[:2]:
        raise ValueError(
            "A mask must have its picture's size. Received: "
            f"mask.shape={mask.shape}, pixels.shape={pixels.shape}"
        )
    if not 0 <= opacity <= 1:
        raise ValueError(f"`opacity` is from 0 to 1. Received: opacity={opacity}")
    result = np.array(pixels) if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    mixed = (1 - opacity) * result[mask] + opacity * np.array(color)
    result[mask] = np.rint(mixed)
    return result


def dashed_outline(mask: np.ndarray) -> np.ndarray:
    """Return the border of a mask with gaps: 4 pixels drawn, 3 left out along each contour.

    Args:
        mask: bool, (rows, cols).

    Returns:
        bool, (rows, cols); a subset of `outline`.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    result = np.zeros(mask.shape, bool)
    for contour in contours:
        cols, rows = contour[:, 0].T
        drawn = np.arange(len(rows)) % (_DASH + _GAP) < _DASH
        result[rows[drawn], cols[drawn]] = True
    return result & outline(mask)


def tint(gray: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Lay a color over marked pixels that is darker over dark pixels, so that texture stays visible.

    The viewer paints by the same rule (``ui/viewer/masks.js``).

    Args:
        gray: uint8, (rows, cols), 0 to 255.
        mask: bool, (rows, cols).

    Returns:
        uint8, (rows, cols, 3).
    """
    values = np.arange(256)[:, None]
    colored = np.array(PREDICTION_COLOR) * (TINT_BASE + (1 - TINT_BASE) * values / 255)
    table = np.rint((1 - TINT_OPACITY) * values + TINT_OPACITY * colored).astype(np.uint8)
    result = np.repeat(gray[..., None], 3, axis=2)
    result[mask] = table[gray[mask]]
    return result


def overlay(
    analysis: Analysis, side: int | None = None, window: Window | None = None
) -> np.ndarray:
    """Draw an analysis on its slice, as `slice_picture` does.

    Args:
        analysis: Its mask is tinted and outlined; its true mask, if any, is outlined with dashes.
        side, window: As in `slice_picture`.

    Returns:
        uint8, (rows, cols, 3).
    """
    return slice_picture(analysis.slice, analysis.mask, side, window)


def slice_picture(
    each: Slice,
    mask: np.ndarray | None = None,
    side: int | None = None,
    window: Window | None = None,
) -> np.ndarray:
    """Draw a slice's FLAIR channel, on which the experts drew, with its masks.

    Args:
        each: Its true mask, if any, is outlined with dashes.
        mask: bool, (rows, cols), tinted and outlined; None draws no prediction.
        side: The picture is enlarged by an integer factor until its longer side has at least this many
            pixels; lines grow with it. None keeps the slice's size.
        window: FLAIR values that become black and white; None uses the slice's automatic window.

    Returns:
        uint8, (rows, cols, 3).
    """
    gray = shown_flair(each.pixels, window)
    rows, cols = gray.shape
    mask = np.zeros(gray.shape, bool) if mask is None else mask
    factor = max(1, math.ceil((side or 0) / max(rows, cols)))
    if factor == 1:
        picture = tint(gray, mask)
        picture[outline(mask)] = PREDICTION_COLOR
        if each.truth is not None:
            picture[dashed_outline(each.truth)] = TRUTH_COLOR
        return picture
    size = (cols * factor, rows * factor)
    large = cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC)
    picture = tint(large, enlarged(mask, factor))
    _draw_line(picture, mask, factor, PREDICTION_COLOR, dashed=False)
    if each.truth is not None:
        _draw_line(picture, each.truth, factor, TRUTH_COLOR, dashed=True)
    return picture


def enlarged(mask: np.ndarray, factor: int) -> np.ndarray:
    """Repeat each pixel of a mask ``factor`` times along both axes."""
    return mask.repeat(factor, axis=0).repeat(factor, axis=1)


def _draw_line(
    picture: np.ndarray, mask: np.ndarray, factor: int, color: tuple[int, int, int], dashed: bool
) -> None:
    contours, _ = cv2.findContours(
        enlarged(mask, factor).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
    )
    width = max(2, round(max(picture.shape) / 320))
    dash, gap = 5 * width, 4 * width
    for contour in contours:
        if not dashed:
            cv2.polylines(picture, [contour], True, color, width, cv2.LINE_AA)
            continue
        for start in range(0, len(contour), dash + gap):
            cv2.polylines(
                picture, [contour[start : start + dash]], False, color, width, cv2.LINE_AA
            )


def png(picture: np.ndarray) -> bytes:
    """Encode a picture, uint8, (rows, cols, 3), as PNG."""
    buffer = io.BytesIO()
    # Level 3 takes a third of the time of Pillow's default 6, and slices become smaller.
    Image.fromarray(picture).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def overlay_png(analysis: Analysis, window: Window | None = None) -> bytes:
    """Return the picture of `overlay` as PNG, large enough for a slide: `LARGE` pixels or more."""
    return png(overlay(analysis, LARGE, window))
