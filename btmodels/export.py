"""Masks as files, in the form and by the names of the data set."""

from __future__ import annotations

import io
import re

import numpy as np
import tifffile

from btmodels.names import stem_of

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def safe_stem(name: str) -> str:
    """Return the stem of a file's name as every file system takes it: no folders, no leading dot,
    letters of any script, digits, ``-``, ``_`` and ``.`` only, not a reserved word of Windows."""
    stem = re.sub(r"[^\w.-]+", "_", stem_of(name)).strip("._")[:100].rstrip(".")
    return f"_{stem}" if _RESERVED.fullmatch(stem) else stem or "slice"


def mask_name(name: str) -> str:
    """Return what the mask of the slice ``name`` is called: ``<stem>_mask.tif``."""
    return f"{safe_stem(name)}_mask.tif"


def mask_tiff(mask: np.ndarray) -> bytes:
    """Pack a mask as the data set does.

    Args:
        mask: bool, (rows, cols).

    Returns:
        An uncompressed TIFF, uint8, 0 and 255, in the mask's own rows and columns.
    """
    buffer = io.BytesIO()
    values = mask.astype(np.uint8) * np.uint8(255)
    tifffile.imwrite(buffer, values, photometric="minisblack", metadata=None, software=False)
    return buffer.getvalue()
