"""What is in a patient's folder, told by opening each of its files once."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from btmodels.cohort import read_slices
from btmodels.overlay import TRUTH_COLOR, outline
from btmodels.slices import FLAIR, Patient, Slice

THUMBNAIL = 72
"""Rows and columns that a thumbnail fits into."""

_QUALITY = 88


@dataclass(frozen=True)
class Survey:
    """What opening a patient's files tells.

    Attributes:
        tumor_slices: Slices whose true mask marks anything; None where no mask can be read.
        tumor_pixels: Marked pixels of the true masks; None as above.
        thumbnail: A small WebP of the slice with the largest true mask; None without a slice.
        problems: What is wrong with the folder, one sentence each.
    """

    tumor_slices: int | None
    tumor_pixels: int | None
    thumbnail: bytes | None
    problems: tuple[str, ...]


def survey(patient: Patient) -> Survey:
    """Open all of a patient's files and tell what is in them."""
    slices, problems = read_slices(patient)
    sizes = [int(np.count_nonzero(each.truth)) for each in slices if each.truth is not None]
    return Survey(
        tumor_slices=sum(size > 0 for size in sizes) if sizes else None,
        tumor_pixels=sum(sizes) if sizes else None,
        thumbnail=thumbnail(slices[most_telling(slices)]) if slices else None,
        problems=problems,
    )


def most_telling(slices: tuple[Slice, ...]) -> int:
    """Return the index of the slice with the largest true mask; without any, the middle one."""
    sizes = [0 if s.truth is None else int(np.count_nonzero(s.truth)) for s in slices]
    return sizes.index(max(sizes)) if any(sizes) else len(sizes) // 2


def thumbnail(each: Slice) -> bytes:
    """Draw a slice's FLAIR channel small, its true mask outlined, as a WebP.

    It is for finding a patient in a list: shrunk, and not exact.
    """
    rows, cols = each.pixels.shape[:2]
    scale = THUMBNAIL / max(rows, cols)
    size = max(1, round(cols * scale)), max(1, round(rows * scale))
    picture = cv2.resize(each.pixels[..., FLAIR], size, interpolation=cv2.INTER_AREA)
    picture = np.repeat(picture[..., None], 3, axis=2)
    if each.truth is not None:
        share = cv2.resize(each.truth.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        picture[outline(share >= 0.5)] = TRUTH_COLOR
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=_QUALITY)
    return buffer.getvalue()
