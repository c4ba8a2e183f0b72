"""Read PNG, JPEG, WebP and BMP with Pillow, and TIFF variants that tifffile alone does not read."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from btmodels.errors import DecodeError
from btmodels.io.raster import Raster, check_pages, check_size, orient, turned_note, without_alpha

_ORIENTATION = 0x0112
_VALUES = {"1", "L", "I", "I;16", "I;16B", "I;16L", "I;16N", "F", "RGB"}


def read_picture(data: bytes, name: str, kind: str) -> Raster:
    """Read the first picture of a file.

    Args:
        data: The file.
        name: For messages.
        kind: "PNG", "JPEG", "WEBP" or "BMP" by its first bytes; no other decoder is tried.

    Raises:
        DecodeError: It is too large.
    """
    if kind == "WEBP":
        check_size(name, *_webp_size(data))  # Pillow allocates the canvas when it opens a WebP
    image = open_picture(data, name, kind)
    notes = check_pages(name, getattr(image, "n_frames", 1))
    if kind == "PNG":
        # Pillow does not verify the checksums of a PNG by default; a flipped bit must not go unnoticed.
        open_picture(data, name, kind).verify()
    deep = any("16" in str(tile[3]) for tile in image.tile)
    image.load()
    orientation = image.getexif().get(_ORIENTATION, 1)
    if kind == "PNG" and deep and image.mode in ("RGB", "RGBA"):
        values, more = _read_deep_png(data, name, image)
    else:
        values, more = values_of(image, name)
    values = orient(_without_copies(values), orientation)
    return Raster(values, notes + more + turned_note(name, orientation), kind in ("JPEG", "WEBP"))


def open_picture(data: bytes, name: str, kind: str) -> Image.Image:
    """Open a file with one of Pillow's decoders and check its declared size; nothing is decoded yet.

    Raises:
        DecodeError: It is too large.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=[kind])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DecodeError(f"{name} declares far more pixels than a slice has.") from error
    check_size(name, image.height, image.width)
    return image


def values_of(image: Image.Image, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a loaded picture's values, (rows, cols, channels), and notes on what was converted."""
    notes: tuple[str, ...] = ()
    if image.mode in _VALUES:
        values = np.asarray(image)
    elif image.mode in ("LA", "La"):
        values = np.asarray(image)[..., 0]
    elif image.mode in ("RGBA", "RGBa", "RGBX"):
        values = np.asarray(image)[..., :3]
    else:
        if image.mode in ("P", "PA"):
            notes += (f"{name} has a palette; its colors were looked up.",)
        else:
            notes += (
                f"{name} holds {image.mode} colors, which were converted to red, green and blue; "
                "its three channels are therefore not MRI sequences.",
            )
        # Convert to RGBA first: otherwise Pillow warns about a palette with transparency.
        clear = "transparency" in image.info or image.mode == "PA"
        picture = image.convert("RGBA") if clear else image
        values = np.asarray(picture.convert("RGB"))
    values = np.atleast_3d(values)
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        values, more = without_alpha(values, _alpha_of(image), name)
        notes = more + notes
    return values, notes


def _without_copies(values: np.ndarray) -> np.ndarray:
    """Keep one of three equal channels: programs often save a gray slice as RGB, and the mask must not
    depend on that. TIFFs keep them, because the data set has FLAIR in all three on purpose."""
    same = values.shape[2] == 3 and bool((values == values[..., :1]).all())
    return values[..., :1] if same else values


def _alpha_of(image: Image.Image) -> np.ndarray:
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        return np.asarray(image)[..., -1]
    if image.mode in ("P", "PA", "1", "L", "RGB"):
        return np.asarray(image.convert("RGBA"))[..., 3]
    # A 16-bit gray value can also be marked as transparent.
    return (np.asarray(image) != image.info["transparency"]).astype(np.uint8)


def _read_deep_png(data: bytes, name: str, image: Image.Image):
    # Pillow truncates 16-bit colors to 8 bits; OpenCV keeps them.
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        raise ValueError("OpenCV does not read this PNG")
    is_gray = any(str(tile[3]).startswith("LA") for tile in open_picture(data, name, "PNG").tile)
    clear = image.mode == "RGBA" or "transparency" in image.info
    colors = values[..., 2::-1]
    colors = colors[..., :1] if is_gray else colors
    return without_alpha(colors, _alpha_of(image), name) if clear or is_gray else (colors, ())


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return (rows, cols) of a WebP's canvas (RFC 9649)."""
    form, body = data[12:16], data[20:30]
    if len(body) < 10:
        raise ValueError("a WebP without a header")
    if form == b"VP8X":
        return int.from_bytes(body[7:10], "little") + 1, int.from_bytes(body[4:7], "little") + 1
    if form == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if form == b"VP8 ":
        return (
            int.from_bytes(body[8:10], "little") & 0x3FFF,
            int.from_bytes(body[6:8], "little") & 0x3FFF,
        )
    raise ValueError("a WebP of unknown form")
